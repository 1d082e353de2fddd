"""Whether a diagnosis lets a swap through. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from cpe.domain.swap import Kind
from cpe.domain.swap_case import Permission

MAX_AGE = timedelta(minutes=30)
"""A diagnosis older than this says nothing about the box that is to be removed now."""
CLOCKS_APART = timedelta(minutes=1)
"""A diagnosis from the future is another clock's; within this it is taken."""


def lets_through(kind: Kind, permission: Permission) -> bool:
    """`allowed` lets every kind pass, `diagnostic` only a swap_diagnostic, the rest nothing."""
    if permission is Permission.ALLOWED:
        return True
    return permission is Permission.DIAGNOSTIC and kind is Kind.DIAGNOSTIC


def is_recent(finished_at: datetime, asked_at: datetime, limit: timedelta = MAX_AGE) -> bool:
    """Whether a diagnosis may still be named."""
    return -CLOCKS_APART <= asked_at - finished_at <= limit

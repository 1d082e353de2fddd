"""Swaps: what is asked for across them as columns, the whole case beside as JSON."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table

from cpe.store.columns import PACKED_JSON, PlainText, UtcDateTime
from cpe.store.tables import metadata


def _of_a_swap() -> Column[str]:
    return Column(
        "swap_id", PlainText, ForeignKey("swaps.id", ondelete="CASCADE"), primary_key=True
    )


swaps: Final = Table(
    "swaps",
    metadata,
    Column("id", PlainText, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("kind", PlainText, nullable=False),
    Column("state", PlainText, nullable=False),
    Column("outcome", PlainText),
    Column("old_serial", PlainText, nullable=False),
    Column("new_serial", PlainText, nullable=False),
    Column("verdict", PlainText),
    Column("requested_by", PlainText, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    Column("deadline", UtcDateTime),
    Column("flow_run_id", PlainText),
    Column("driver", PlainText),
    Column("driver_until", UtcDateTime),
    Column("body", PACKED_JSON, nullable=False),
    Index(None, "state", "opened_at"),
    Index(None, "old_serial", "opened_at"),
    Index(None, "new_serial", "opened_at"),
    Index(None, "opened_at"),
)
"""`version` is the optimistic lock; `driver` carries the swap until `driver_until` at least."""

swap_units: Final = Table(
    "swap_units",
    metadata,
    Column("equipment", PlainText, primary_key=True),
    Column("swap_id", PlainText, ForeignKey("swaps.id", ondelete="CASCADE"), nullable=False),
    Index(None, "swap_id"),
)
"""The units of open swaps: the primary key keeps one unit out of two swaps."""

swap_steps: Final = Table(
    "swap_steps",
    metadata,
    _of_a_swap(),
    Column("step", PlainText, primary_key=True),
    Column("actor", PlainText, nullable=False),
    Column("intended_at", UtcDateTime, nullable=False),
    Column("at", UtcDateTime),
    Column("changed", Boolean),
    Column("before", PACKED_JSON, nullable=False),
    Column("after", PACKED_JSON),
)
"""One row an effect: written before it as an intention, completed after it was read back."""

swap_transitions: Final = Table(
    "swap_transitions",
    metadata,
    _of_a_swap(),
    Column("number", Integer, primary_key=True),
    Column("event", PlainText, nullable=False),
    Column("was", PlainText, nullable=False),
    Column("became", PlainText, nullable=False),
    Column("actor", PlainText, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("detail", PlainText, nullable=False),
)

swap_follow_ups: Final = Table(
    "swap_follow_ups",
    metadata,
    _of_a_swap(),
    Column("name", PlainText, primary_key=True),
    Column("due_at", UtcDateTime, nullable=False),
    Column("done_at", UtcDateTime),
    Column("diagnosis_id", PlainText),
    Column("verdict", PlainText),
    Column("says", PlainText),
    Column("why", PlainText, nullable=False),
    Column("flow_run_id", PlainText),
    Index(None, "done_at", "due_at"),
)
"""Diagnoses of the replacement. The diagnosis itself may be pruned before the swap is."""

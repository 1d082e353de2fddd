"""Who is calling, whether it may, and how often."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from deployments.hub.problems import Kind, Problem
from deployments.hub.tokens import Role, Token, Tokens

STRANGERS_PER_MINUTE: Final = 120
"""Requests without a good token, from one address: more is a search for one."""
_bearer = HTTPBearer(auto_error=False, description="One of CPE_HUB_TOKENS")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


class Guard:
    """The door of one hub process; each counts for itself."""

    def __init__(self, tokens: Tokens, per_minute: int) -> None:
        self._tokens, self._per_minute = tokens, per_minute
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def admit(self, credentials: HTTPAuthorizationCredentials | None, address: str) -> Token:
        """The caller. Raises Problem: unauthenticated, or too many requests."""
        if credentials is None:
            self._count(RateLimitItemPerMinute(STRANGERS_PER_MINUTE), "stranger", address)
            raise _unauthenticated("no bearer token was sent")
        token = self._tokens.find(credentials.credentials)
        if token is None:
            self._count(RateLimitItemPerMinute(STRANGERS_PER_MINUTE), "stranger", address)
            raise _unauthenticated("the bearer token is not known", error="invalid_token")
        allowed = token.per_minute or self._per_minute
        self._count(RateLimitItemPerMinute(allowed), "token", token.name)
        return token

    def _count(self, limit: RateLimitItem, *who: str) -> None:
        if not self._limiter.hit(limit, *who):
            raise Problem(
                Kind.TOO_MANY_REQUESTS,
                f"{limit.amount} requests a minute are allowed",
                headers={"Retry-After": "5"},
                per_minute=limit.amount,
            )


def needs(role: Role) -> Callable[..., Awaitable[Token]]:
    """A dependency: the caller, who must have the role."""

    async def caller(request: Request, credentials: Credentials) -> Token:
        guard: Guard = request.app.state.guard
        address = request.client.host if request.client is not None else ""
        token = guard.admit(credentials, address)
        if not token.may(role):
            raise Problem(
                Kind.FORBIDDEN,
                f"token {token.name} lacks the role {role.value}",
                headers={"WWW-Authenticate": 'Bearer error="insufficient_scope"'},
                role=role.value,
            )
        return token

    return caller


_reader, _diagnoser, _swapper = needs(Role.READ), needs(Role.DIAGNOSE), needs(Role.SWAP)
Reader = Annotated[Token, Depends(_reader)]
Diagnoser = Annotated[Token, Depends(_diagnoser)]
Swapper = Annotated[Token, Depends(_swapper)]
READERS: Final = [Depends(_reader)]
SWAPPERS: Final = [Depends(_swapper)]
OVERRIDERS: Final = [Depends(needs(Role.OVERRIDE))]
"""For routes that need not know who it is."""

AT_THE_DOOR: Final = (Kind.UNAUTHENTICATED, Kind.FORBIDDEN, Kind.TOO_MANY_REQUESTS)
"""What every guarded route may answer."""


def _unauthenticated(detail: str, error: str = "") -> Problem:
    challenge = f'Bearer error="{error}"' if error else "Bearer"
    return Problem(Kind.UNAUTHENTICATED, detail, headers={"WWW-Authenticate": challenge})

"""One guarded conversation with one OLT: one request in flight, retries, deadline, PDU count."""

from __future__ import annotations

import asyncio
from typing import Final

from cpe.access.olt.engine import SnmpEngineHandle
from cpe.access.olt.failures import GEN_ERR, NO_SUCH_NAME, TOO_BIG, from_status
from cpe.access.olt.inventory import OltTarget
from cpe.access.olt.wire import Deadline, Missing, Oid, Response, Value, inside, oid_text
from cpe.domain.errors import UnexpectedAnswerError, UnreachableError

MAX_DROPPED: Final = 4
"""How many varbinds a GET gives up, one error answer each, before it gives up itself."""


class Patience:
    """How long to wait for one answer, and how often to ask again."""

    __slots__ = ("retries", "timeout_s")

    def __init__(self, timeout_s: float, retries: int) -> None:
        self.timeout_s = timeout_s
        self.retries = retries


class Session:
    """A conversation bounded by a deadline. `pdus` counts what was sent, retries included."""

    def __init__(self, engine: SnmpEngineHandle, target: OltTarget, deadline: Deadline) -> None:
        self._engine = engine
        self._lane = engine.lane(target)
        self.target = target
        self.deadline = deadline
        self.pdus = 0

    async def get(
        self, oids: tuple[Oid, ...], patience: Patience, *, following: bool = False
    ) -> dict[Oid, Value]:
        """One GET (or GETNEXT) of all OIDs; what an asked OID gave, by asked OID.

        A GETNEXT that leaves the asked OID's subtree counts as NO_INSTANCE. An OID that makes the
        OLT answer an error is given up (FAILED) and the rest asked again; what is too big, or holds
        an error that names no OID, is halved.
        Raises AccessError.
        """
        given_up: dict[Oid, Value] = {}
        for _ in range(MAX_DROPPED):
            asked = tuple(oid for oid in oids if oid not in given_up)
            if not asked:
                break
            response = await self._ask(asked, patience, following=following)
            if response.error_status == 0:
                return _match(asked, response, following=following) | given_up
            if _is_to_halve(asked, response):
                half = len(asked) // 2
                first = await self.get(asked[:half], patience, following=following)
                second = await self.get(asked[half:], patience, following=following)
                return first | second | given_up
            given_up[self._culprit(asked, response)] = Missing.FAILED
        return dict.fromkeys(oids, Missing.FAILED)

    def _culprit(self, asked: tuple[Oid, ...], response: Response) -> Oid:
        status, index = response.error_status, response.error_index
        if status in (GEN_ERR, NO_SUCH_NAME) and 1 <= index <= len(asked):
            return asked[index - 1]
        if status in (GEN_ERR, NO_SUCH_NAME, TOO_BIG) and len(asked) == 1:
            return asked[0]
        what = f"{len(asked)} OIDs from {oid_text(asked[0])}"
        raise from_status(status, what, olt=self.target.name)

    async def bulk(self, oids: tuple[Oid, ...], repetitions: int, timeout_s: float) -> Response:
        """One GETBULK, not repeated: the walk knows better how to ask again. Raises AccessError."""
        return await self._once(
            oids, Patience(timeout_s, 0), repetitions=repetitions, following=False
        )

    async def _ask(self, oids: tuple[Oid, ...], patience: Patience, *, following: bool) -> Response:
        for attempt in range(patience.retries + 1):
            try:
                return await self._once(oids, patience, repetitions=None, following=following)
            except UnreachableError:
                if attempt == patience.retries or self.deadline.left_s() <= 0:
                    raise
        raise AssertionError("a range of retries + 1 is never empty")

    async def _once(
        self, oids: tuple[Oid, ...], patience: Patience, *, repetitions: int | None, following: bool
    ) -> Response:
        await self._take_turn()
        try:
            self.pdus += 1
            response = await self._engine.request(
                self.target,
                oids,
                timeout_s=min(patience.timeout_s, max(self.deadline.left_s(), 0.01)),
                limit_s=patience.timeout_s,
                repetitions=repetitions,
                following=following,
            )
        finally:
            self._lane.turn.release()
        self._lane.heard()
        return response

    async def _take_turn(self) -> None:
        """One request in flight per OLT; waiting for it ends with the deadline."""
        try:
            async with asyncio.timeout(max(self.deadline.left_s(), 0.0)):
                await self._lane.turn.acquire()
        except TimeoutError:
            raise UnreachableError(
                "the time for this OLT is used up", system="olt", target=self.target.name
            ) from None

    def stranger(self, message: str) -> UnexpectedAnswerError:
        """The exception for an answer of another shape."""
        return UnexpectedAnswerError(message, system="olt", target=self.target.name)


def _is_to_halve(asked: tuple[Oid, ...], response: Response) -> bool:
    status, named = response.error_status, 1 <= response.error_index <= len(asked)
    unnamed = status in (GEN_ERR, NO_SUCH_NAME) and not named
    return len(asked) > 1 and (status == TOO_BIG or unnamed)


def _match(asked: tuple[Oid, ...], response: Response, *, following: bool) -> dict[Oid, Value]:
    if not following:
        answered = dict(response.varbinds)
        return {oid: answered.get(oid, Missing.NOT_ANSWERED) for oid in asked}
    found: dict[Oid, Value] = dict.fromkeys(asked, Missing.NOT_ANSWERED)
    for oid, (got, value) in zip(asked, response.varbinds, strict=False):
        found[oid] = value if inside(got, oid) else Missing.NO_INSTANCE
    return found

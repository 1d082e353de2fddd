"""One warm SNMP engine per event loop.

A fresh pysnmp engine costs 70–150 ms of blocking and, when it is not closed, some megabytes and a
file descriptor; an engine that crosses event loops hangs. So: one handle per running loop, built in
a thread, closed when the loop ends (asyncio closes its async generators then).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any, Final
from weakref import WeakKeyDictionary

from cpe.access.olt import pysnmp_seam as seam
from cpe.access.olt.failures import (
    V2C_SILENCE,
    V3_PRIVATE_SILENCE,
    V3_SILENCE,
    from_exception,
    from_indication,
)
from cpe.access.olt.inventory import OltTarget
from cpe.access.olt.lane import Lane
from cpe.access.olt.wire import Oid, Response
from cpe.domain.errors import UnreachableError

LIBRARY_GRACE_S: Final = 1.0
"""The library forgets a request this much after we did; its own clock ticks every 0.5 s."""
ADDRESS_TTL_S: Final = 300.0


@dataclass(slots=True)
class _Engine:
    """A pysnmp engine and the v3 users it knows: one name cannot have two keys in one engine."""

    library: Any
    users: dict[str, str] = field(default_factory=dict[str, str])


class SnmpEngineHandle:
    """The engine of one event loop: sends PDUs, knows each OLT's lane. Not for another loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._engines: list[_Engine] = []
        self._building = asyncio.Lock()
        self._addresses: dict[tuple[str, int, float], tuple[Any, float]] = {}
        self._logins: dict[OltTarget, tuple[Any, _Engine]] = {}
        self._lanes: dict[tuple[str, str, int], Lane] = {}
        self._lifetime: AsyncGenerator[None] | None = None
        self.is_closed = False

    async def warm(self) -> None:
        """Build the engine now, in a thread, so that the first request does not pay for it."""
        async with self._building:
            if not self._engines:
                self._engines.append(_Engine(await asyncio.to_thread(seam.build_engine)))

    def lane(self, target: OltTarget) -> Lane:
        """What all conversations with this OLT share."""
        return self._lanes.setdefault((target.name, target.host, target.port), Lane())

    async def request(
        self,
        target: OltTarget,
        oids: tuple[Oid, ...],
        *,
        timeout_s: float,
        limit_s: float,
        repetitions: int | None = None,
        following: bool = False,
    ) -> Response:
        """One PDU out, one in. Waits `timeout_s`, at most `limit_s` (a fixed value per profile:
        the library keeps one table row per distinct one). Raises AccessError."""
        if self.is_closed:
            raise RuntimeError("the SNMP engine is closed")
        try:
            login, engine = await self._login(target)
            where = await self._address(target, limit_s + LIBRARY_GRACE_S)
            async with asyncio.timeout(timeout_s):
                indication, answer = await seam.exchange(
                    engine.library, login, where, oids, repetitions=repetitions, following=following
                )
        except TimeoutError:
            raise _silence(target, timeout_s, cut_short=timeout_s < limit_s) from None
        except seam.SnmpLibraryError as error:
            raise from_exception(error, olt=target.name) from None
        if answer is None:
            raise from_indication(indication, olt=target.name)
        return answer

    async def _login(self, target: OltTarget) -> tuple[Any, _Engine]:
        if target not in self._logins:
            self._logins[target] = (seam.credentials(target), await self._engine_for(target))
        return self._logins[target]

    async def _engine_for(self, target: OltTarget) -> _Engine:
        await self.warm()
        if target.user is None:
            return self._engines[0]
        name, keys = target.user.get_secret_value(), _fingerprint(target)
        for engine in self._engines:
            if engine.users.setdefault(name, keys) == keys:
                return engine
        engine = _Engine(await asyncio.to_thread(seam.build_engine), {name: keys})
        self._engines.append(engine)
        return engine

    async def _address(self, target: OltTarget, timeout_s: float) -> Any:
        key = (target.host, target.port, timeout_s)
        known = self._addresses.get(key)
        if known is not None and known[1] > self._loop.time():
            return known[0]
        try:
            async with asyncio.timeout(timeout_s):
                address = await seam.transport(target.host, target.port, timeout_s)
        except (seam.SnmpLibraryError, TimeoutError):
            message = "its host name cannot be resolved"
            raise UnreachableError(message, system="olt", target=target.name) from None
        self._addresses[key] = (address, self._loop.time() + ADDRESS_TTL_S)
        return address

    async def close_with_loop(self) -> None:
        """Close when the running loop shuts its async generators down (`asyncio.run` does)."""
        self._lifetime = self._until_loop_ends()
        await anext(self._lifetime)

    async def _until_loop_ends(self) -> AsyncGenerator[None]:
        try:
            yield
        finally:
            self.close()

    def close(self) -> None:
        """Give back sockets and timers. Idempotent; from the handle's own loop."""
        self.is_closed = True
        _handles.pop(self._loop, None)
        for engine in self._engines:
            engine.library.close_dispatcher()
        self._engines.clear()
        self._logins.clear()


_handles: WeakKeyDictionary[asyncio.AbstractEventLoop, SnmpEngineHandle] = WeakKeyDictionary()


async def running_engine() -> SnmpEngineHandle:
    """The running loop's engine, built on first use and closed with the loop."""
    loop = asyncio.get_running_loop()
    handle = _handles.get(loop)
    if handle is None:
        handle = SnmpEngineHandle()
        _handles[loop] = handle
        await handle.close_with_loop()
    return handle


def _fingerprint(target: OltTarget) -> str:
    parts = [target.auth, target.priv]
    parts += [key.get_secret_value() if key else "" for key in (target.auth_key, target.priv_key)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _silence(target: OltTarget, waited_s: float, *, cut_short: bool) -> UnreachableError:
    why = V2C_SILENCE
    if target.is_v3:
        why = V3_SILENCE if target.priv_key is None else V3_PRIVATE_SILENCE
    hurry = ", when the time for this OLT was used up" if cut_short else ""
    message = f"no answer within {waited_s:.1f} s{hurry}: {why}"
    return UnreachableError(message, system="olt", target=target.name)

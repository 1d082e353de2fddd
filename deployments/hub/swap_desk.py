"""The swap service as the hub knows it, and the one place that imports the real one."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

from pydantic import ValidationError

from deployments.hub.problems import Kind, Problem

Json = dict[str, Any]
MODULE: Final = "deployments.swaps.desk"


class SwapDesk(Protocol):
    """Each gives the document `cpe.swap/1` or raises Problem. `said` is what was sent, as JSON."""

    async def start(self, said: Json, key: str | None) -> Json:
        """Open a swap; asking twice with one key is one swap."""
        ...

    async def answer(self, swap_id: str, said: Json) -> Json:
        """The bench's result."""
        ...

    async def give_back(self, swap_id: str, by: str, remarks: str) -> Json:
        """The removed unit went back to the customer."""
        ...

    async def override(self, swap_id: str, said: Json) -> Json:
        """A named person lets a stopped swap through, or gives it up."""
        ...

    async def show(self, swap_id: str) -> Json | None:
        """The swap, None when nobody knows it."""
        ...

    async def listed(self, state: str | None, serial: str | None, limit: int) -> list[Json]:
        """Newest first; `state` may be `open`."""
        ...


class LazyDesk:
    """The real desk, imported when first asked: with it comes Prefect's client."""

    def __init__(self, load: Callable[[], Any] = lambda: importlib.import_module(MODULE)) -> None:
        self._load, self._loaded = load, None
        self._loading = asyncio.Lock()

    async def start(self, said: Json, key: str | None) -> Json:
        return await self._ask(lambda d: d.start(d.SwapRequest(**said), key=key))

    async def answer(self, swap_id: str, said: Json) -> Json:
        return await self._ask(lambda d: d.answer(swap_id, d.BenchAnswer(**said)))

    async def give_back(self, swap_id: str, by: str, remarks: str) -> Json:
        return await self._ask(lambda d: d.give_back(swap_id, by=by, remarks=remarks))

    async def override(self, swap_id: str, said: Json) -> Json:
        return await self._ask(lambda d: d.override(swap_id, d.OverrideAnswer(**said)))

    async def show(self, swap_id: str) -> Json | None:
        return await self._ask(lambda d: d.show(swap_id))

    async def listed(self, state: str | None, serial: str | None, limit: int) -> list[Json]:
        return await self._ask(lambda d: d.listed(state=state, serial=serial, limit=limit))

    async def _ask(self, question: Callable[[Any], Awaitable[Any]]) -> Any:
        desk = await self._desk()
        try:
            return await question(desk)
        except desk.SwapRefusedError as error:
            more = {"reason": error.reason, "accepted": list(error.accepted)}
            raise Problem(Kind.SWAP_REFUSED, str(error), **more) from error
        except desk.SwapNotFoundError as error:
            raise Problem(Kind.NOT_FOUND, str(error)) from error
        except desk.SwapRaceError as error:
            raise Problem(Kind.SWAP_RACE, str(error), winner=error.winner) from error
        except desk.SwapUnavailableError as error:
            again = {"Retry-After": "5"}
            raise Problem(Kind.SWAPS_UNAVAILABLE, str(error), headers=again) from error
        except ValidationError as error:
            wrong = [
                {"where": ".".join(map(str, item["loc"])), "what": item["msg"]}
                for item in error.errors(include_url=False, include_input=False)
            ]
            said = "; ".join(f"{item['where']}: {item['what']}" for item in wrong)
            raise Problem(Kind.INVALID_REQUEST, said, errors=wrong) from None

    async def _desk(self) -> Any:
        try:
            async with self._loading:
                if self._loaded is None:  # 0.8 s, in which the hub answers others
                    self._loaded = await asyncio.to_thread(self._load)
        except ModuleNotFoundError as error:
            if not MODULE.startswith(error.name or "?"):
                raise
            said = "this installation has no swap desk"
            raise Problem(Kind.SWAPS_UNAVAILABLE, said) from error
        return self._loaded

"""One run for one question: whoever asks while it is being answered shares the run.

Within a process by memory; between processes by a row in our database, whose ticket is the run's
idempotency key in Prefect. Whatever is killed in between, there is one run for a ticket.
"""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime
from typing import Final

from cpe.domain.serials import gpon_serial, mac_address
from cpe.store.hub import CREATING_S, Ask
from cpe.store.repository import Store
from deployments.hub.prefect_api import PrefectApi, PrefectUnavailableError
from deployments.hub.problems import Kind, Problem
from deployments.hub.watch import Watcher
from flows.request import DiagnosisRequest

WAIT_S: Final = 0.05
LONGEST_S: Final = 310.0
"""The flow's own limit is 300 s."""


class Diagnoser:
    """Of one hub process."""

    def __init__(self, store: Store, prefect: PrefectApi, watcher: Watcher) -> None:
        self._store, self._hub = store, store.hub()
        self._prefect, self._watcher = prefect, watcher
        self._flying: dict[str, asyncio.Task[str]] = {}
        self._followed: set[asyncio.Task[None]] = set()

    async def ask(self, request: DiagnosisRequest, token: str) -> str:
        """The id of the run that answers; a new one when nobody has asked. Raises Problem."""
        question = await self._question(request)
        flying = self._flying.get(question)
        if flying is None:
            flying = asyncio.create_task(self._take(question, request))
            self._flying[question] = flying
            flying.add_done_callback(lambda task: self._taken(question, task))
        # Shielded: whoever hangs up first must not take the run from the others.
        run_id = await asyncio.shield(flying)
        now = datetime.now(UTC)
        await self._hub.ask(
            Ask(str(uuid.uuid4()), run_id, request.serial, request.requested_by, token, now)
        )
        return run_id

    async def close(self) -> None:
        """Follow no run any more; they go on."""
        tasks = [*self._followed, *self._flying.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _taken(self, question: str, task: asyncio.Task[str]) -> None:
        if task.cancelled() or task.exception() is not None:
            self._flying.pop(question, None)
            return
        following = asyncio.create_task(self._follow(question, task))
        self._followed.add(following)
        following.add_done_callback(self._followed.discard)

    async def _follow(self, question: str, flying: asyncio.Task[str]) -> None:
        """The question is being answered until its run is over."""
        try:
            with self._watcher.watching(flying.result()) as run:
                await run.over(LONGEST_S)
        finally:
            if self._flying.get(question) is flying:
                del self._flying[question]

    async def _take(self, question: str, request: DiagnosisRequest) -> str:
        deadline = asyncio.get_running_loop().time() + 2 * CREATING_S
        while asyncio.get_running_loop().time() < deadline:
            flight = await self._hub.take(question, str(uuid.uuid4()), now=datetime.now(UTC))
            if flight.is_mine:
                return await self._launch(question, flight.ticket, request)
            if flight.run_id is None:
                await asyncio.sleep(WAIT_S)  # somebody else is creating it
                continue
            try:
                run = await self._prefect.run(flight.run_id)
            except PrefectUnavailableError as error:
                raise _unavailable(error) from error
            if run is not None and not run.is_final:
                return flight.run_id
            # It is over and left no answer, or left it this moment: `take` tells which.
            if await self._hub.document(flight.run_id) is None:
                await self._hub.land(question, flight.ticket)
        raise Problem(Kind.PREFECT_UNAVAILABLE, "the run was not created in time")

    async def _launch(self, question: str, ticket: str, request: DiagnosisRequest) -> str:
        try:
            run_id = await self._prefect.diagnose(request.model_dump(mode="json"), ticket)
        except PrefectUnavailableError as error:
            if error.is_certain:
                await self._hub.land(question, ticket)
            else:
                await self._hub.release(question, ticket)
            raise _unavailable(error) from error
        except asyncio.CancelledError:
            await self._hub.release(question, ticket)
            raise
        await self._hub.launched(question, ticket, run_id)
        return run_id

    async def _question(self, request: DiagnosisRequest) -> str:
        """The same text for the same box, by whatever name, and the same options."""
        serial = request.serial
        identity = await self._store.identity(serial)
        if identity is not None and (identity.acs_id or identity.gpon_serial):
            box = f"box {identity.acs_id or identity.gpon_serial}"
        else:
            box = gpon_serial(serial) or mac_address(serial) or serial.upper()
        return (
            f"{box} speedtest={request.speedtest} measured={request.measured_mbps}"
            f" plan={request.plan_mbps}"
        )


def _unavailable(error: PrefectUnavailableError) -> Problem:
    return Problem(Kind.PREFECT_UNAVAILABLE, str(error), headers={"Retry-After": "2"})

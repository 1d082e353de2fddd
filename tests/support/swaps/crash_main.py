"""Lives the life of one swap in forked processes that kill themselves after the n-th write.

Everything is imported once; each life is a fork, so that a kill costs milliseconds. Run as
`python -m tests.support.swaps.crash_main JOB`, where JOB is a JSON file (see `test_swap_crashes`).
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cpe.access.erpnext.frappe import Frappe
from cpe.store.engine import Database
from deployments.swaps import desk
from flows.conduct import as_function
from flows.swap_alarms import ring
from tasks import clients
from tasks.swap_clock import clock


class Countdown:
    """Kills this process with SIGKILL at the n-th write; 0 never does. A write counts before it is
    sent, after it was answered, and after each commit."""

    def __init__(self, fatal: int) -> None:
        self.fatal, self.count = fatal, 0

    def tick(self) -> None:
        self.count += 1
        if self.count == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)


ASK, WRITE = Frappe._ask, Database.write


def arm(countdown: Countdown) -> None:
    """Count every write of this process to ERPNext and to our database, from now on."""
    ask, write = ASK, WRITE

    async def counted_ask(self: Frappe, method: str, path: str, **options: Any) -> Any:
        if method == "GET":
            return await ask(self, method, path, **options)
        countdown.tick()
        answer = await ask(self, method, path, **options)
        countdown.tick()
        return answer

    @asynccontextmanager
    async def counted_write(self: Database) -> Any:
        async with write(self) as connection:
            yield connection
        countdown.tick()

    Frappe._ask, Database.write = counted_ask, counted_write


async def live(life: dict[str, Any], late: timedelta) -> None:
    """The swap from the door to its end. Repeating what was lived before changes nothing."""
    start = datetime.fromisoformat(life["now"])

    def at(day: float) -> None:
        moment = start + timedelta(days=day) + late
        clock.set(lambda: moment)

    try:
        at(0)
        request = desk.SwapRequest(**life["request"])
        opened = await desk.start(request, key=life["key"])
        if opened["installed_at"] is None:  # else its last driver died on a later day
            await desk.drive(opened["id"])
        if life["result"]:
            at(7.1)
            await ring(opened["id"], as_function)
            at(8)
            said = desk.BenchAnswer(result=life["result"], by="Marc", remarks="vu")
            await desk.answer(opened["id"], said)
            await desk.drive(opened["id"])
    finally:
        await clients.close_clients()


def undisturbed(life: dict[str, Any]) -> int:
    """Live here, which also warms up whatever is loaded when first used; how often it wrote."""
    countdown = Countdown(0)
    arm(countdown)
    asyncio.run(live(life, timedelta()))
    return countdown.count


def fork(life: dict[str, Any], fatal: int, late: timedelta) -> bool:
    """Live in a child; whether it was killed at its `fatal`-th write."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            arm(Countdown(fatal))
            asyncio.run(live(life, late))
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return True
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"life {life['key']} failed (killed at write {fatal})")
    return False


def main(job: dict[str, Any]) -> int:
    """One undisturbed life tells how many writes there are; then lives are killed, each at its
    write: at each, or at every `stride`-th."""
    lives = job["lives"]
    writes = undisturbed(lives[0])
    if writes > len(lives) - 1:
        raise SystemExit(f"{writes} writes, but only {len(lives) - 1} lives to kill")
    for number in range(1, writes + 1, job["stride"]):
        assert fork(lives[number], number, timedelta()), f"write {number} never came"
        # The dead driver's lease has run out by then.
        assert not fork(lives[number], 0, timedelta(minutes=5))
    Path(job["result"]).write_text(json.dumps({"writes": writes}))
    return 0


if __name__ == "__main__":
    sys.exit(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))

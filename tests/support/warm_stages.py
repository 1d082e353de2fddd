"""A warm worker that stands still at the stages where no flow can: claimed, and about to end.

    python -m tests.support.warm_stages POOL FOLDER

Runs whose parameter `stage` says so wait there until the folder holds a file `open`.
"""

from __future__ import annotations

import sys
from typing import Any
from uuid import UUID

from deployments.warm import __main__ as program
from deployments.warm import worker
from deployments.warm.client import SparingClient
from deployments.warm.engine import Stay
from tests.support.warm_flows import gate

folder = sys.argv.pop(2)
execute, tell = worker.execute, SparingClient.set_flow_run_state
stage_of: dict[UUID, str] = {}


async def stand_when_claimed(flow: Any, stay: Stay) -> None:
    stage_of[stay.run.id] = str(stay.run.parameters.get("stage"))
    if stage_of[stay.run.id] == "claimed":
        await gate(folder, "open")
    await execute(flow, stay)


async def stand_before_the_end(
    self: SparingClient, flow_run_id: Any, state: Any, force: bool = False
) -> Any:
    stage = stage_of.get(UUID(str(flow_run_id)))
    if state.is_completed() and stage == "ending":
        await gate(folder, "open")
    told = await tell(self, flow_run_id, state, force=force)
    if state.is_completed() and stage == "ended":
        await gate(folder, "open")
    return told


worker.execute = stand_when_claimed
SparingClient.set_flow_run_state = stand_before_the_end  # type: ignore[method-assign]

if __name__ == "__main__":
    program.main(sys.argv[1:])

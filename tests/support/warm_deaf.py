"""A warm worker that is told nothing by push: `python -m tests.support.warm_deaf POOL`."""

from __future__ import annotations

import asyncio
import sys

from prefect._internal.observers import FlowRunCancellingObserver

from deployments.warm import __main__ as program
from deployments.warm.push import Push


async def hear_nothing(self: object) -> None:
    del self
    await asyncio.Event().wait()


Push.listen = hear_nothing  # type: ignore[method-assign]
FlowRunCancellingObserver._consume_events = hear_nothing  # type: ignore[method-assign]

if __name__ == "__main__":
    program.main(sys.argv[1:])

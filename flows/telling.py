"""The steps of a flow run, told to whoever watches it in another process."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from flows.conduct import progress
from tasks.steps import tell_step

BEGUN: Final = "run: begun"


@contextmanager
def telling(run_id: str) -> Generator[None]:
    """Steps of the block are kept as the run's, and told to whoever listens in this process."""
    here = progress.get()

    def tell(step: str) -> None:
        tell_step(run_id, step)
        if here is not None:
            here(step)

    token = progress.set(tell)
    try:
        tell_step(run_id, BEGUN)
        yield
    finally:
        progress.reset(token)

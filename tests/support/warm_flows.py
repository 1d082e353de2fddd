"""Flows whose every step leaves a line in a file, and that stop where a test wants to look."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from pathlib import Path

from prefect import flow, task
from prefect.cache_policies import INPUTS, NO_CACHE, RUN_ID
from prefect.flow_runs import suspend_flow_run
from prefect.input import RunInput
from prefect.runtime import flow_run


def note(folder: str, what: str) -> None:
    """One line, whole, whatever kills us next."""
    with (Path(folder) / "notes.txt").open("a") as file:
        file.write(f"{flow_run.id} {what} {os.getpid()}\n")


async def gate(folder: str, name: str) -> None:
    """Wait until the test opens it."""
    while not (Path(folder) / name).exists():  # noqa: ASYNC110 - it comes from another process
        await asyncio.sleep(0.02)


@task(cache_policy=INPUTS + RUN_ID, persist_result=True)
async def effect(folder: str, key: str) -> str:
    """Done once in a run's life, however often the run begins again: if its result was kept."""
    note(folder, f"effect:{key}")
    if key == "amid":
        await gate(folder, "open")
    return key


@task(cache_policy=NO_CACHE)
async def look() -> int:
    return 1


@flow(name="stages", persist_result=True)
async def stages(folder: str, stage: str = "none") -> str:
    """Begins, has its effect, waits at its stage, ends."""
    note(folder, "begun")
    logging.getLogger("cpe.stages").info("from our own logger")
    if stage == "running":
        await gate(folder, "open")
    await effect(folder, "amid" if stage == "amid-effect" else "once")
    if stage == "after-effect":
        note(folder, "kept")  # the task has ended, so its result is recorded
        await gate(folder, "open")
    note(folder, "ended")
    return stage


@flow(name="threaded")
def threaded(folder: str) -> str:
    """An ordinary function: it may block."""
    time.sleep(0.5)
    note(folder, "threaded")
    return "done"


@flow(name="failing")
async def failing() -> None:
    """Its error is its own."""
    await look()
    raise RuntimeError("as planted")


@flow(name="exiting")
async def exiting() -> None:
    """Says that the whole process is to end, as a script would."""
    await look()
    raise SystemExit(3)


@flow(name="endless")
async def endless(folder: str) -> None:
    """Until somebody cancels it; leaves nothing behind."""
    note(folder, "begun")
    try:
        await asyncio.sleep(600)
    finally:
        note(folder, "left")


class Answer(RunInput):
    """What somebody types days later."""

    word: str


@flow(name="suspending", persist_result=True)
async def suspending(folder: str) -> str:
    """An effect, a wait for a person, another effect."""
    await effect(folder, "first")
    answer = await suspend_flow_run(wait_for_input=Answer, key="word", timeout=86_400)
    await effect(folder, answer.word)
    return answer.word


@flow(name="steady")
async def steady(folder: str) -> None:
    """Goes from task to task until it is suspended from outside."""
    note(folder, "begun")
    for _ in range(600):
        await look()
        await asyncio.sleep(0.05)


@flow(name="killer")
async def killer() -> None:
    """Takes its process with it."""
    os.kill(os.getpid(), signal.SIGKILL)

"""Reading a large fleet in a process of its own: the stream on one core, the walks on another.

Parsing 100,000 documents takes 10 s of one core and decoding 25 walks as much again; in one
process they wait for each other. The child inherits the environment, so no secret is an argument.

    python -m tasks.reader_process LAST_ID      (what `read_apart` runs)

It writes messages: a line of JSON, then as many bytes as the line's `sizes` say.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO, Final

from cpe.access.genieacs.sweep.reader import FleetPart
from cpe.access.genieacs.sweep.stream import FleetRead, read_fleet
from cpe.settings import SweepSettings
from tasks import clients

log = logging.getLogger("cpe.sweep")
WORTH_IT_FROM: Final = 20_000
"""Boxes. The child takes a second to begin."""
END_S: Final = 10.0
"""How long a child that was told to end may take."""


@dataclass(frozen=True, slots=True)
class PackedPart:
    """Some boxes as Parquet (boxes, radios, nodes). `left`: how many the ACS has beyond them."""

    rows: int
    last_id: str
    data: tuple[bytes, ...]
    left: int | None


Keep = Callable[[PackedPart], Awaitable[None]]


async def read_here(after: str, keep: Keep) -> FleetRead:
    """Read every box after the id `after` in this process. Raises NotSupportedError."""
    from cpe.fleet import frames  # noqa: PLC0415 - pandas, half a second

    async def pack(part: FleetPart, left: int | None) -> None:
        data = (
            frames.pack(part.boxes, frames.BOXES),
            frames.pack(part.radios, frames.RADIOS),
            frames.pack(part.nodes, frames.NODES),
        )
        await keep(PackedPart(len(part), part.last_id, data, left))

    limit_s = SweepSettings().freshness_s
    return await read_fleet(clients.acs().nbi, limit_s=limit_s, after=after, keep=pack)


async def read_apart(after: str, keep: Keep) -> FleetRead:
    """As `read_here`, in a child process; what a child that dies has not read is read here."""
    last_id, rows = after, 0

    async def keep_and_note(part: PackedPart) -> None:
        nonlocal last_id, rows
        await keep(part)
        last_id, rows = part.last_id, rows + part.rows

    async with _child(after) as child:
        read = await _listen(child, keep_and_note)
        code = await child.wait() if read is None else 0
    if read is None:
        log.warning("acs: the reading process ended with %s after %d boxes", code, rows)
        read = await read_here(last_id, keep)
        read.rows += rows
    return read


@contextlib.asynccontextmanager
async def _child(after: str) -> AsyncGenerator[Process]:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tasks.reader_process", after, stdout=PIPE
    )
    try:
        yield child
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.terminate()
            try:
                await asyncio.wait_for(child.wait(), END_S)
            except TimeoutError:
                child.kill()
                await child.wait()


async def _listen(child: Process, keep: Keep) -> FleetRead | None:
    """Keep what the child says; how reading went, None when it ended without a word."""
    out = child.stdout
    while out is not None and (line := await out.readline()):
        try:
            said = json.loads(line)
            data = tuple([await out.readexactly(size) for size in said.get("sizes", ())])
        except (ValueError, asyncio.IncompleteReadError):
            return None
        if (end := said.get("end")) is not None:
            return FleetRead(**end)
        await keep(PackedPart(said["rows"], said["last_id"], data, said["left"]))
    return None


def main() -> int:
    """The child: read, and write what was read to standard output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is the parent's to act on
    out = sys.stdout.buffer
    sys.stdout = sys.stderr
    with contextlib.suppress(BrokenPipeError):  # nobody listens any more
        asyncio.run(_read_for_the_parent(sys.argv[1], out))
    return 0


async def _read_for_the_parent(after: str, out: BinaryIO) -> None:
    async def write(part: PackedPart) -> None:
        said = {"rows": part.rows, "last_id": part.last_id, "left": part.left}
        _write(out, {**said, "sizes": [len(d) for d in part.data]}, part.data)

    try:
        read = await read_here(after, write)
    finally:
        await clients.close_clients()
    _write(out, {"end": asdict(read)}, ())


def _write(out: BinaryIO, said: dict[str, Any], data: tuple[bytes, ...]) -> None:
    out.write(json.dumps(said).encode() + b"\n")
    out.writelines(data)
    out.flush()


if __name__ == "__main__":
    raise SystemExit(main())

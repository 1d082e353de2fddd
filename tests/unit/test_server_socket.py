"""The socket on which the embedded server answers."""

from __future__ import annotations

import asyncio
import contextlib
import socket

from deployments.server.embedded import EmbeddedServer


async def test_an_answer_is_not_held_back_until_its_headers_are_acknowledged(tmp_path):
    listener = EmbeddedServer(folder=tmp_path)._listen()
    seen: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def connected(_reader, writer):
        answering = writer.get_extra_info("socket")
        seen.set_result(answering.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    async with await asyncio.start_server(connected, sock=listener):
        _reader, writer = await asyncio.open_connection(*listener.getsockname())
        no_delay = await seen
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
    assert no_delay

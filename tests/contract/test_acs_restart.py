"""An ACS that restarts refuses connections for a second; one that is down does so for longer."""

import socket

import httpx
import pytest

from cpe.access.genieacs.transport import NbiTransport
from cpe.domain.errors import UnreachableError


class Server:
    """Refuses the first `refusals` connections, then answers."""

    def __init__(self, refusals, error=None):
        self.refusals, self.attempts = refusals, 0
        self.error = error or httpx.ConnectError("All connection attempts failed")

    async def __call__(self, request):
        self.attempts += 1
        if self.attempts <= self.refusals:
            raise self.error
        return httpx.Response(200, text="[\n{}\n]")


def transport(server):
    return NbiTransport("http://acs.test", transport=httpx.MockTransport(server), timeout_s=5.0)


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_a_refused_connection_is_tried_again_whatever_the_request(method):
    """Nothing was sent: a task cannot be queued twice by it."""
    server = Server(refusals=3)
    answer = await transport(server).request(method, "/devices/")
    assert (answer.status, server.attempts) == (200, 4)


async def test_a_stream_is_opened_again_too():
    server = Server(refusals=2)
    async with transport(server).lines("/devices/", query="") as (_, lines):
        assert [line async for line in lines] == ["[", "{}", "]"]
    assert server.attempts == 3


async def test_an_acs_that_stays_down_is_told_and_the_next_who_asks_is_told_at_once():
    server = Server(refusals=10**6)
    nbi = transport(server)
    with pytest.raises(UnreachableError, match="connection refused"):
        await nbi.request("GET", "/devices/")
    tried = server.attempts
    assert tried > 3
    with pytest.raises(UnreachableError):
        await nbi.request("GET", "/devices/")
    assert server.attempts == tried + 1


async def test_after_it_came_back_a_new_restart_is_waited_for_again():
    server = Server(refusals=2)
    nbi = transport(server)
    await nbi.request("GET", "/devices/")
    server.attempts, server.refusals = 0, 2
    assert (await nbi.request("GET", "/devices/")).status == 200


async def test_a_host_that_nobody_knows_is_no_restart():
    error = httpx.ConnectError("x")
    error.__cause__ = socket.gaierror(-2, "Name or service not known")
    server = Server(refusals=10**6, error=error)
    with pytest.raises(UnreachableError, match="host name"):
        await transport(server).request("GET", "/devices/")
    assert server.attempts == 1

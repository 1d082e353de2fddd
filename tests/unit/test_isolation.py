"""No test sees the machine's network, its settings, or a server that it did not ask for."""

from __future__ import annotations

import errno
import os
import socket

import pytest
from prefect.client.orchestration import get_client

from tests.support import isolation


def test_no_socket_leaves_this_machine_and_no_name_is_looked_up():
    with pytest.raises(OSError, match="stay on this machine") as refused:
        socket.create_connection(("192.0.2.1", 80))
    assert refused.value.errno == errno.ENETUNREACH
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("genieacs.example", 7557)
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(("localhost", server.getsockname()[1])).close()


def test_what_the_operator_has_set_is_not_here(clean_environment):
    assert not {name for name in os.environ if name.lower().endswith("_proxy")}
    ours = {name for name in os.environ if name.startswith("CPE_")}
    assert ours == {"CPE_HOME"}
    assert os.environ["CPE_HOME"] == str(clean_environment)
    assert "PREFECT_API_URL" not in os.environ
    assert "cpe-tests-" in os.environ["HOME"]


def test_a_client_that_was_given_no_server_finds_none_and_starts_none():
    with pytest.raises(ValueError, match="No Prefect API URL"):
        get_client()


def test_what_a_command_left_in_the_environment_is_taken_back(monkeypatch):
    before = isolation.environment()
    os.environ["PREFECT_API_URL"] = "http://left.example/api"
    monkeypatch.delenv("HOME")
    isolation.restore(before)
    assert isolation.environment() == before

"""A Prefect that is well and does not know us: `/health` is told to everybody."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from typer.testing import CliRunner

from deployments.cli import app
from deployments.server import state

KNOWN = f"Basic {base64.b64encode(b'cpe:CANARY').decode()}"


@pytest.fixture
def guarded(monkeypatch) -> Iterator[str]:
    class Guarded(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_open = self.path == "/api/health" or self.headers["Authorization"] == KNOWN
            self.send_response(200 if is_open else 401)
            self.end_headers()
            self.wfile.write(b"true" if is_open else b'{"detail": "Unauthorized"}')

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Guarded) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/api"
        monkeypatch.setenv("PREFECT_API_URL", url)
        yield url
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("command", [["worker"], ["up", "--port", "0", "--hub-port", "0"]])
def test_a_command_that_prefect_refuses_says_so_in_a_line_and_ends_with_5(guarded, command):
    done = CliRunner().invoke(app, command)
    assert (done.exit_code, done.stdout) == (5, "")
    assert "PREFECT_API_AUTH_STRING" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_doctor_does_not_call_a_prefect_well_that_refuses_us(guarded, monkeypatch):
    done = CliRunner().invoke(app, ["doctor", "--json"])
    assert done.exit_code == 5
    assert "refuses us" in done.stdout
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", "cpe:CANARY")
    assert not state.is_refused(guarded)
    done = CliRunner().invoke(app, ["doctor", "--json"])
    assert done.exit_code == 0
    assert "CANARY" not in done.output

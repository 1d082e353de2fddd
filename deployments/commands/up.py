"""`cpe up`: server, UI, workers and hub for the systems in the environment."""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack

from cpe.domain.errors import ProfileError
from cpe.domain.redaction import redact
from deployments.commands.console import complain, out
from deployments.commands.exits import BAD_INPUT, DONE, REFUSED, UNREACHABLE
from deployments.commands.hub import told
from deployments.commands.orchestra import refusal
from deployments.hub.hosting import hosted_hub
from deployments.server.batch import BatchWorker
from deployments.server.child import UnwritableError
from deployments.server.deploy import POOL, DeployError, register_deployments
from deployments.server.embedded import EmbeddedServer, ServerStartError
from deployments.server.environment import prefect_database
from deployments.server.signals import stop_signals
from deployments.server.state import find_running_server, is_healthy, is_refused
from deployments.server.worker import start_warm_worker


def run(*, port: int, hub_port: int) -> int:
    """Serve until SIGINT or SIGTERM. With PREFECT_API_URL set, all but its server runs here."""
    try:
        _check_settings()
    except ProfileError as error:
        complain(str(error))
        return BAD_INPUT
    configured = os.environ.get("PREFECT_API_URL")
    if configured and is_refused(configured):
        complain(refusal(configured))
        return REFUSED
    if (running := find_running_server()) is not None:
        complain(f"a server of ours runs already: {running}")
        return DONE
    with stop_signals() as asked, ExitStack() as stack:
        try:
            api_url = _server(stack, port)
            register_deployments(api_url)
            hub = stack.enter_context(hosted_hub(api_url, port=free_port(hub_port)))
            worker = stack.enter_context(start_warm_worker(POOL, api_url))
        except ProfileError as error:
            complain(str(error))
            return BAD_INPUT
        except (ServerStartError, DeployError, UnwritableError) as error:
            complain(str(error))
            return UNREACHABLE
        stack.enter_context(BatchWorker(api_url))
        shown = redact(api_url.removesuffix("/api"))
        out().print(f"Prefect {shown} · worker log {worker.log_file}", markup=False)
        if not hub.is_up():
            complain(f"the hub did not start: {hub.log_file}")
        out().print(told(hub), markup=False, soft_wrap=True)
        asked.wait()
    return DONE


def _server(stack: ExitStack, port: int) -> str:
    configured = os.environ.get("PREFECT_API_URL")
    if configured:
        if not is_healthy(configured):
            raise ServerStartError(f"PREFECT_API_URL {configured} does not answer")
        return configured
    server = EmbeddedServer(port=free_or_any(port), database_url=prefect_database())
    return stack.enter_context(server).api_url


def free_or_any(port: int) -> int:
    """The port when nobody listens on it, else 0 for any free one."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return 0
    return port


def free_port(port: int) -> int:
    """The port when nobody listens on it, else a free one by its number, for a child process."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", free_or_any(port)))
        return int(probe.getsockname()[1])


def _check_settings() -> None:
    from cpe.access.olt.inventory import load_inventory  # noqa: PLC0415 - pysnmp is slow to import
    from cpe.profiles.check import check_profiles  # noqa: PLC0415
    from cpe.settings import (  # noqa: PLC0415
        AcsSettings,
        BridgeSettings,
        DiagnosisSettings,
        ErpSettings,
        OltSettings,
        StoreSettings,
        SwapSettings,
        SweepSettings,
    )

    for settings in (AcsSettings, BridgeSettings, DiagnosisSettings, ErpSettings):
        settings()
    for settings in (StoreSettings, SwapSettings, SweepSettings):
        settings()
    check_profiles()
    if (path := OltSettings().path) is not None:
        load_inventory(path)

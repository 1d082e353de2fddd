"""`cpe hub`: the hub's HTTP API alone, on a Prefect server that is there already."""

from __future__ import annotations

import os
from contextlib import ExitStack

from cpe.domain.errors import ProfileError
from cpe.profiles.check import check_profiles
from cpe.settings import StoreSettings
from deployments.commands.console import complain, out
from deployments.commands.exits import BAD_INPUT, DONE, UNREACHABLE
from deployments.hub.hosting import HostedHub, hosted_hub
from deployments.server.child import UnwritableError
from deployments.server.signals import stop_signals
from deployments.server.state import find_running_server


def run(*, host: str, port: int) -> int:
    """Serve until SIGINT or SIGTERM; 4 when there is no Prefect server to ask."""
    api_url = os.environ.get("PREFECT_API_URL") or find_running_server()
    if api_url is None:
        complain("no Prefect server: set PREFECT_API_URL, or start one with cpe up")
        return UNREACHABLE
    try:
        check_profiles()
        StoreSettings()
        hub = hosted_hub(api_url, host=host, port=port)
    except ProfileError as error:
        complain(str(error))
        return BAD_INPUT
    except UnwritableError as error:
        complain(str(error))
        return UNREACHABLE
    with stop_signals() as asked, ExitStack() as stack:
        try:
            stack.enter_context(hub)
        except UnwritableError as error:
            complain(str(error))
            return UNREACHABLE
        if not hub.is_up():
            complain(f"the hub did not start: {hub.log_file}")
            return UNREACHABLE
        out().print(told(hub), markup=False, soft_wrap=True)
        asked.wait()
    return DONE


def told(hub: HostedHub) -> str:
    """Where it is, and where its token is when it made one itself."""
    token = f" · {hub.tokens_file}" if hub.tokens_file is not None else ""
    return f"Hub {hub.url}/ · API {hub.url}/docs{token}"

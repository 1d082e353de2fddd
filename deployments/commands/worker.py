"""`cpe worker`: a warm worker alone, on a server that is there already."""

from __future__ import annotations

import os

from cpe.domain.redaction import redact
from cpe.profiles.check import check_profiles
from deployments.commands.console import complain, out
from deployments.commands.exits import DONE, REFUSED, UNREACHABLE
from deployments.commands.orchestra import refusal
from deployments.server.child import UnwritableError
from deployments.server.signals import stop_signals
from deployments.server.state import find_running_server, is_healthy, is_refused
from deployments.server.worker import start_warm_worker


def run(*, pool: str, limit: int) -> int:
    """Serve until SIGINT or SIGTERM; 4 when there is no Prefect server, 5 when it refuses us.

    Raises ProfileError when the operator's profiles cannot be used.
    """
    check_profiles()
    api_url = os.environ.get("PREFECT_API_URL") or find_running_server()
    if api_url is None:
        complain("no Prefect server: set PREFECT_API_URL, or start one with cpe up")
        return UNREACHABLE
    if not is_healthy(api_url):
        complain(f"PREFECT_API_URL {api_url} does not answer")
        return UNREACHABLE
    if is_refused(api_url):
        complain(refusal(api_url))
        return REFUSED
    try:
        worker = start_warm_worker(pool, api_url, limit=limit)
    except UnwritableError as error:
        complain(str(error))
        return UNREACHABLE
    with stop_signals() as asked, worker:
        out().print(f"{pool} → {redact(api_url)} · {worker.log_file}", markup=False, soft_wrap=True)
        asked.wait()
    return DONE

"""Work pools and deployments, put on a server as `prefect.yaml` says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import httpx
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectAlreadyExists
from prefect.workers.process import ProcessWorker

from cpe.domain.redaction import redact
from deployments.server.environment import client_environment

POOL: Final = "cpe"
"""Somebody waits for these runs: a warm worker serves it, as any process worker may."""
BATCH_POOL: Final = "cpe-batch"
"""Sweeps: long and heavy, in processes of their own, so that no diagnosis waits for them."""
POOLS: Final = {
    POOL: "Diagnostics et échanges à la demande · On-demand diagnoses and swaps",
    BATCH_POOL: "Balayages du parc · Sweeps of the fleet",
}
PREFECT_FILE: Final = Path(__file__).resolve().parents[2] / "prefect.yaml"
DEPLOY_TIMEOUT_S = 180.0


class DeployError(RuntimeError):
    """The deployments were not registered; the message holds the end of the redacted output."""


def ensure_pool(api_url: str, pool: str = POOL) -> bool:
    """Create the process work pool (its default queue comes with it); False when it was there."""
    wanted = WorkPoolCreate(
        name=pool,
        type=ProcessWorker.type,
        description=POOLS.get(pool),
        base_job_template=_template(pool),
    )
    with SyncPrefectClient(api_url) as client:
        try:
            client.create_work_pool(wanted)
        except ObjectAlreadyExists:
            return False
    return True


def _template(pool: str) -> dict[str, Any]:
    """Prefect's own, with job variables of any kind and without defaults where runs start at once.

    For every run that is created Prefect checks their schema against JSON Schema's and each default
    against it: 9.8 ms of server CPU, 3.2 ms so. A process worker has the same defaults by itself.
    """
    template = ProcessWorker.get_default_base_job_template()
    if pool == POOL:
        known = template["variables"]["properties"]
        kept = {name: {"title": told["title"]} for name, told in known.items()}
        template["variables"] = {"type": "object", "properties": kept}
    return template


def register_deployments(api_url: str, *, prefect_file: Path = PREFECT_FILE) -> None:
    """What `prefect --no-prompt deploy --all` does, on that server. Idempotent.

    Prefect's own command runs in a child process, so nothing of prefect.yaml is understood
    differently here. Raises DeployError.
    """
    for pool in POOLS:
        ensure_pool(api_url, pool)
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"]
    command += ["--prefect-file", str(prefect_file)]
    environment = {**os.environ, **client_environment(api_url), "NO_COLOR": "1"}
    try:
        done = subprocess.run(  # noqa: S603 # our own interpreter, no shell, no foreign input
            command,
            cwd=prefect_file.parent,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=DEPLOY_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DeployError(f"prefect deploy took longer than {DEPLOY_TIMEOUT_S:.0f} s") from error
    if done.returncode != 0:
        raise DeployError(f"prefect deploy ended with {done.returncode}: {_tail(done.stdout)}")


def _tail(output: str) -> str:
    return redact(" | ".join(output.strip().splitlines()[-8:]))


def main() -> str | None:
    """Once per release, on the server of PREFECT_API_URL; what went wrong, in a line."""
    api_url = os.environ.get("PREFECT_API_URL")
    if not api_url:
        return "PREFECT_API_URL is not set: which server?"
    try:
        register_deployments(api_url)
    except httpx.HTTPError as error:
        return f"{api_url} does not answer: {type(error).__name__}"
    except DeployError as error:
        return str(error)
    return None


if __name__ == "__main__":
    sys.exit(main())

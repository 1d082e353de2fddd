"""The Prefect settings our embedded server runs with.

Two kinds: what must be so for the server to work as designed, and defaults that an operator's own
PREFECT_* variable or profile overrides. Names are Prefect's setting accessors.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from deployments.server.retention import RETENTION

BATCHED: Final[dict[str, object]] = {
    # Defaults are 1: 29–31 ms of server CPU a task run become 8 ms (reference/prefect.md § 3).
    "server.services.task_run_recorder.batch_size": 100,
    "server.services.task_run_recorder.read_batch_size": 100,
    "server.services.task_run_recorder.flush_interval": 1,
    "server.services.event_persister.batch_size": 100,
    "server.services.event_persister.read_batch_size": 100,
    "server.services.triggers.read_batch_size": 100,
}

_PATIENT: Final[dict[str, object]] = {
    # Default 5 s: on two cores with a load of 17 a new connection to PostgreSQL took longer, and
    # whatever needed it failed.
    "server.database.connection_timeout": 20.0,
}

_QUIET: Final[dict[str, object]] = {
    "server.analytics_enabled": False,
    "server.ui.show_promotional_content": False,
}

_LIGHT: Final[dict[str, object]] = {
    # A one-shot command ends before any of these would matter; a full server on the same
    # database does their work. The repossessor stays: a slot must not outlive its holder.
    "server.ui.enabled": False,
    "server.services.event_persister.enabled": False,
    "server.services.triggers.enabled": False,
    "server.services.scheduler.enabled": False,
    "server.services.late_runs.enabled": False,
    "server.services.pause_expirations.enabled": False,
    "server.services.foreman.enabled": False,
    "server.services.cancellation_cleanup.enabled": False,
    "server.services.cleanup_reconciler.enabled": False,
    "server.services.db_vacuum.enabled": set[str](),
    "server.events.stream_out_enabled": False,
}


def required_settings(
    *, folder: Path, database_url: str, port: int, light: bool, migrate: bool
) -> dict[str, object]:
    """Settings that win over the environment. `database_url` has its async driver."""
    own = f"http://127.0.0.1:{port},http://localhost:{port}"
    return {
        "home": folder,
        "api.url": None,
        "server.database.connection_url": database_url,
        "server.database.migrate_on_start": migrate,
        "server.api.host": "127.0.0.1",
        "server.api.port": port,
        # Any page in the operator's browser could otherwise read and start runs (default *).
        "server.api.cors_allowed_origins": own,
        # Relative: an absolute URL breaks behind a proxy and when another PREFECT_API_URL is set.
        "server.ui.api_url": "/api",
        "server.memo_store_path": folder / "memo_store.toml",
        # Leases in memory are forgotten with the process and their slots stay taken for ever.
        "server.concurrency.lease_storage": "prefect.server.concurrency.lease_storage.filesystem",
        **_QUIET,
        **(_LIGHT if light else {}),
    }


def default_settings(*, folder: Path, light: bool) -> dict[str, object]:
    """Settings that an operator's own value overrides."""
    # Prefect unpacks its UI into site-packages by default, which an ordinary user can't write.
    defaults = {
        **BATCHED,
        **RETENTION,
        **_PATIENT,
        "server.ui.static_directory": str(folder / "ui"),
    }
    if light:
        defaults = {name: value for name, value in defaults.items() if name not in _LIGHT}
    return defaults

"""The environment of a child process that talks to our server and runs flows."""

from __future__ import annotations

import base64
import os

from cpe.settings import home
from deployments.server.retention import MAX_LOG_CHARS


def prefect_database() -> str | None:
    """Prefect's own setting for its database, under either name; None is our SQLite file."""
    names = ("PREFECT_SERVER_DATABASE_CONNECTION_URL", "PREFECT_API_DATABASE_CONNECTION_URL")
    return next((os.environ[name] for name in names if os.environ.get(name)), None)


def ui_url(api_url: str) -> str:
    """Where links into the UI lead: its second version, which `/` opens too."""
    return f"{api_url.rstrip('/').removesuffix('/api')}/v2"


def client_environment(api_url: str) -> dict[str, str]:
    """PREFECT_* variables to lay over our own environment; results stay in `home()`."""
    folder = home() / "prefect"
    return {
        "PREFECT_API_URL": api_url,
        "PREFECT_UI_URL": ui_url(api_url),
        "PREFECT_HOME": str(folder),
        "PREFECT_RESULTS_LOCAL_STORAGE_PATH": str(folder / "storage"),
        "PREFECT_LOGGING_TO_API_MAX_LOG_SIZE": str(MAX_LOG_CHARS),
        "PREFECT_LOGGING_EXTRA_LOGGERS": "cpe",
        "DO_NOT_TRACK": "1",
    }


def authorization() -> dict[str, str]:
    """The header by which Prefect's API knows us; none where it asks for none."""
    if pair := os.environ.get("PREFECT_API_AUTH_STRING"):
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    if key := os.environ.get("PREFECT_API_KEY"):
        return {"Authorization": f"Bearer {key}"}
    return {}

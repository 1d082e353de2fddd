"""Where a run is looked at."""

from __future__ import annotations

from contextvars import ContextVar

from prefect.utilities.urls import url_for

has_ui: ContextVar[bool] = ContextVar("has_ui", default=True)
"""False while the API in use is a brief one that shows no pages."""


def flow_run_url(flow_run_id: str) -> str | None:
    """The run's page in the Prefect UI; None when no UI is known."""
    if not has_ui.get():
        return None
    return url_for("flow-run", obj_id=flow_run_id)

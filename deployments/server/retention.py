"""Prefect settings that bound what its server keeps on disk.

The operator once lost its ERP for four days to a debug log: nothing here grows without an end.
"""

from __future__ import annotations

from typing import Final

EVENTS_S: Final = 2 * 86_400
"""Events are ~75 % of what a diagnosis leaves in the database (reference/prefect.md § 3)."""
FLOW_RUNS_S: Final = 30 * 86_400
"""Only ended runs are vacuumed, by end time: a swap that waits for its test is safe."""
MAX_LOG_CHARS: Final = 100_000
"""One log call, in characters; Prefect's own limit is 1 000 000."""
EVENT_QUEUE: Final = 5_000

RETENTION: Final[dict[str, object]] = {
    # ISO 8601: plain seconds are rejected and the server doesn't start (reference/prefect.md § 7).
    "server.events.retention_period": f"PT{EVENTS_S}S",
    "server.services.db_vacuum.enabled": {"events", "flow_runs"},
    "server.services.db_vacuum.retention_period": FLOW_RUNS_S,
    "server.services.event_persister.queue_max_size": EVENT_QUEUE,
}
"""For the server: setting accessor → value, as `Settings.copy_with_update` takes them."""

CLIENT_RETENTION: Final[dict[str, object]] = {"logging.to_api.max_log_size": MAX_LOG_CHARS}
"""For the process that runs flows: it is the client that cuts a log call."""

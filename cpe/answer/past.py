"""One line of a box's past as JSON: what `cpe history --json` prints and the hub answers."""

from __future__ import annotations

from cpe.answer.document import Json, utc
from cpe.domain.memory import Summary


def past_line(summary: Summary) -> Json:
    """The summary. A missing reading is None."""
    outcome = summary.freshness_outcome
    return {
        "id": summary.id,
        "serial": summary.serial,
        "requested_at": utc(summary.requested_at),
        "duration_ms": summary.duration_ms,
        "verdict": {"code": summary.verdict_code.value, "status": summary.verdict_status.value},
        "rx_dbm": summary.rx_dbm,
        "freshness": outcome.value if outcome is not None else None,
        "model": summary.model,
        "firmware": summary.firmware,
        "requested_by": summary.requested_by,
        "ruleset": summary.ruleset,
        "flow_run_id": summary.flow_run_id,
    }

"""The same diagnosis through Prefect and as plain functions."""

from __future__ import annotations

import uuid
from typing import Any

from cpe.domain.snapshot import FreshnessOutcome
from flows.conduct import as_function, diagnose, keep
from flows.direct import diagnose_here
from flows.request import DiagnosisRequest

Answer = dict[str, Any]


async def through_prefect(serial: str, expected: FreshnessOutcome | None = None) -> Answer:
    """The whole flow run: verdict, rows, report, result, final state."""
    answer: Answer = await diagnose_here(DiagnosisRequest(serial=serial))
    _check(answer, expected)
    return answer


async def plain(serial: str, expected: FreshnessOutcome | None = None) -> Answer:
    """The steps as the functions they wrap; the report is Prefect's and is not made."""
    nowhere = {"flow_run_id": None, "url": None}
    request = DiagnosisRequest(serial=serial).to_domain()
    reached = await diagnose(request, str(uuid.uuid4()), nowhere, as_function)
    lost = await keep(reached, as_function)
    assert not lost, lost
    _check(reached.answer, expected)
    return reached.answer


def _check(answer: Answer, expected: FreshnessOutcome | None) -> None:
    found = answer["freshness"]["outcome"]
    assert expected is None or found == expected.value, f"{answer['serial']}: {found}"

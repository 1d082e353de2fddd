"""The ledger as JSON (`cpe.swap-report/1`), as rows of a table, and as a page. Pure."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from cpe.answer.document import utc
from cpe.answer.markdown import cell
from cpe.domain.swap_ledger import Ledger, Tally

SCHEMA: Final = "cpe.swap-report/1"
Json = dict[str, Any]
GROUPS: Final = ("model", "firmware", "technician", "rule")


def report_document(found: Ledger, *, at: datetime, since: datetime | None) -> Json:
    """`{schema at since swaps refused by_verdict total by_model[] by_firmware[] by_technician[]
    by_rule[] overrides[] days{tested waiting} overdue[] follow_ups}`; a tally is `{name swaps
    tested no_fault faulty rate}`, `rate` null while nothing was tested."""
    return {
        "schema": SCHEMA,
        "at": utc(at),
        "since": utc(since),
        "swaps": found.swaps,
        "refused": found.refused,
        "by_verdict": found.by_verdict,
        "total": _tally(found.total),
        **{f"by_{group}": [_tally(t) for t in _group(found, group)] for group in GROUPS},
        "overrides": [asdict(one) for one in found.overrides],
        "days": {"tested": found.tested_days_median, "waiting": found.waiting_days_median},
        "overdue": [{**asdict(one), "since": utc(one.since)} for one in found.overdue],
        "follow_ups": found.follow_ups,
    }


def report_rows(found: Ledger) -> list[Json]:
    """One row a verdict and outcome, then one a model, firmware, technician and rule."""
    rows: list[Json] = [
        {
            "Regroupement · Group": "verdict × issue · outcome",
            "Nom · Name": f"{verdict} → {outcome}",
            "Échanges · Swaps": count,
            "Testés · Tested": None,
            "Sans défaut · No fault": None,
            "Taux · Rate": None,
        }
        for verdict, outcomes in found.by_verdict.items()
        for outcome, count in outcomes.items()
    ]
    groups = {"total": (found.total,), **{name: _group(found, name) for name in GROUPS}}
    rows += [_row(group, tally) for group, tallies in groups.items() for tally in tallies]
    rows += [
        {
            "Regroupement · Group": "en retard · overdue",
            "Nom · Name": f"{one.serial} ({one.customer or '–'}), {one.days:.1f} j · d",
            "Échanges · Swaps": 1,
            "Testés · Tested": None,
            "Sans défaut · No fault": None,
            "Taux · Rate": None,
        }
        for one in found.overdue
    ]
    return rows


def percent(rate: float | None) -> str:
    """`38 %`, or a dash while nothing was tested."""
    return "–" if rate is None else f"{100 * rate:.0f} %"


def _row(group: str, tally: Tally) -> Json:
    return {
        "Regroupement · Group": group,
        "Nom · Name": cell(tally.name),
        "Échanges · Swaps": tally.swaps,
        "Testés · Tested": tally.tested,
        "Sans défaut · No fault": tally.no_fault,
        "Taux · Rate": percent(tally.rate),
    }


def _group(found: Ledger, name: str) -> tuple[Tally, ...]:
    return {
        "model": found.by_model,
        "firmware": found.by_firmware,
        "technician": found.by_technician,
        "rule": found.by_rule,
    }[name]


def _tally(tally: Tally) -> Json:
    rate = tally.rate
    return {**asdict(tally), "rate": None if rate is None else round(rate, 4)}

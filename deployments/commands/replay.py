"""`cpe replay ID`: judge a kept snapshot again, with the shipped thresholds or with others."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cpe.domain.errors import ProfileError, StoreError
from cpe.domain.memory import KeptDiagnosis
from cpe.domain.verdict import Verdict
from cpe.profiles.thresholds import load_thresholds
from cpe.rules.judge import Judgement, judge
from cpe.settings import DiagnosisSettings, StoreSettings
from cpe.store.repository import Store
from deployments.commands.console import complain, out, print_json
from deployments.commands.exits import BAD_INPUT, DONE, NOT_FOUND, UNREACHABLE

Json = dict[str, Any]


def run(diagnosis_id: str, *, rules: Path | None, as_json: bool) -> int:
    """Print both verdicts and every finding that changed."""
    try:
        thresholds = load_thresholds(rules or DiagnosisSettings().rules)
    except ProfileError as error:
        complain(str(error))
        return BAD_INPUT
    try:
        kept = asyncio.run(_load(diagnosis_id))
    except StoreError as error:
        complain(str(error))
        return UNREACHABLE
    if kept is None:
        complain(f"no diagnosis is kept under {diagnosis_id}")
        return NOT_FOUND
    report = compare(kept, judge(kept.snapshot, thresholds))
    if as_json:
        print_json(report)
    else:
        _show(report)
    return DONE


async def _load(diagnosis_id: str) -> KeptDiagnosis | None:
    async with Store.open(StoreSettings().plain_url()) as store:
        await store.migrate()
        return await store.load(diagnosis_id)


def compare(kept: KeptDiagnosis, now: Judgement) -> Json:
    """Both verdicts and the findings that differ. `identical`: the verdicts are equal in full."""
    before = {f.rule: f for f in kept.findings}
    changed = [
        {
            "rule": f.rule,
            "kept": before[f.rule].status.value if f.rule in before else None,
            "now": f.status.value,
            "text": asdict(f.text),
        }
        for f in now.findings
        if f.rule not in before or before[f.rule] != f
    ]
    return {
        "id": kept.id,
        "serial": kept.snapshot.request.serial,
        "identical": kept.verdict == now.verdict,
        "ruleset": {"kept": kept.ruleset, "now": now.ruleset},
        "kept": verdict_json(kept.verdict),
        "now": verdict_json(now.verdict),
        "changed_findings": changed,
    }


def verdict_json(verdict: Verdict) -> Json:
    """The verdict as in the answer."""
    return {
        "code": verdict.code.value,
        "status": verdict.status.value,
        "action": verdict.action.value,
        "swap": verdict.swap.value,
        "text": asdict(verdict.text),
        "because": list(verdict.because),
        "also": [code.value for code in verdict.also],
        "not_evaluable": [asdict(item) for item in verdict.not_evaluable],
    }


def _show(report: Json) -> None:
    french = DiagnosisSettings().language == "fr"
    language = "fr" if french else "en"
    console = out()
    console.print(f"{report['id']}  {report['serial']}")
    for moment in ("kept", "now"):
        verdict, ruleset = report[moment], report["ruleset"][moment]
        console.print(f"{moment:>4}  [bold]{verdict['code']}[/bold]  [dim]{ruleset}[/dim]")
        console.print(f"      {verdict['text'][language]}", markup=False)
    if report["identical"]:
        console.print("[green]identique[/green]" if french else "[green]identical[/green]")
    else:
        console.print("[yellow]différent[/yellow]" if french else "[yellow]different[/yellow]")
    for finding in report["changed_findings"]:
        text = f"  {finding['rule']}: {finding['kept']} → {finding['now']}  "
        console.print(text + finding["text"][language], markup=False)

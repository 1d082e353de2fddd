"""Steps of a diagnosis as JSON, with the words people read."""

from __future__ import annotations

from cpe.profiles.wording import wording
from cpe.store.steps import StepSeen
from deployments.hub.models import Pending, RunLink, StepTaken, Words
from deployments.hub.services import Services
from deployments.hub.watch import Watched


def step_taken(seen: StepSeen) -> StepTaken:
    """One step."""
    text = wording().step(seen.step)
    return StepTaken(step=seen.step, at=seen.at, text=Words(fr=text.fr, en=text.en))


def pending(hub: Services, run: Watched) -> Pending:
    """Where to look for a diagnosis that is being made."""
    return Pending(
        id=run.run_id,
        run=run_link(hub, run.run_id),
        self_url=f"/devices/diagnoses/{run.run_id}",
        events_url=f"/devices/diagnoses/{run.run_id}/events",
        steps=[step_taken(seen) for seen in run.steps],
    )


def run_link(hub: Services, run_id: str) -> RunLink:
    """Where its run is looked at."""
    return RunLink(flow_run_id=run_id, url=hub.prefect.run_url(run_id))

"""Posting the page that people read in the Prefect UI."""

from __future__ import annotations

import asyncio
import hashlib
import re
from typing import Final
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import ArtifactCreate
from prefect.runtime import flow_run

PUBLISH_S: Final = 15.0


def artifact_key(serial: str) -> str:
    """The artifact key of a serial: stable, `[a-z0-9-]`, never shared by two boxes.

    Upper and lower case are one box; where anything else is lost, a digest tells them apart.
    """
    slug = re.sub(r"[^a-z0-9]+", "-", serial.lower()).strip("-")
    if slug == serial.lower():
        return f"diagnosis-{slug}"
    digest = hashlib.sha256(serial.encode()).hexdigest()[:8]
    return f"diagnosis-{slug}-{digest}" if slug else f"diagnosis-{digest}"


async def publish_report(serial: str, markdown: str, description: str) -> None:
    """Post the page as an artifact of the running flow; Prefect keeps the versions per key.

    Not a task run: that would cost Prefect more than what it tells of. Nor by the client's own
    helper, which has the server told twice that there is an artifact. Raises TimeoutError and
    whatever Prefect's client raises.
    """
    artifact = ArtifactCreate(
        type="markdown",
        key=artifact_key(serial),
        description=description,
        data=markdown,
        flow_run_id=UUID(flow_run.id),
    )
    body = artifact.model_dump(mode="json", exclude_unset=True)
    async with asyncio.timeout(PUBLISH_S), get_client() as client:
        await client.request("POST", "/artifacts/", json=body)

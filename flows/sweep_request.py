"""The parameters of `sweep-fleet`, as the Prefect form shows them and the command sends them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class SweepRequest(BaseModel):
    """Ce que le balayage peut faire de lui-même · What the sweep may do by itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    worst: int | None = Field(
        default=None,
        title="Diagnostics complets · Full diagnoses",
        description="Combien des pires boîtes diagnostiquer au complet ; vide : selon les réglages."
        " · How many of the worst boxes to diagnose in full; empty: as configured.",
        ge=0,
        le=200,
        json_schema_extra={"position": 0},
    )
    refresh: bool = Field(
        default=True,
        title="Rafraîchir · Refresh",
        description="Faire relire les boîtes douteuses dont les lectures sont trop anciennes. "
        "· Have doubtful boxes with stale readings read again.",
        json_schema_extra={"position": 1},
    )
    requested_by: str = Field(
        default="",
        title="Demandé par · Requested by",
        max_length=200,
        json_schema_extra={"position": 2},
    )

"""What people say about a swap. The first is also the form of the Prefect UI that starts one."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from cpe.domain.redaction import redact
from cpe.domain.serials import MAX_SERIAL_LENGTH, parse_serial
from cpe.domain.swap import Kind
from cpe.domain.swap_case import BenchResult

Serial = Annotated[
    str,
    Field(min_length=1, max_length=MAX_SERIAL_LENGTH + 16),
    AfterValidator(parse_serial),
]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=140)]
Remarks = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=2000), AfterValidator(redact)
]
Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=5, max_length=2000),
    AfterValidator(redact),
]
Pasted = Annotated[str, StringConstraints(strip_whitespace=True)]


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SwapRequest(_Said):
    """Échange d'une boîte · Swap of a box."""

    kind: Kind = Field(
        title="Genre d'échange · Kind of swap",
        description="remplacement_definitif : l'ancienne est défectueuse. swap_diagnostic : "
        "l'ancienne sera testée dans les 7 jours. retour_de_diagnostic : l'ancienne revient chez "
        "le client. · Replacement for good, diagnostic swap, or return of the tested unit.",
        json_schema_extra={"position": 0},
    )
    old_serial: Serial = Field(
        title="Boîte chez le client · Customer's unit",
        description="Numéro de série de la boîte à retirer (celle d'origine pour un retour). "
        "· Serial of the unit to be removed (the original one for a return).",
        json_schema_extra={"position": 1},
    )
    new_serial: Serial = Field(
        title="Boîte de remplacement · Replacement unit",
        description="Numéro de série de la boîte en inventaire qui la remplace. "
        "· Serial of the unit from stock that takes its place.",
        json_schema_extra={"position": 2},
    )
    requested_by: Name = Field(
        title="Technicien · Technician",
        description="Qui fait l'échange. · Who does the swap.",
        json_schema_extra={"position": 3},
    )
    reason: Remarks = Field(
        default="",
        title="Plainte ou motif · Complaint or reason",
        json_schema_extra={"position": 4},
    )
    diagnosis_id: Pasted | None = Field(
        default=None,
        max_length=64,
        title="Diagnostic · Diagnosis",
        description="Identifiant d'un diagnostic de cette boîte d'au plus 30 minutes ; sinon il "
        "en est fait un. · A diagnosis of this box, at most 30 minutes old; else one is made.",
        json_schema_extra={"position": 5},
    )
    customer: Pasted | None = Field(
        default=None,
        max_length=140,
        title="Client (ERPNext) · Customer",
        description="Facultatif : refusé si la boîte est à un autre client. "
        "· Optional: refused when the unit belongs to another customer.",
        json_schema_extra={"position": 6},
    )


class BenchAnswer(_Said):
    """What the bench said of the removed unit, and who says so."""

    result: BenchResult
    by: Name
    remarks: Remarks = ""


class Decision(StrEnum):
    """What becomes of a swap that the guard stopped."""

    OVERRIDE = "override"
    GIVE_UP = "give_up"


class OverrideAnswer(_Said):
    """What became of it, who answers for that, and why. Kept and counted."""

    decision: Decision
    by: Name
    reason: Reason

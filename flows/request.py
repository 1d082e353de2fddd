"""What a diagnosis is asked with: one model, which is also the form of the Prefect UI."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator

from cpe.domain.serials import MAX_SERIAL_LENGTH, parse_serial
from cpe.domain.snapshot import Request


def run_name(serial: str) -> str:
    """What a diagnosis of the box is called among the runs; who creates one may name it at once."""
    return f"diagnose {serial}"


class DiagnosisRequest(BaseModel):
    """Diagnostic d'une boîte · Diagnosis of one box."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    serial: str = Field(
        title="Numéro de série · Serial",
        description="Numéro de série TR-069, numéro GPON (TPLGB4D00744 ou hexadécimal) ou MAC. "
        "· TR-069 serial, GPON serial (TPLGB4D00744 or hex) or MAC.",
        min_length=1,
        max_length=MAX_SERIAL_LENGTH + 16,
        examples=["22275A7009001"],
        json_schema_extra={"position": 0},
    )
    speedtest: bool = Field(
        default=False,
        title="Test de débit · Speed test",
        description="Faire mesurer le débit par la boîte elle-même (TR-143). "
        "· Have the box itself measure its speed (TR-143).",
        json_schema_extra={"position": 1},
    )
    measured_mbps: float | None = Field(
        default=None,
        title="Débit mesuré par le client (Mbit/s) · Measured by the customer",
        ge=0,
        le=100_000,
        json_schema_extra={"position": 2},
    )
    plan_mbps: float | None = Field(
        default=None,
        title="Débit du forfait (Mbit/s) · Plan speed",
        gt=0,
        le=100_000,
        json_schema_extra={"position": 3},
    )
    requested_by: str = Field(
        default="",
        title="Demandé par · Requested by",
        max_length=200,
        json_schema_extra={"position": 4},
    )

    @field_validator("serial")
    @classmethod
    def _sendable(cls, value: str) -> str:
        return parse_serial(value)

    def to_domain(self) -> Request:
        """The same in the domain's terms."""
        return Request(
            serial=self.serial,
            speedtest=self.speedtest,
            measured_mbps=self.measured_mbps,
            plan_mbps=self.plan_mbps,
            requested_by=self.requested_by,
        )

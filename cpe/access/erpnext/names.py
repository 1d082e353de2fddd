"""What the operator's ERPNext calls things; `ErpSettings` fills it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ErpNames:
    """Doctypes and fields. `time_zone` is the site's, an IANA name."""

    equipment: str = "Service Equipment"
    serial: str = "serial_number"
    status: str = "status"
    customer: str = "customer"
    kind: str = "equipment_type"
    task: str = "Task"
    idem: str = "custom_idem_key"
    move_customer: bool = True
    time_zone: str = "America/Toronto"

"""Real parameter trees of ../shared/data/trees as GenieACS documents."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path
from typing import Any

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def document(file: str, identity: dict[str, str], read_at: datetime) -> dict[str, Any]:
    """The tree as if the ACS had read all of it at `read_at`."""
    stamp = read_at.isoformat().replace("+00:00", "Z")
    root: dict[str, Any] = {
        "_id": "OUI-Class-Serial",
        "_deviceId": identity,
        "_lastInform": stamp,
    }
    with (SHARED / "trees" / file).open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            node = root
            for step in row["parameter"].split("."):
                node = node.setdefault(step, {})
            if row["object"] == "true":
                node["_object"] = True
                continue
            node.update(_object=False, _value=_value(row), _type=row["type"], _timestamp=stamp)
    return root


def _value(row: dict[str, str]) -> Any:
    text = row["value"]
    if row["type"] in ("xsd:int", "xsd:unsignedInt") and text.lstrip("-").isdigit():
        return int(text)
    return text == "true" if row["type"] == "xsd:boolean" else text

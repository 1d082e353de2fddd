"""Every answer has every field of the design, of its type, whatever befell the box or its sources.

`SHAPE` is the design's "The answer" in Python: a set is an enumeration, a list holds any number, a
tuple is a choice, `TIME` is ISO-8601 UTC.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from cpe.domain.finding import Status
from cpe.domain.observation import Outcome, Quality, Source
from cpe.domain.snapshot import FreshnessOutcome, OntState, Request
from cpe.domain.verdict import CONSEQUENCES, Action, Code, SwapPermission
from cpe.rules.catalogue import RULES
from deployments.lab.serve import Lab, running_lab
from flows.conduct import as_function, diagnose
from tasks.clients import close_clients
from tests.contract.lab_tools import QUICK

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
RULE = {rule for rule, _ in RULES}
NUMBER = (int, float)
SCALAR = (str, int, float, bool, None)
TEXT = {"fr": str, "en": str}
SHAPE: dict[str, Any] = {
    "schema": {"cpe.diagnosis/1"},
    "id": str,
    "serial": str,
    "requested_at": TIME,
    "finished_at": TIME,
    "duration_ms": int,
    "device": {
        **dict.fromkeys(
            (
                "acs_id",
                "manufacturer",
                "model",
                "hardware",
                "firmware",
                "gpon_serial",
                "ip",
                "technology",
            ),
            (str, None),
        ),
        "tags": ([str], None),
        "acs_faults": ([{"code": str, "message": str, "at": (TIME, None)}], None),
    },
    "freshness": {
        "last_inform": (TIME, None),
        "age_s": (*NUMBER, None),
        "limit_s": NUMBER,
        "outcome": ({o.value for o in FreshnessOutcome}, None),
    },
    "interface": {
        "wan": {
            "status": (str, None),
            "connection": (str, None),
            "ip": (str, None),
            "uptime_s": (*NUMBER, None),
        },
        "lan": [{"port": str, "status": (str, None), "mbps": (*NUMBER, None)}],
    },
    "opticalStatus": {
        "rx_dbm": (*NUMBER, None),
        "tx_dbm": (*NUMBER, None),
        "olt_rx_dbm": (*NUMBER, None),
        "state": {s.value for s in OntState},
        "source": ({"acs", "bridge", "olt"}, None),
    },
    "wifi": {
        "radios": [
            {
                "band": (str, None),
                "channel": (int, None),
                "utilisation_pct": (*NUMBER, None),
                "noise_dbm": (*NUMBER, None),
                "enabled": (bool, None),
                "status": (str, None),
            }
        ],
        "clients": [
            {
                "mac": (str, None),
                "band": (str, None),
                "rssi_dbm": (*NUMBER, None),
                "rate_mbps": (*NUMBER, None),
            }
        ],
    },
    "mesh": {
        "nodes": [
            {
                "mac": (str, None),
                "name": (str, None),
                "role": ({"controller", "satellite"}, None),
                "backhaul": {
                    "type": (str, None),
                    "rssi_dbm": (*NUMBER, None),
                    "rate_mbps": (*NUMBER, None),
                    "utilisation_pct": (*NUMBER, None),
                },
                "active": (bool, None),
            }
        ]
    },
    "speedtest": (
        {
            "state": (str, None),
            "download_mbps": (*NUMBER, None),
            "bytes": (int, None),
            "duration_ms": (*NUMBER, None),
            "connections": (int, None),
            "measured_mbps": (*NUMBER, None),
            "at": (TIME, None),
        },
        None,
    ),
    "sources": [
        {
            "name": {s.value for s in Source},
            "outcome": {o.value for o in Outcome},
            "duration_ms": int,
            "detail": str,
        }
    ],
    "measurements": [
        {
            "name": str,
            "value": SCALAR,
            "unit": (str, None),
            "raw": SCALAR,
            "path": str,
            "conversion": (str, None),
            "source": {s.value for s in Source},
            "measured_at": (TIME, None),
            "age_s": (*NUMBER, None),
        }
    ],
    "findings": [
        {
            "rule": RULE,
            "status": {s.value for s in Status},
            "text": TEXT,
            "evidence": [
                {
                    "what": str,
                    "actual": SCALAR,
                    "expected": str,
                    "unit": (str, None),
                    "source": ({s.value for s in Source}, None),
                    "age_s": (*NUMBER, None),
                }
            ],
        }
    ],
    "verdict": {
        "code": {c.value for c in Code},
        "status": {s.value for s in Status},
        "action": {a.value for a in Action},
        "swap": {s.value for s in SwapPermission},
        "text": TEXT,
        "because": [RULE],
        "also": [{c.value for c in Code}],
        "not_evaluable": [{"rule": RULE, "reason": str}],
    },
    "ruleset": str,
    "run": {"flow_run_id": (str, None), "url": (str, None)},
}


def strays(value: Any, shape: Any, where: str = "$") -> list[str]:
    """Where a value is not of its shape. Top level and verdict are closed, rows may say more."""
    if isinstance(shape, tuple):
        found = [strays(value, choice, where) for choice in shape]
        return [] if not all(found) else [f"{where}: {value!r} is none of {shape}"]
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return [f"{where}: {value!r} is no object"]
        missing = [f"{where}.{key}: missing" for key in shape if key not in value]
        return missing + [
            stray
            for key, inner in shape.items()
            if key in value
            for stray in strays(value[key], inner, f"{where}.{key}")
        ]
    if isinstance(shape, list):
        if not isinstance(value, list):
            return [f"{where}: {value!r} is no list"]
        rows = enumerate(value)
        return [s for n, row in rows for s in strays(row, shape[0], f"{where}[{n}]")]
    return [] if _fits(value, shape) else [f"{where}: {value!r} is no {shape}"]


def _fits(value: Any, shape: Any) -> bool:
    if shape is None:
        return value is None
    if isinstance(shape, set):
        return value in shape
    if isinstance(shape, re.Pattern):
        return isinstance(value, str) and shape.fullmatch(value) is not None
    if shape is float and isinstance(value, float):
        return math.isfinite(value)
    return type(value) is shape


def check(answer: dict[str, Any]) -> None:
    """Shape, and what must hold between the fields of any answer."""
    assert strays(json.loads(json.dumps(answer, allow_nan=False)), SHAPE) == []
    assert set(answer) == set(SHAPE)
    assert set(answer["verdict"]) == set(SHAPE["verdict"])
    verdict, findings = answer["verdict"], answer["findings"]
    code = Code(verdict["code"])
    assert (verdict["action"], verdict["swap"]) == CONSEQUENCES[code]
    assert code not in verdict["also"]
    assert [f["rule"] for f in findings] == [rule for rule, _ in RULES]
    assert verdict["because"], "a verdict is because of something"
    unknown = [f["rule"] for f in findings if f["status"] == "unknown"]
    assert [n["rule"] for n in verdict["not_evaluable"]] == unknown
    assert all(n["reason"] for n in verdict["not_evaluable"])
    assert {s["name"] for s in answer["sources"]} == {s.value for s in Source}
    assert answer["requested_at"] <= answer["finished_at"]
    for text in (verdict["text"], *(f["text"] for f in findings)):
        assert text["fr"]
        assert text["en"]
        assert "{" not in text["fr"] + text["en"]
    for reading in answer["measurements"]:
        assert (reading["value"] is None) or reading["quality"] in (Quality.OK, Quality.STALE)
    assert "CANARY" not in json.dumps(answer)


async def ask(serial: str, **options: Any) -> dict[str, Any]:
    run: dict[str, str | None] = {"flow_run_id": None, "url": None}
    reached = await diagnose(Request(serial, **options), str(uuid.uuid4()), run, as_function)
    check(reached.answer)
    return reached.answer


@pytest.fixture
async def lab(tmp_path, monkeypatch) -> AsyncIterator[Lab]:
    """Sixty healthy boxes with short waits; the environment points at them."""
    async with running_lab(devices=60, folder=tmp_path, tour=False, timing=QUICK) as running:
        for name, value in running.exports().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("CPE_DATABASE_URL", f"sqlite:///{tmp_path / 'cpe.db'}")
        monkeypatch.delenv("CPE_BRIDGE_PASSWORD")  # its answers are held in test_conduct_bridge
        # On whatever machine this is; a test that has nobody to wait for waits less.
        monkeypatch.setenv("CPE_OLT_LOOKUP_S", "60")
        monkeypatch.setenv("CPE_ACS_TIMEOUT_S", "60")
        yield running
        await close_clients()


@pytest.mark.parametrize(
    ("value", "shape", "stray"),
    [
        ({}, {"a": str}, "$.a: missing"),
        ({"a": True}, {"a": int}, "$.a: True is no"),
        ({"a": "0"}, {"a": (int, None)}, "$.a: '0' is none of"),
        ({"a": [{"b": "x"}]}, {"a": [{"b": {"y"}}]}, "$.a[0].b: 'x' is no"),
        ({"a": "2026-11-23T22:00:00+00:00"}, {"a": TIME}, "$.a: "),
        ({"a": math.nan}, {"a": float}, "$.a: nan is no"),
        ({"a": None}, {"a": {"b": str}}, "$.a: None is no object"),
    ],
)
def test_a_stray_value_is_noticed(value, shape, stray):
    [found] = strays(value, shape)
    assert found.startswith(stray)


SCENARIOS = (
    "healthy", "healthy-stale", "operator-firmware", "never-read", "weak-fibre", "overload",
    "fibre-cut", "power-off", "wifi-congested", "mesh-weak-backhaul", "mesh-node-down",
    "client-weak", "silent", "silent-refused", "task-faulted", "no-effect", "missing-optics",
    "sentinel-optics", "radio-down", "laser-out-of-class", "wan-down", "duplicate-serial",
    "deactivated",
)  # fmt: skip


async def test_whatever_befell_the_box_the_answer_is_whole(lab):
    tplinks = [who.serial for who in lab.plant.identities if who.serial.startswith("LAB")]
    chosen = dict(zip(SCENARIOS, tplinks, strict=False))
    assert len(chosen) == len(SCENARIOS)
    for scenario, serial in chosen.items():
        lab.set_scenario(serial, scenario)
    answers = await asyncio.gather(*(ask(serial) for serial in chosen.values()))
    codes = {answer["verdict"]["code"] for answer in answers}
    assert codes >= {"healthy", "fibre_weak", "fibre_cut", "power_off", "hardware_fault"}


@pytest.mark.parametrize("family", ["huawei", "zte", "nokia"])
async def test_every_family_gives_the_same_shape(lab, family):
    serial = next(who.serial for who in lab.plant.identities if family in str(who.family))
    assert (await ask(serial))["device"]["manufacturer"]


async def test_a_serial_that_nobody_knows_gives_a_whole_answer(lab):
    for serial in ("NOBODY", "TPLGFFFFFFF0"):
        answer = await ask(serial)
        assert answer["verdict"]["code"] == "not_found"
        assert answer["opticalStatus"]["state"] == "unknown"
        assert answer["interface"]["wan"] == dict.fromkeys(answer["interface"]["wan"])


async def test_with_everything_down_nothing_is_zero(lab, monkeypatch):
    monkeypatch.setenv("CPE_OLT_LOOKUP_S", "1.5")
    await lab.set_fault("acs", "down", delay_s=1.0, times=None)
    await lab.set_fault("olt:*", "silent", delay_s=1.0, times=None)
    answer = await ask("TPLGB4039BB8", measured_mbps=12.5, speedtest=True)
    assert answer["verdict"]["code"] == "inconclusive"
    assert answer["freshness"]["outcome"] == "unreachable"
    assert answer["measurements"] == []
    assert {v for v in answer["opticalStatus"].values() if v != "unknown"} == {None}
    assert answer["speedtest"]["measured_mbps"] == 12.5
    assert answer["speedtest"]["download_mbps"] is None


@pytest.mark.parametrize("fault", ["http500", "html", "truncated", "hang"])
async def test_an_acs_in_trouble_leaves_the_shape_alone(lab, monkeypatch, fault):
    if fault == "hang":
        monkeypatch.setenv("CPE_ACS_TIMEOUT_S", "1")
    await lab.set_fault("acs", fault, delay_s=1.0, times=None)
    answer = await ask(lab.plant.identities[0].gpon_serial)
    assert answer["freshness"]["outcome"] == "unreachable"
    assert answer["verdict"]["code"] == "inconclusive"
    assert answer["opticalStatus"]["state"] == "online"


async def test_nothing_configured_is_an_answer_too(monkeypatch, tmp_path):
    monkeypatch.setenv("CPE_DATABASE_URL", "postgresql://nobody:CANARY@127.0.0.1:1/none")
    answer = await ask("LAB0001", plan_mbps=500.0)
    await close_clients()
    outcomes = {s["name"]: s["outcome"] for s in answer["sources"]}
    assert (outcomes["acs"], outcomes["olt"], outcomes["history"]) == (
        "skipped",
        "skipped",
        "error",
    )

"""The lab's own API: scenarios, whole-system faults, counters."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

from aiohttp import web

from deployments.lab import snmp_agent, web_server
from deployments.lab.identity import olt_name, olt_vendor
from deployments.lab.plant import LabRefusedError
from deployments.lab.scenarios import SCENARIOS
from deployments.lab.web_server import Trouble

if TYPE_CHECKING:
    from deployments.lab.serve import Lab

_PAGE = 1000


class Control:
    """Handlers of `/lab/…`."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Any request; what is refused answers 400 with one line."""
        parts = [unquote(p) for p in request.raw_path.partition("?")[0].strip("/").split("/")]
        try:
            return web.json_response(await self._route(request, parts))
        except LabRefusedError as refused:
            return web.json_response({"error": str(refused)}, status=400)
        except LookupError:
            return web.json_response({"error": "not found"}, status=404)

    async def _route(self, request: web.Request, parts: list[str]) -> object:
        if parts[0] != "lab":
            raise LookupError(request.path)
        if request.method == "POST":
            return await self._post(parts[1:], await _body(request))
        if len(parts) == 3 and parts[1] == "devices":
            return describe(self._lab, parts[2])
        lab = self._lab
        if len(parts) == 4 and (parts[1], parts[3]) == ("devices", "modem"):
            return self._modem(parts[2])
        pages: dict[str, Callable[[], object]] = {
            "devices": lambda: self._devices(request),
            "scenarios": lambda: [scenario.as_json() for scenario in SCENARIOS.values()],
            "tour": lambda: [asdict(stop) for stop in lab.tour()],
            "exports": lab.exports,
            "stats": lab.stats,
        }
        return pages["/".join(parts[1:])]()

    async def _post(self, parts: list[str], body: dict[str, Any]) -> object:
        lab = self._lab
        if len(parts) == 3 and (parts[0], parts[2]) == ("devices", "scenario"):
            since = float(body.get("since_s") or 0)
            lab.set_scenario(parts[1], _text(body, "scenario"), since_s=since)
            return describe(lab, parts[1])
        if len(parts) == 3 and (parts[0], parts[2]) == ("devices", "modem"):
            lab.modems.state(parts[1]).mischief.change(body)
            return self._modem(parts[1])
        if parts == ["install"]:
            lab.plant.install(_text(body, "old"), _text(body, "new"))
            return describe(lab, _text(body, "new"))
        if parts == ["faults"]:
            return await self._fault(body)
        raise LookupError("/".join(parts))

    def _devices(self, request: web.Request) -> list[dict[str, object]]:
        start = int(request.query.get("start", "0"))
        limit = int(request.query.get("limit", str(_PAGE)))
        chosen = self._lab.plant.identities[start : start + limit]
        return [describe(self._lab, who.serial) for who in chosen]

    def _modem(self, serial: str) -> dict[str, object]:
        return self._lab.modems.state(serial).as_json(self._lab.plant.clock())

    async def _fault(self, body: dict[str, Any]) -> object:
        times = body.get("times")
        delay_s = float(body.get("delay_s") or 1.0)
        await self._lab.set_fault(
            _text(body, "system"), _text(body, "fault"), delay_s=delay_s,
            times=int(times) if times is not None else None,
        )  # fmt: skip
        return {"system": body["system"], "fault": body["fault"]}


async def set_fault(lab: Lab, system: str, fault: str, times: int | None, delay_s: float) -> None:
    """Trouble one system, or every OLT (`olt:*`). Raises LabRefusedError when it cannot be."""
    if system.startswith("olt:"):
        agents = {agent.name: agent for agent in lab.agents}
        name = system.removeprefix("olt:")
        if name not in {*agents, "*"}:
            raise LabRefusedError(f"no OLT {name!r}; there are {', '.join(agents)}")
        _allow(fault, snmp_agent.FAULTS)
        for agent in agents.values() if name == "*" else [agents[name]]:
            await agent.set_trouble(Trouble(fault, times, delay_s))
        return
    servers = {"acs": lab.acs, "erp": lab.erp, "modem": lab.modem}
    if system not in servers:
        raise LabRefusedError(f"no system {system!r}; there are acs, erp, modem and olt:<name>")
    extra = {"http429", "lost_answer"} if system == "erp" else set[str]()
    _allow(fault, web_server.FAULTS | extra)
    await servers[system].set_trouble(Trouble(fault, times, delay_s))


def _allow(fault: str, allowed: set[str]) -> None:
    if fault not in allowed:
        raise LabRefusedError(f"no fault {fault!r}; there are {', '.join(sorted(allowed))}")


def describe(lab: Lab, serial: str) -> dict[str, object]:
    """One device as the lab knows it."""
    plant = lab.plant
    index = plant.index_of(serial)
    who, where, state = plant.identities[index], plant.place(index), plant.peek(index)
    scenario = SCENARIOS[state.scenario if state is not None else "healthy-stale"]
    return {
        "serial": who.serial, "gpon_serial": who.gpon_serial, "mac": who.mac,
        "acs_id": who.acs_id, "family": who.family, "scenario": scenario.id,
        "expected": scenario.expected,
        "olt": olt_name(where.olt) if where else None,
        "olt_profile": olt_vendor(where.olt) if where else None,
        "pon": where.pon if where else None, "ont": where.ont if where else None,
        "reachable": plant.conditions(index).reachable,
    }  # fmt: skip


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body: object = json.loads(await request.text() or "{}")
    except json.JSONDecodeError:
        raise LabRefusedError("the body is no JSON") from None
    if not isinstance(body, dict):
        raise LabRefusedError("the body is no object")
    return cast("dict[str, Any]", body)


def _text(body: dict[str, Any], key: str) -> str:
    value = body.get(key)
    if not isinstance(value, str) or not value:
        raise LabRefusedError(f"{key} is missing")
    return value

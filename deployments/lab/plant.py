"""The plant: N boxes, some OLTs, and the truth about each. Pure; speaks no protocol.

Boxes are functions of (seed, index); only a box that was touched has state. The clock is given.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import cast

from deployments.lab.box_state import ALWAYS, BoxState, LabRefusedError, swapped
from deployments.lab.diagnostics import Download
from deployments.lab.identity import (
    base_conditions,
    default_pon_size,
    identity,
    olt_vendor,
    placement,
)
from deployments.lab.ont import GHOSTS, Ont, ghost_ont, ont_of
from deployments.lab.scenarios import (
    BACKGROUND,
    SCENARIOS,
    TOUR_INDICES,
    Scenario,
    Stop,
)
from deployments.lab.truth import (
    DAY_S,
    MINUTE_S,
    Caller,
    Conditions,
    Link,
    Placement,
    PonEvent,
    dice,
)


@dataclass(frozen=True, slots=True)
class _PonFault:
    event: PonEvent
    since: float
    subject: int


class Plant:
    """The truth. Every system of the lab reads it and none keeps its own."""

    def __init__(
        self,
        devices: int = 60,
        seed: int = 1,
        *,
        spares: int = 10,
        pon_size: int | None = None,
        fault_share: float = 0.0,
        olts: int = 3,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if devices < 1:
            raise LabRefusedError("a plant has at least one device")
        if olts < 3:
            raise LabRefusedError("a plant has at least three OLTs, one of each make")
        self.seed, self.devices, self.clock, self.olts = seed, devices, clock, olts
        self.started_at = clock()
        self.pon_size = pon_size or default_pon_size(devices)
        self.identities = [identity(seed, index) for index in range(devices)]
        self.identities += [
            identity(seed, devices + number, spare=number + 1) for number in range(spares)
        ]
        self.membership = 0
        """Moves whenever an ONT appears at or vanishes from an OLT."""
        self._index = self._names()
        self._states: dict[int, BoxState] = {}
        self._base: dict[int, Conditions] = {}
        self._pon_faults: dict[tuple[int, int], _PonFault] = {}
        self._moved: dict[int, Placement | None] = {}
        self._on_change: list[Callable[[int], None]] = []
        self._gathered: tuple[int, dict[int, list[tuple[Placement, int]]]] | None = None
        for index in range(devices, devices + spares):
            self.state(index).conditions = replace(
                self.ordinary(index), plugged=False, known_to_acs=False, known_to_olt=False
            )
        if fault_share > 0:
            self._spread_faults(fault_share)

    def _names(self) -> dict[str, int]:
        names: dict[str, int] = {}
        for who in self.identities:
            names[who.mac] = who.index
            names[who.gpon_serial] = who.index
            names[who.gpon_serial[:4].encode().hex().upper() + who.gpon_serial[4:]] = who.index
            names[who.acs_id] = who.index
            names[who.serial] = who.index
        return names

    def _spread_faults(self, share: float) -> None:
        reserved = {index for index, _ in TOUR_INDICES}
        for index in range(60, self.devices):
            if index in reserved or dice(self.seed, index, 20) >= share:
                continue
            scenario = SCENARIOS[BACKGROUND[int(dice(self.seed, index, 21) * len(BACKGROUND))]]
            if not self._mismatch(index, scenario):
                self._apply(index, scenario, 3 * DAY_S * dice(self.seed, index, 22))

    # -- who and where

    def find(self, name: str) -> int | None:
        """The index of a serial, GPON serial (either notation), MAC or ACS id."""
        return self._index.get(name)

    def index_of(self, serial: str) -> int:
        """As find, but raises LabRefusedError."""
        index = self.find(serial)
        if index is None:
            raise LabRefusedError(f"the lab has no device {serial!r}")
        return index

    def place(self, index: int) -> Placement | None:
        """Where the box hangs; None for a box on a shelf."""
        if index in self._moved:
            return self._moved[index]
        return placement(index, self.pon_size, self.olts) if index < self.devices else None

    def state(self, index: int) -> BoxState:
        """The box's memory, made when first touched."""
        return self._states.setdefault(index, BoxState())

    def peek(self, index: int) -> BoxState | None:
        """The box's memory if it has any."""
        return self._states.get(index)

    # -- what is so

    def ordinary(self, index: int) -> Conditions:
        """The box when nothing befalls it."""
        found = self._base.get(index)
        if found is None:
            found = self._base[index] = base_conditions(self.seed, self.identities[index])
        return found

    def conditions(self, index: int) -> Conditions:
        """The truth now, what befell the PON included."""
        own = self._own(index)
        if not self._pon_faults:
            return own
        fault = self._pon_fault(index)
        if fault is None or fault.event is PonEvent.CHURN or own.link is not Link.ONLINE:
            return own
        link = Link.FEEDER_LOS if fault.event is PonEvent.FEEDER_CUT else Link.DYING_GASP
        return replace(own, link=link, caller=Caller.HANGS)

    def _own(self, index: int) -> Conditions:
        state = self._states.get(index)
        return (state.conditions if state is not None else None) or self.ordinary(index)

    def conditions_at(self, index: int, epoch_s: float) -> Conditions:
        """The truth as it was: before its scenario began a box was an ordinary one."""
        state = self._states.get(index)
        if state is None or state.conditions is None:
            return self.ordinary(index)
        if epoch_s >= state.since:
            return state.conditions
        before = self.ordinary(index)
        now = state.conditions
        return replace(
            before,
            operator_firmware=now.operator_firmware,
            optics=now.optics,
            neighbours=now.neighbours,
        )

    def since(self, index: int) -> float:
        """When what befalls the box now began; minus infinity for an ordinary box."""
        fault = self._pon_fault(index) if self._pon_faults else None
        state = self._states.get(index)
        own = state.since if state is not None else ALWAYS
        dead = state is not None and state.conditions is not None and not state.conditions.reachable
        if fault is None or fault.event is PonEvent.CHURN or dead:
            return own
        jitter = 1.5 * dice(self.seed, index, 23)
        return max(own, fault.since + jitter) if own != ALWAYS else fault.since + jitter

    def booted_at(self, index: int) -> float:
        """When the box last booted."""
        truth, state = self.conditions(index), self._states.get(index)
        if truth.reboot_every_s:
            elapsed = (self.clock() - self.started_at + 40.0) % truth.reboot_every_s
            return self.clock() - elapsed
        if state is not None and state.booted_at is not None:
            return state.booted_at
        return self.started_at - DAY_S * (1 + 29 * dice(self.seed, index, 24))

    def _pon_fault(self, index: int) -> _PonFault | None:
        where = self.place(index)
        return self._pon_faults.get((where.olt, where.pon)) if where is not None else None

    # -- what the OLTs see

    def onts(self, olt: int) -> Iterator[tuple[Placement, int]]:
        """Every registered ONT of an OLT: where, and its index (negative for a ghost)."""
        for where, index in self._installed().get(olt, ()):
            state = self._states.get(index)
            if state is None or state.conditions is None or state.conditions.known_to_olt:
                yield where, index
        for (olt_number, pon), fault in self._pon_faults.items():
            if olt_number == olt and fault.event is PonEvent.CHURN:
                for number in range(GHOSTS):
                    yield Placement(olt, pon, 100 + number), -1 - number

    def _installed(self) -> dict[int, list[tuple[Placement, int]]]:
        """Every box that hangs somewhere, by OLT; gathered once for all of them."""
        if self._gathered is None or self._gathered[0] != self.membership:
            found: dict[int, list[tuple[Placement, int]]] = {}
            for index in range(len(self.identities)):
                if (where := self.place(index)) is not None:
                    found.setdefault(where.olt, []).append((where, index))
            self._gathered = (self.membership, found)
        return self._gathered[1]

    def ont(self, index: int, where: Placement) -> Ont:
        """The ONT at that place as physics has it."""
        if index < 0:
            return ghost_ont(where, self.started_at)
        return ont_of(self.identities[index], self.conditions(index), self, where)

    # -- what befalls

    def set_scenario(self, serial: str, scenario_id: str, *, since_s: float = 0.0) -> Scenario:
        """Let a scenario befall a box, `since_s` seconds ago. Raises LabRefusedError."""
        scenario = SCENARIOS.get(scenario_id)
        if scenario is None:
            raise LabRefusedError(f"the lab has no scenario {scenario_id!r}")
        index = self.index_of(serial)
        if mismatch := self._mismatch(index, scenario):
            raise LabRefusedError(mismatch)
        self._apply(index, scenario, since_s)
        return scenario

    def _mismatch(self, index: int, scenario: Scenario) -> str:
        where = self.place(index)
        if where is None:
            return f"{self.identities[index].serial} is on a shelf; install it first"
        if scenario.tplink_only and not self.identities[index].is_tplink:
            return f"{scenario.id} needs a TP-Link, {self.identities[index].serial} is none"
        vendor = olt_vendor(where.olt)
        if vendor not in scenario.olts:
            return f"{scenario.id} cannot be told by the {vendor} OLT of this box"
        return ""

    def _apply(self, index: int, scenario: Scenario, since_s: float) -> None:
        state = self.state(index)
        visible = self._visible(index)
        base = self.ordinary(index)
        changes = cast("dict[str, object]", dict(scenario.changes))
        state.conditions = replace(base, **changes)  # type: ignore[arg-type]
        state.scenario, state.since = scenario.id, self.clock() - since_s
        state.booted_at, state.boots_until = None, 0.0
        state.values.clear()
        state.download = Download()
        for key in [key for key, f in self._pon_faults.items() if f.subject == index]:
            del self._pon_faults[key]
        where = self.place(index)
        if scenario.pon and where:
            self._pon_faults[where.olt, where.pon] = _PonFault(scenario.pon, state.since, index)
        self.membership += visible != self._visible(index)
        self.changed(index)

    def _visible(self, index: int) -> tuple[bool, int]:
        churns = sum(f.event is PonEvent.CHURN for f in self._pon_faults.values())
        return self.conditions(index).known_to_olt, churns

    def install(self, old: str, new: str) -> None:
        """The box `new` takes the place of `old`, which goes on a shelf."""
        old_index, new_index = self.index_of(old), self.index_of(new)
        where = self.place(old_index)
        if where is None or self.place(new_index) is not None:
            raise LabRefusedError(f"{old} must be installed and {new} on a shelf")
        self._moved[old_index], self._moved[new_index] = None, where
        removed, fitted = swapped(self._own(old_index), self._own(new_index))
        for index, conditions in ((old_index, removed), (new_index, fitted)):
            state = self.state(index)
            state.conditions, state.since = conditions, self.clock()
        self.state(new_index).booted_at = self.clock()
        self.membership += 1
        self.changed(old_index)
        self.changed(new_index)

    def on_change(self, listener: Callable[[int], None]) -> None:
        """Call `listener(index)` whenever what befalls a box changes."""
        self._on_change.append(listener)

    def changed(self, index: int) -> None:
        """Tell the listeners."""
        for listener in self._on_change:
            listener(index)

    # -- the tour

    def start_tour(self) -> None:
        """Let every stop of the tour happen: faults of long standing, deaths of minutes ago."""
        for index, scenario in TOUR_INDICES:
            if index < self.devices and not self._mismatch(index, scenario):
                self._apply(index, scenario, 4 * MINUTE_S if scenario.dead else DAY_S)

    def tour(self) -> list[Stop]:
        """The stops this plant is large enough for."""
        return [
            Stop(self.identities[index].serial, scenario.id, scenario.expected)
            for index, scenario in TOUR_INDICES
            if index < self.devices
        ]

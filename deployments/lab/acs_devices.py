"""What the ACS has of each box: documents made on demand from truth, time and what was read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from deployments.lab.acs_document import Writer
from deployments.lab.acs_projection import Projection
from deployments.lab.acs_query import Doc, Query
from deployments.lab.acs_record import Record, template_of
from deployments.lab.diagnostics import Download
from deployments.lab.identity import Identity
from deployments.lab.parameters import Box, Getter, Leaf, Shape, Template, shape_of
from deployments.lab.plant import Plant
from deployments.lab.truth import (
    DAY_S,
    HOUR_S,
    INFORM_INTERVAL_S,
    Conditions,
    Knowledge,
    dice,
)

_READ_EVERY_S: Final = 6 * HOUR_S
_YOUNGEST_READ_S: Final = 900.0
_TWIN: Final = {"oui": "9CA2F4", "product_class": "XX230v"}


class AcsDevices:
    """GenieACS's `devices` collection. Keys are box numbers; a twin's key is −1 − number."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self._records: dict[int, Record] = {}
        self._virtual: dict[str, Leaf] = {}
        self._templates: dict[Shape, Template] = {}
        plant.on_change(self._forget_reads)

    def set_virtual_parameter(self, name: str, script: Getter, kind: str = "string") -> None:
        """A virtual parameter: its script runs in the session that reads it, for every box.

        The document holds its last value below `VirtualParameters`, with the session's time.
        """
        path = f"VirtualParameters.{name}"
        self._virtual[path] = Leaf(path, kind, True, script)
        self._templates.clear()

    def forget_virtual_parameters(self) -> None:
        """None is defined any more."""
        self._virtual.clear()
        self._templates.clear()

    def template(self, shape: Shape) -> Template:
        """The parameter model of a shape, virtual parameters included."""
        plain = template_of(shape)
        if not self._virtual:
            return plain
        if shape not in self._templates:
            leaves = plain.leaves | self._virtual
            self._templates[shape] = Template(leaves, plain.inform, plain.tests, plain.complete)
        return self._templates[shape]

    def _forget_reads(self, index: int) -> None:
        record = self._records.get(index)
        if record is not None:
            self._records[index] = Record(tags=record.tags, registered=record.registered)

    def record(self, key: int) -> Record:
        """The box's record, made when first touched."""
        return self._records.setdefault(key, Record())

    def forget(self, key: int) -> None:
        """Remove a device; it comes back, newly registered, at its next inform."""
        back = self.next_tick(key) if key >= 0 else float("inf")
        self._records[key] = Record(forgotten=True, registered=back, absent_until=back)

    # -- which

    def keys(self) -> Iterator[int]:
        """Every key, in natural order."""
        for index in range(len(self.plant.identities)):
            yield from self._of(index)

    def _of(self, index: int) -> Iterator[int]:
        truth = self.plant.conditions(index)
        record = self._records.get(index)
        absent = record is not None and record.absent_until > self.plant.clock()
        if truth.known_to_acs and not absent:
            yield index
        if truth.twin:
            yield -1 - index

    def candidates(self, query: Query | None) -> Iterator[int]:
        """Keys that may match: few when the query names boxes, else all."""
        if query is None or query.names is None:
            yield from self.keys()
            return
        found = {self.plant.find(name) for name in query.names}
        found |= {self._twin_of(name) for name in query.names}
        for index in sorted(index for index in found if index is not None):
            yield from self._of(index)

    def _twin_of(self, name: str) -> int | None:
        prefix = f"{_TWIN['oui']}-{_TWIN['product_class']}-"
        if not name.startswith(prefix):
            return None
        return self.plant.find(f"1C61B4-Device2-{name.removeprefix(prefix)}")

    def resolve(self, acs_id: str) -> int | None:
        """The key of an `_id`, None when the ACS has no such device."""
        index = self.plant.find(acs_id)
        if index is None:
            index = self._twin_of(acs_id)
        if index is None:
            return None
        return next((key for key in self._of(index) if self.who(key).acs_id == acs_id), None)

    def who(self, key: int) -> Identity:
        """Whose document this is."""
        if key >= 0:
            return self.plant.identities[key]
        return replace(self.plant.identities[-1 - key], **_TWIN)

    # -- when

    def last_inform(self, key: int) -> float:
        """The start of the last session, periodic ones included, as Unix time."""
        if key < 0:
            return self.plant.started_at - 40 * DAY_S
        truth, record = self.plant.conditions(key), self._records.get(key)
        tick = self.tick_before(key, self._silent_since(key, truth), truth)
        tick = max(tick, self.plant.booted_at(key) if truth.reboot_every_s else 0.0)
        return max(tick, record.last_session if record is not None else 0.0)

    def _silent_since(self, key: int, truth: Conditions) -> float:
        now, state = self.plant.clock(), self.plant.peek(key)
        if truth.reachable and truth.inform_interval_s:
            rebooting = state is not None and state.boots_until > now
            return state.booted_at or now if rebooting and state is not None else now
        return min(now, max(self.plant.since(key), 0.0) or now)

    def tick_before(self, key: int, moment: float, truth: Conditions) -> float:
        """The box's last periodic inform at or before a moment."""
        every = truth.inform_interval_s or INFORM_INTERVAL_S
        phase = every * dice(self.plant.seed, key, 40)
        return moment - (moment - phase) % every

    def next_tick(self, key: int) -> float:
        """The box's next periodic inform."""
        truth, now = self.plant.conditions(key), self.plant.clock()
        every = truth.inform_interval_s or INFORM_INTERVAL_S
        return self.tick_before(key, now, truth) + every

    def read_at(self, key: int, last_inform: float, knowledge: Knowledge) -> float:
        """When the ACS last read what an Inform does not carry, before any task."""
        if knowledge is Knowledge.EACH_INFORM:
            return last_inform + 0.005
        offset = _READ_EVERY_S * dice(self.plant.seed, key, 41)
        # Of the reads of its rhythm the last one old enough: a stamp does not move with the clock.
        old_enough = self.plant.clock() - _YOUNGEST_READ_S
        return min(old_enough - (old_enough + offset) % _READ_EVERY_S, last_inform)

    # -- documents

    def document(self, key: int, projection: Projection | None) -> Doc:
        """The document, or the projected part of it."""
        return Writer(self, key).write(projection)

    def box(self, key: int, moment: float | None = None) -> Box:
        """The box now, or as it was."""
        index = key if key >= 0 else -1 - key
        plant, state = self.plant, self.plant.peek(index)
        now = plant.clock()
        truth = plant.conditions(index) if moment is None else plant.conditions_at(index, moment)
        download = state.download if state is not None else Download()
        return Box(
            self.who(key), truth, moment if moment is not None else now, plant.booted_at(index),
            download, f"100.{64 + (index >> 16)}.{index >> 8 & 255}.{index & 255}",
            state.values if state is not None else {},
        )  # fmt: skip

    def shape(self, key: int) -> Shape:
        """What parameters the box has now, whatever the ACS knows of them."""
        index = key if key >= 0 else -1 - key
        return shape_of(self.who(key), self.plant.conditions(index))

    def has(self, key: int) -> Record | None:
        """The record, if any session left one."""
        return self._records.get(key)

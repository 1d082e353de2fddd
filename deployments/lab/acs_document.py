"""One device document, written on demand: what the ACS knows of each parameter, and since when."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

from deployments.lab.acs_projection import Projection
from deployments.lab.acs_query import Doc
from deployments.lab.acs_record import Record
from deployments.lab.parameters import Box, Leaf, Value, read, shape_of
from deployments.lab.truth import DAY_S, IsoDate, Knowledge

if TYPE_CHECKING:
    from deployments.lab.acs_devices import AcsDevices

_TOP: Final = ("_deviceId", "_registered", "_lastInform", "_lastBoot", "_lastBootstrap", "_tags")


class Writer:
    """Writes one document."""

    def __init__(self, devices: AcsDevices, key: int) -> None:
        self._devices, self._key = devices, key
        self._record = devices.has(key) or Record()
        self._box = devices.box(key)
        self._informed = devices.last_inform(key)
        self._inform_stamp = IsoDate.at(self._informed + 0.001)
        knowledge = self._box.truth.knowledge if key >= 0 else Knowledge.INFORM_ONLY
        self.all_known = knowledge is not Knowledge.INFORM_ONLY and not self._record.forgotten
        self._read_at = devices.read_at(key, self._informed, knowledge)
        self._read_stamp = IsoDate.at(self._read_at)
        self._then: Box | None = None
        index = key if key >= 0 else -1 - key
        truth = devices.plant.conditions_at(index, self._read_at)
        self._as_listed = devices.template(shape_of(self._box.who, truth))
        listed = self._record.listed if self._record.listed_at >= self._read_at else None
        self.template = devices.template(listed) if listed is not None else self._as_listed
        """What the ACS knows that there is: rows that came since are in no document."""

    def write(self, projection: Projection | None) -> Doc:
        """The document."""
        doc: Doc = {"_id": self._box.who.acs_id}
        for name in _TOP:
            wanted = True if projection is None else projection.get(name)
            if wanted is not None and (value := self._top(name)) is not None:
                if wanted is not True and isinstance(value, dict):
                    value = {k: v for k, v in cast("Doc", value).items() if k in wanted}
                doc[name] = value
        for root, node in self.template.tree.items():
            wanted = True if projection is None else projection.get(root)
            if wanted is not None:
                doc[root] = self._object(root, cast("dict[str, object]", node), wanted) or {}
        return doc

    def _top(self, name: str) -> object:
        who, record = self._box.who, self._record
        if name == "_deviceId":
            return {
                "_Manufacturer": who.manufacturer, "_OUI": who.oui,
                "_ProductClass": who.product_class, "_SerialNumber": who.serial,
            }  # fmt: skip
        if name == "_tags":
            return record.tags
        if name == "_lastInform":
            return IsoDate.at(self._informed)
        registered = record.registered or self._devices.plant.started_at - 400 * DAY_S
        if name == "_registered":
            return IsoDate.at(registered)
        if name == "_lastBootstrap":
            if record.registered is not None and record.bootstrapped is None:
                return None
            return IsoDate.at(record.bootstrapped or registered)
        if record.registered is not None and record.booted is None:
            return None
        return IsoDate.at(record.booted or self._box.booted_at)

    def _object(self, path: str, node: dict[str, object], wanted: Any) -> Doc | None:
        found: Doc = {}
        whole = wanted is True
        if whole:
            for name, child in node.items():
                self._child(found, f"{path}.{name}", name, child, True)
            if found:
                self._object_meta(found, path)
        else:
            for name, part in wanted.items():
                if name in node:
                    self._child(found, f"{path}.{name}", name, node[name], part)
                elif name.startswith("_"):
                    meta: Doc = {}
                    self._object_meta(meta, path)
                    if name in meta:
                        found[name] = meta[name]
        return found if found or (not whole and self._exists(path)) else None

    def _child(self, found: Doc, path: str, name: str, child: object, wanted: Any) -> None:
        if isinstance(child, Leaf):
            entry = self.leaf(child)
            if entry is not None:
                found[name] = (
                    entry if wanted is True else {k: v for k, v in entry.items() if k in wanted}
                )
            return
        below = self._object(path, cast("dict[str, object]", child), wanted)
        if below is not None:
            found[name] = below

    def _object_meta(self, found: Doc, path: str) -> None:
        found["_object"] = True
        listed = self._record.objects.get(path)
        if self.all_known or listed is not None:
            found["_writable"] = False
            found["_timestamp"] = max(
                stamp for stamp in (self._read_stamp if self.all_known else None, listed) if stamp
            )

    def _exists(self, path: str) -> bool:
        if self.all_known or path in self._record.objects:
            return True
        return any(leaf.startswith(f"{path}.") for leaf in self.template.inform) or any(
            known.startswith(f"{path}.") for known in self._record.read
        )

    def known(self, leaf: Leaf) -> tuple[Value, IsoDate] | None:
        """Value and time as the ACS has them; None when never read."""
        hit = self._record.read.get(leaf.path)
        if leaf.path in self.template.inform:
            stamp = self._inform_stamp
            return read(leaf, self._box), max(stamp, hit[1]) if hit is not None else stamp
        if hit is not None:
            if self._read_stamp > hit[1] and self._box.truth.knowledge is Knowledge.EACH_INFORM:
                return self._as_read(leaf)
            return hit
        read_then = self.all_known and leaf.path in self._as_listed.leaves
        if read_then and not leaf.path.startswith(f"{self.template.tests}."):
            return self._as_read(leaf)
        return None

    def _as_read(self, leaf: Leaf) -> tuple[Value, IsoDate]:
        if self._then is None:
            index = self._key if self._key >= 0 else -1 - self._key
            truth = self._devices.plant.conditions_at(index, self._read_at)
            self._then = replace(self._box, truth=truth, now=self._read_at)
        return read(leaf, self._then), self._read_stamp

    def knows(self, path: str) -> bool:
        """Whether the ACS has heard of a leaf."""
        leaf = self.template.leaves.get(path)
        return leaf is not None and self.leaf(leaf) is not None

    def leaf(self, leaf: Leaf) -> Doc | None:
        """The leaf as the NBI shows it; None when the ACS has never heard of it."""
        known = self.known(leaf)
        discovered = self.all_known or leaf.path.rpartition(".")[0] in self._record.objects
        if known is None and not discovered:
            return None
        entry: Doc = {"_object": False}
        if discovered:
            entry["_writable"] = leaf.writable
        if known is not None:
            entry["_value"], entry["_type"] = known[0], f"xsd:{leaf.type}"
            entry["_timestamp"] = known[1]
        return entry

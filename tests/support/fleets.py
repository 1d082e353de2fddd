"""Generated fleets, twice: as the frames a sweep judges and as snapshots a diagnosis judges.

The numbers crowd round the thresholds, every state and gap occurs, PONs go down together.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from cpe.domain.observation import Measurement, Outcome, Quality, Source, SourceReport
from cpe.domain.snapshot import (
    Device,
    DownCause,
    Freshness,
    FreshnessOutcome,
    History,
    Neighbour,
    OltReport,
    OltSighting,
    OntState,
    OtherBox,
    PastReading,
    Request,
    Snapshot,
)
from cpe.fleet import frames
from cpe.fleet.baseline import MISSING, Past
from cpe.fleet.conclude import known_frame
from cpe.fleet.join import Sources
from cpe.fleet.joined import Frames
from cpe.profiles.cpe_profile import profiles

NOW = datetime(2026, 11, 27, 8, 0, 0, tzinfo=UTC).timestamp()
DAYS = 30
_FAMILIES = {p.id: p for p in profiles()}
_CAUSES = (
    None, "fibre", "dying_gasp", "deactivated", "auth_failed", "rogue", "unknown", "reset", "none",
)  # fmt: skip
_STATES = ("online", "los", "dying_gasp", "offline", "unknown")


@dataclass
class Fleet:
    """Frames and sources, the raw rows behind them, and what is known of the past."""

    frames: Frames
    sources: Sources
    own: np.ndarray
    of_olt: np.ndarray
    boxes: dict[str, list]
    radios: pd.DataFrame
    nodes: pd.DataFrame
    onts: pd.DataFrame
    known: dict[str, list]
    boots: pd.DataFrame

    def pasts(self, rows: int):
        """The past of the first boxes, in order; nothing of those that only OLTs show."""
        from cpe.fleet.compare import Pasts

        def past(values):
            extra = np.full((rows - len(values), DAYS), MISSING, dtype=np.int16)
            return Past(np.vstack([values, extra]), np.arange(1, DAYS + 1))

        nothing = np.full((0, DAYS), MISSING, dtype=np.int16)
        return Pasts(past(self.own), past(self.of_olt), past(nothing))


def generate(size: int, seed: int, *, acs_whole=True, acs_hears=True, failed=()) -> Fleet:
    """A fleet of `size` boxes in the ACS, on three OLTs that show a few more."""
    dice = np.random.default_rng(seed)

    def near(*points, gap=0.3):
        """Numbers around the points, a share missing, some exactly on them."""
        at = dice.choice(points, size)
        values = np.where(dice.random(size) < 0.2, at, at + dice.normal(0, 2, size))
        return [None if dice.random() < gap else round(float(v), 2) for v in values]

    family = dice.choice(["tplink", "tr181", "tr098", "huawei", "zte", "nokia"], size)
    informed = NOW - dice.choice([60, 299, 899, 901, 3000, 90_000], size)
    rx = near(-25.0, -8.0, -9.0, -3.0, -20.0, -40.0, gap=0.15)
    boxes = {
        "acs_id": [f"BOX-{i}" for i in range(size)],
        "serial": [f"S{i // 2 if dice.random() < 0.02 else i}" for i in range(size)],
        "gpon_serial": [f"TPLG{i:08X}" if dice.random() < 0.95 else None for i in range(size)],
        "mac": [f"AA:00:00:00:{i >> 8:02X}:{i & 255:02X}" if dice.random() < 0.9 else None
                for i in range(size)],
        "manufacturer": ["X"] * size,
        "model": [str(m) for m in dice.choice(["M", "XX230v"], size)],
        "firmware": [
            None if dice.random() < 0.1 else str(dice.integers(1, 4)) for _ in range(size)
        ],
        "family": list(family),
        "rx_quality": ["ok" if v is not None else "stale" for v in rx],
        "last_inform": [None if dice.random() < 0.02 else float(v) for v in informed],
        "last_boot": _times(dice, size, [3600, 40_000, 86_399, 86_500, 900_000]),
        "spoke_at": _times(dice, size, [60, 300, 900, 20_000]),
        "rx_dbm": rx,
        "rx_at": [NOW - 500.0] * size,
        "tx_dbm": near(0.5, 5.0, 4.0, 9.0, -1.0, 2.0, 0.0, -14.9, -20.0),
        "tx_step": [float(v) if v else None for v in dice.choice([0.0, 1.0], size)],
        "temperature_c": [
            v if "optical.temperature_c" in _FAMILIES[f].quantities else None
            for v, f in zip(near(70.0, 45.0), family, strict=True)
        ],
        "uptime_s": [None if dice.random() < 0.3 else float(dice.choice([100, 5_000, 86_000, 1e6]))
                     for _ in range(size)],
        "uptime_at": [NOW - 300.0] * size,
        "read_at": [NOW] * size,
        "more_radios": [bool(dice.random() < 0.02) for _ in range(size)],
        "more_nodes": [bool(dice.random() < 0.02) for _ in range(size)],
        "rx_step": [float(v) if v else None for v in dice.choice([0.0, 0.0, 1.0], size)],
        "temperature_step": [float(v) if v else None for v in dice.choice([0.0, 1.0], size)],
        "technology": [_technology(dice) for _ in range(size)],
    }  # fmt: skip
    mute = [spoke_at is None for spoke_at in boxes["spoke_at"]]
    for name in ("rx_dbm", "tx_dbm", "temperature_c", "uptime_s", "technology"):
        boxes[name] = [None if m else v for m, v in zip(mute, boxes[name], strict=True)]
    boxes["uptime_at"] = [
        None if uptime is None else spoke_at
        for uptime, spoke_at in zip(boxes["uptime_s"], boxes["spoke_at"], strict=True)
    ]
    rx = boxes["rx_dbm"]
    radios = _radios(dice, mute, boxes["family"])
    nodes = _nodes(dice, mute, boxes["mac"])
    onts = _onts(dice, size, boxes["gpon_serial"])
    own, of_olt = _past(dice, rx), _past(dice, [None] * size)
    boots = _boots(dice, size)
    known = _known(dice, size, boxes)
    whole = Frames(
        boxes=frames.unpack([frames.pack(boxes, frames.BOXES)], frames.BOXES),
        radios=frames.unpack([frames.pack(radios, frames.RADIOS)], frames.RADIOS),
        nodes=frames.unpack([frames.pack(nodes, frames.NODES)], frames.NODES),
        onts=frames.unpack([frames.pack(onts, frames.ONTS)], frames.ONTS),
        equipment=frames.frame([], frames.EQUIPMENT),
        known=known_frame(known),
        boots=boots,
    )
    sources = Sources(
        NOW, True, acs_whole, "", ("olt-0", "olt-1", "olt-2"), dict.fromkeys(failed, "silent"),
        acs_hears=acs_hears,
    )  # fmt: skip
    return Fleet(
        whole, sources, own, of_olt, boxes, pd.DataFrame(radios), pd.DataFrame(nodes),
        pd.DataFrame(onts), known, boots,
    )  # fmt: skip


def _technology(dice):
    told = dice.choice(
        ["", "GPON", "GPON", "XGS-PON", "EPON", "10G-EPON", "NG-PON2", "XGSPON", "DSL"]
    )
    return str(told) or None


def _times(dice, size, ages):
    return [None if dice.random() < 0.1 else NOW - float(dice.choice(ages)) for _ in range(size)]


def _radios(dice, mute, family):
    rows = {"box": [], "band": [], "enabled": [], "utilisation_pct": [], "noise_dbm": []}
    for box in (number for number, silent in enumerate(mute) if not silent):
        for band in dice.permutation(["2.4", "5", "6", None])[: dice.integers(0, 4)]:
            rows["box"].append(box)
            rows["band"].append(band)
            # A radio that is off keeps its last figures.
            rows["enabled"].append([None, True, False][dice.choice(3, p=[0.2, 0.55, 0.25])])
            silent = "wifi.utilisation_pct" in _FAMILIES[family[box]].cannot_report
            value = (
                None
                if silent or dice.random() < 0.2
                else float(dice.choice([49.9, 50, 75, 75.1, 90]))
            )
            rows["utilisation_pct"].append(value)
            value = (
                None
                if silent or dice.random() < 0.3
                else float(dice.choice([-80, -80.5, -79.5, -90, -89.5, -92, -91.5, -95, -82]))
            )
            rows["noise_dbm"].append(value)
    return rows


def _nodes(dice, mute, macs):
    rows = {name: [] for name in frames.NODES.names}
    for box in (number for number, silent in enumerate(mute) if not silent):
        for number in range(int(dice.choice([0, 1, 1, 2, 3]))):
            rows["box"].append(box)
            own = macs[box] if number == 0 or dice.random() < 0.1 else f"BB:{number}:{box}"
            rows["mac"].append(own)
            told = None if dice.random() < 0.4 else number == 0
            rows["is_controller"].append(told)
            rows["active"].append(None if dice.random() < 0.2 else bool(dice.random() < 0.8))
            rows["backhaul_type"].append(
                None if dice.random() < 0.2 else str(dice.choice(["wifi", "ethernet", "none"]))
            )
            for name, points in (
                ("backhaul_rssi_dbm", [-75, -75.5, -67, -67.5, -50]),
                ("backhaul_utilisation_pct", [49.9, 50, 75, 75.1]),
            ):
                rows[name].append(None if dice.random() < 0.3 else float(dice.choice(points)))
    return rows


def _onts(dice, size, serials):
    """PONs of 8 to 40; some healthy, some cut together, some timeless, some not wholly read."""
    rows = {name: [] for name in (*frames.ONTS.names, "technology")}
    order = dice.permutation(size)[: int(size * 0.92)]
    strangers = int(size * 0.03)
    names = [serials[i] for i in order] + [f"HWTC{i:08X}" for i in range(strangers)]
    at, pon = 0, 0
    while at < len(names):
        width = int(dice.integers(2, 40))
        mood = dice.choice(["fine", "cut", "power", "mixed", "timeless"])
        read = dice.random() < 0.85
        # The last three: two clocks that were never set, and one that is ahead.
        cut_at = NOW - float(
            dice.choice([300, 4_000, 700_000, NOW - 946_684_800, NOW - 900_000, -7_200])
        )
        technology = dice.choice([None, "GPON", "XGS-PON"], p=[0.7, 0.2, 0.1])
        for ont, serial in enumerate(names[at : at + width]):
            if mood == "fine":
                state = "online" if dice.random() < 0.97 else str(dice.choice(_STATES))
            elif mood in ("cut", "power"):
                common = "los" if mood == "cut" else "dying_gasp"
                state = common if dice.random() < 0.7 else str(dice.choice(_STATES))
            else:
                state = str(dice.choice(_STATES))
            timed = mood != "timeless" and dice.random() < 0.9
            offset = float(dice.choice([0, 1, 599, 600, 601, 5_000, 604_900]))
            rows["olt"].append(f"olt-{pon % 3}")
            rows["pon"].append(f"0/{pon // 3}")
            rows["ont"].append(str(ont))
            rows["ont_index"].append(f"{pon}.{ont}")
            rows["gpon_serial"].append(serial)
            rows["state"].append(state)
            rows["cause"].append(dice.choice(_CAUSES))
            rows["down_at"].append(cut_at - offset if timed else None)
            rows["olt_rx_dbm"].append(
                None
                if dice.random() < 0.2
                else float(dice.choice([-28, -28.01, -29.79, -8, -7.99, -4.9, -22, -40]))
            )
            rows["ont_rx_dbm"].append(
                None if dice.random() < 0.8 else float(dice.choice([-25, -25.01, -20, -40]))
            )
            rows["walked_at"].append(NOW - float(dice.choice([30, 1_000])))
            rows["pon_read"].append(bool(read))
            rows["technology"].append(technology)
        at, pon = at + width, pon + 1
    return rows


def _past(dice, rx):
    values = np.full((len(rx), DAYS), MISSING, dtype=np.int16)
    for row, now in enumerate(rx):
        usual = now if now is not None else -20.0
        shift = float(dice.choice([0, 2.0, 1.99, 2.01, 4]))
        held = int(dice.choice([0, 2, 3, 4, 15]))
        for day in dice.permutation(DAYS)[:held]:
            values[row, day] = round((usual + shift + dice.normal(0, 0.2)) * 100)
    return values


def _boots(dice, size):
    rows = [
        (f"BOX-{box}", NOW - float(age))
        for box in range(size)
        if dice.random() < 0.3
        for age in dice.choice([10, 60, 200, 5_000, 40_000, 80_000], int(dice.integers(1, 6)))
    ]
    return pd.DataFrame(rows, columns=["box", "booted_at"])


def _known(dice, size, boxes):
    """What the last sweep knew of most boxes."""
    at = [i for i in range(size) if dice.random() < 0.8]
    return {
        "id": [i + 1 for i in at],
        "key": [f"acs:{boxes['acs_id'][i]}" for i in at],
        "acs_id": [boxes["acs_id"][i] for i in at],
        "serial": [boxes["serial"][i] for i in at],
        "gpon_serial": [boxes["gpon_serial"][i] for i in at],
        "model": ["M"] * len(at),
        "firmware": [str(dice.integers(1, 4)) for _ in at],
        "firmware_since": [NOW - float(dice.choice([3_600, 90_000])) for _ in at],
        "firmware_before": [None if dice.random() < 0.5 else "0" for _ in at],
        "olt": [f"olt-{dice.integers(0, 3)}" for _ in at],
        "pon": ["0/0" for _ in at],
        "in_acs": [True] * len(at),
        "on_olt": [True] * len(at),
        "last_boot": [None] * len(at),
        "rx_at": [None] * len(at),
        "verdict": ["healthy"] * len(at),
    }


class Boxes:
    """A fleet's rows at hand by number, PON and serial, so that snapshots are quick to make."""

    def __init__(self, fleet: Fleet, joined: pd.DataFrame) -> None:
        self.fleet = fleet
        self.rows = joined.astype(object).to_dict("records")
        self.pons: dict[tuple[str, str], list[dict]] = {}
        for ont in fleet.onts.to_dict("records"):
            self.pons.setdefault((ont["olt"], ont["pon"]), []).append(ont)
        self.radios = _by_box(fleet.radios)
        self.nodes = _by_box(fleet.nodes)
        self.boots: dict[str, list[float]] = {}
        for boot in fleet.boots.to_dict("records"):
            self.boots.setdefault(boot["box"], []).append(boot["booted_at"])
        self.by_serial: dict[str, list[int]] = {}
        for number, serial in enumerate(fleet.boxes["serial"]):
            self.by_serial.setdefault(serial, []).append(number)

    def __len__(self) -> int:
        return len(self.rows)

    def snapshot(self, row: int) -> Snapshot:
        """What a diagnosis would have in hand: the same facts, as its own adapters give them."""
        return _snapshot(self, row)


def _by_box(frame):
    found = {}
    for row in frame.to_dict("records"):
        found.setdefault(row["box"], []).append(row)
    return found


def _snapshot(boxes: Boxes, row: int) -> Snapshot:
    fleet, box = boxes.fleet, boxes.rows[row]
    in_acs = bool(box["acs_known"])
    now = _moment(NOW)
    sighting = _sighting(boxes, box)
    informed = _nan_to_none(box["last_inform"])
    down = sighting is not None and sighting.state in (
        OntState.LOS, OntState.DYING_GASP, OntState.OFFLINE,
    )  # fmt: skip
    after_walk = informed is not None and sighting is not None and informed >= box["walked_at"]
    answered = (
        in_acs and informed is not None and NOW - informed <= 900 and (not down or after_walk)
    )
    dead = down and not after_walk
    readings = [m for m in _readings(boxes, row, dead) if m is not None] if in_acs else []
    unsure = not in_acs and (not fleet.sources.acs_whole or fleet.sources.acs_is_down)
    acs = Outcome.UNREACHABLE if fleet.sources.acs_is_down else Outcome.OK
    report = OltReport(
        sighting, asked=fleet.sources.olts_asked,
        failed={"olt-?": "silent"} if bool(box["olt_failed"]) else {},
    )  # fmt: skip
    if sighting is not None:
        readings += sighting.measurements
    return Snapshot(
        id=f"row-{row}",
        request=Request(serial="S"),
        requested_at=now,
        judged_at=now,
        device=Device(
            acs_id=box["acs_id"] if in_acs else None,
            serial=box["serial"] if in_acs else None,
            firmware=_text(box["firmware"]),
            mac=_text(box["mac"]) if in_acs else None,
            family=_text(box["family"]),
            model=_text(box["model"]),
        ),
        freshness=Freshness(
            last_inform=_moment(informed) if informed is not None and in_acs else None,
            age_s=None, limit_s=60.0,
            outcome=FreshnessOutcome.FRESH if answered else FreshnessOutcome.UNREACHABLE,
            box_answered=answered,
        ),
        measurements=tuple(readings),
        sources=(SourceReport(Source.ACS, acs, 0, ""),),
        acs_known=True if in_acs else None if unsure else False,
        cannot_report=_FAMILIES[box["family"]].cannot_report if in_acs else (),
        last_boot=_when(box["last_boot"]) if in_acs else None,
        others=_others(boxes, row, in_acs),
        olt=report,
        history=_history(boxes, row, box, in_acs),
    )  # fmt: skip


def _sighting(boxes, box):
    if not bool(box["on_olt"]):
        return None
    here = boxes.pons[box["olt"], box["pon"]]
    neighbours = tuple(
        Neighbour(
            o["ont_index"],
            OntState(o["state"]),
            _when(o["down_at"]),
            DownCause(o["cause"]) if _text(o["cause"]) else None,
        )
        for o in here
        if o["ont_index"] != box["ont_index"]
    )
    own = next(o for o in here if o["ont_index"] == box["ont_index"])
    measured = [
        Measurement(
            name, float(value), "dBm", value, "1.3.6.1", None, Source.OLT, _moment(NOW), 0.0
        )
        for name, value in (
            ("optical.olt_rx_dbm", own["olt_rx_dbm"]), ("optical.rx_dbm", own["ont_rx_dbm"]),
        )
        if _nan_to_none(value) is not None
    ]  # fmt: skip
    return OltSighting(
        olt=box["olt"], profile="huawei", verified=True, pon=box["pon"], ont=box["ont"],
        index=box["ont_index"], gpon_serial=_text(own["gpon_serial"]), state=OntState(own["state"]),
        cause=DownCause(own["cause"]) if _text(own["cause"]) else None,
        down_at=_when(own["down_at"]), measurements=tuple(measured),
        neighbours=neighbours if bool(own["pon_read"]) else None,
        technology=_text(own["technology"]),
    )  # fmt: skip


def _readings(boxes, row, dead):
    fleet = boxes.fleet
    raw = {name: values[row] for name, values in fleet.boxes.items()}
    spoke_at = _nan_to_none(raw["spoke_at"])
    family = _FAMILIES[raw["family"]]

    def reading(name, value, subject="", at=NOW - 1e6, *, listed=True, judged=True, step=None):
        if not listed and value is None:
            return None
        quality = (
            Quality.NOT_READ if value is None else Quality.STALE if dead and judged else Quality.OK
        )
        return Measurement(
            name, value, "u", value, "P", None, Source.ACS, _moment(at), NOW - at, subject, quality,
            resolution=step,
        )  # fmt: skip

    if spoke_at is not None:
        yield reading("wan.ip", "192.0.2.1", at=spoke_at, judged=False)
    yield reading("optical.rx_dbm", raw["rx_dbm"], step=raw["rx_step"])
    yield reading("optical.pon_mode", raw["technology"], at=spoke_at or NOW, judged=False)
    yield reading("optical.tx_dbm", raw["tx_dbm"], step=raw["tx_step"])
    if "optical.temperature_c" in family.quantities:
        yield reading("optical.temperature_c", raw["temperature_c"], step=raw["temperature_step"])
    yield reading("device.uptime_s", raw["uptime_s"], at=raw["uptime_at"] or NOW)
    for number, radio in enumerate(boxes.radios.get(row, ())):
        subject = f"radio:{number}"
        for name, value, judged in (
            ("wifi.band", radio["band"], False),
            ("wifi.enabled", _flag(radio["enabled"]), True),
            ("wifi.utilisation_pct", radio["utilisation_pct"], True),
            ("wifi.noise_dbm", radio["noise_dbm"], True),
        ):
            yield reading(name, _nan_to_none(value), subject, judged=judged)
    for number, node in enumerate(boxes.nodes.get(row, ())):
        subject = f"node:{number}"
        for name, value, judged in (
            ("node.mac", node["mac"], False),
            ("node.is_controller", node["is_controller"], False),
            ("node.active", node["active"], True),
            ("node.backhaul_type", node["backhaul_type"], True),
            ("node.backhaul_rssi_dbm", node["backhaul_rssi_dbm"], True),
            ("node.backhaul_utilisation_pct", node["backhaul_utilisation_pct"], True),
        ):
            yield reading(name, _flag(value), subject, judged=judged)


def _flag(value):
    told = _nan_to_none(value)
    return bool(told) if isinstance(told, np.bool_) else told


def _others(boxes, row, in_acs):
    if not in_acs:
        return ()
    told = boxes.fleet.boxes
    same = boxes.by_serial[told["serial"][row]]
    return tuple(OtherBox(told["acs_id"][i], None, None) for i in same if i != row)


def _history(boxes, row, box, in_acs):
    fleet = boxes.fleet
    readings = []
    if row < len(fleet.own):
        for values, source in ((fleet.own, Source.ACS), (fleet.of_olt, Source.OLT)):
            readings += [
                PastReading(
                    "optical.rx_dbm",
                    "",
                    int(v) / 100,
                    _moment(NOW - 86_400 * (int(age) + 1)),
                    source,
                )
                for age in np.flatnonzero(values[row] != MISSING)
                for v in (values[row][age],)
            ]
    boots = boxes.boots.get(box["acs_id"], ()) if in_acs else ()
    firmwares = ()
    before = int(box["before"])
    if before >= 0:
        known = {name: values[before] for name, values in fleet.known.items()}
        firmwares = ((_moment(known["firmware_since"]), known["firmware"]),)
        if known["firmware_before"] is not None:
            older = _moment(known["firmware_since"]) - timedelta(days=9)
            firmwares += ((older, known["firmware_before"]),)
    return History(tuple(readings), tuple(_moment(at) for at in boots), firmwares)


def _moment(epoch_s):
    return datetime.fromtimestamp(float(epoch_s), UTC)


def _when(epoch_s):
    value = _nan_to_none(epoch_s)
    return None if value is None else _moment(value)


def _nan_to_none(value):
    return None if value is None or pd.isna(value) else value


def _text(value):
    return None if value is None or pd.isna(value) else str(value)

"""What a person on site can do: which channel, which band, closer to which node. Pure.

Only said of what is known: the channels that the box itself may use, the mesh as it reported it.
"""

from __future__ import annotations

from collections.abc import Sequence

from cpe.domain.finding import Text
from cpe.domain.observation import Measurement
from cpe.domain.serials import same_address
from cpe.profiles.channels import Choice, channel_plan
from cpe.rules.facts import Facts, possible_channels

SCAN_GOOD_FOR_S = 86_400.0
"""Neighbours' networks stay where they are for longer, but not for ever."""


def air_advice(facts: Facts, radio: str) -> Text | None:
    """Which channel to move to, or which band; None when the box's channels are not known."""
    possible = possible_channels(facts, radio)
    band = facts.reading("wifi.band", radio)
    plan = channel_plan().get(str(band.value)) if band is not None else None
    if not possible or plan is None or band is None:
        return None
    neighbours = _neighbours(facts, str(band.value))
    current = facts.reading("wifi.channel", radio)
    here = int(current.number) if current is not None else 0
    label = facts.wording.labels
    choices = plan.choices(possible)
    others = [choice for choice in choices if here not in choice.air]
    parts: list[Text] = []
    if neighbours:
        load_here = min(
            (_load(c, neighbours) for c in choices if here in c.air), default=float("inf")
        )
        best = min(others, key=lambda choice: _load(choice, neighbours), default=None)
        if best is not None and _load(best, neighbours) < load_here:
            told = label["advice_channel_seen"].fill(to=best.channel, count=len(neighbours))
            parts.append(told)
        else:
            parts.append(label["advice_no_channel"].fill())
    elif others:
        parts.append(label["advice_channel_try"].fill(to=others[0].channel))
    if (other := _free_band(facts, radio)) is not None:
        parts.append(other)
    return joined_texts(parts) if parts else None


def _neighbours(facts: Facts, band: str) -> list[tuple[int, float]]:
    """(channel, dBm) of each network that the box saw on the band within a day."""
    seen: list[tuple[int, float]] = []
    for subject in facts.subjects("neighbour"):
        where = facts.reading("neighbour.band", subject)
        channel = facts.reading("neighbour.channel", subject)
        rssi = facts.reading("neighbour.rssi_dbm", subject)
        if where is None or channel is None or rssi is None or where.value != band:
            continue
        if channel.age_s is not None and channel.age_s <= SCAN_GOOD_FOR_S:
            seen.append((int(channel.number), rssi.number))
    return seen


def _load(choice: Choice, neighbours: Sequence[tuple[int, float]]) -> float:
    """The power of the neighbours in its air together, in mW, and what else speaks against it."""
    heard = (10 ** (dbm / 10) for channel, dbm in neighbours if channel in choice.air)
    return sum(heard) + choice.handicap_mw


def _free_band(facts: Facts, radio: str) -> Text | None:
    """Another band with room, for the devices that can use it."""
    room: list[tuple[float, str]] = []
    for subject in facts.subjects("radio"):
        band, load = facts.reading("wifi.band", subject), facts.reading(
            "wifi.utilisation_pct", subject
        )  # fmt: skip
        on = facts.reading("wifi.status", subject)
        usable = subject != radio and band is not None and on is not None and on.value == "up"
        if usable and load is not None and band is not None:
            room.append((load.number, str(band.value)))
    if not room or min(room)[0] >= facts.thresholds.wifi.utilisation_watch_pct:
        return None
    pct, band_name = min(room)
    name = Text(fr=band_name.replace(".", ","), en=band_name)
    return facts.wording.labels["advice_band"].fill(band=name, pct=pct)


# -- the mesh


def mesh_is_known(facts: Facts) -> bool:
    """Whether the box said which node hangs on which."""
    return any(facts.all("node.upstream", node) for node in facts.subjects("node"))


def upstream_of(facts: Facts, node: str) -> str | None:
    """What a satellite should be closer to: the node that it hangs on, else the controller.

    The address may be a radio's, not a node's; with the controller as the only other node there is
    no doubt. None when the mesh is not known.
    """
    if not mesh_is_known(facts):
        return None
    told = facts.reading("node.upstream", node)
    address = told.value if told is not None else None
    for other in facts.subjects("node"):
        mac = facts.reading("node.mac", other)
        if other != node and mac is not None and same_address(mac.value, address):
            return node_name(facts, other)
    controllers = [n for n in facts.subjects("node") if _is_controller(facts, n) and n != node]
    return node_name(facts, controllers[0]) if controllers else None


def node_name(facts: Facts, node: str) -> str:
    """What the customer called a node, else its address."""
    name = facts.reading("node.name", node)
    return str(name.value) if name is not None and name.value else node.split(":", 1)[1]


def _is_controller(facts: Facts, node: str) -> bool:
    reading = facts.reading("node.is_controller", node)
    return reading is not None and reading.value is True


def station_advice(facts: Facts, stations: Sequence[Measurement]) -> Text | None:
    """Where the weak devices should be, or on which band; None when the mesh is not known."""
    if not mesh_is_known(facts):
        return None
    parts: list[Text] = []
    for measurement in stations[:3]:
        where = facts.reading("station.node", measurement.subject)
        node = _named_node(facts, str(where.value)) if where is not None else None
        if node is None:
            continue
        band = facts.reading("station.band", measurement.subject)
        on_5 = band is not None and band.value == "5"
        key = "advice_closer_or_24" if on_5 else "advice_closer"
        if _is_heard_well(facts, measurement.subject):  # not far: the air it is on is the trouble
            key = "advice_other_24" if on_5 else "advice_other_5"
        name = station_name(facts, measurement.subject)
        parts.append(facts.wording.labels[key].fill(name=name, node=node))
    return joined_texts(parts) if parts else None


def _is_heard_well(facts: Facts, station: str) -> bool:
    rssi = facts.reading("station.rssi_dbm", station)
    return rssi is not None and rssi.number >= facts.thresholds.client.rssi_watch_dbm


def station_name(facts: Facts, subject: str) -> str:
    """What a device calls itself, else its address."""
    name = facts.reading("station.name", subject)
    return str(name.value) if name is not None and name.value else subject.split(":", 1)[1]


def _named_node(facts: Facts, mac: str) -> str | None:
    for node in facts.subjects("node"):
        own = facts.reading("node.mac", node)
        if own is not None and same_address(own.value, mac):
            return node_name(facts, node)
    return None


def joined_texts(parts: Sequence[Text]) -> Text:
    """One after the other, in both languages."""
    return Text(fr=" ; ".join(p.fr for p in parts), en="; ".join(p.en for p in parts))

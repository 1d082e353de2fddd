"""Evidence against the box itself. Only what is listed here may say `replace`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from cpe.domain.boots import DAY, distinct_boots
from cpe.domain.finding import Evidence, Finding, Status, Text
from cpe.domain.observation import Measurement, Source
from cpe.domain.olt_clock import on_our_clock
from cpe.domain.snapshot import DownCause
from cpe.domain.verdict import Code
from cpe.profiles.channels import channel_plan
from cpe.rules.facts import Facts, evidence_of, half_step, joined, possible_channels

RADAR_LISTENING_S: Final = 900.0
"""600 s of listening on the weather-radar channels, and the boot before it."""


def transceiver_is_cool(facts: Facts) -> Finding:
    """Transceiver temperature."""
    rule = "hardware.transceiver_is_cool"
    temperature = facts.reading("optical.temperature_c")
    if temperature is None:
        if not facts.all("optical.temperature_c"):
            return facts.not_applicable(rule)
        return facts.unknown_reading(rule, "optical.temperature_c")
    limit = facts.thresholds.hardware.temperature_max_c
    evidence = [evidence_of(temperature, f"≤ {limit:g}")]
    half = half_step(temperature)
    if temperature.number - half <= limit < temperature.number + half:
        step = temperature.resolution or 0.0
        return facts.unknown(rule, "coarse", evidence, step=step, unit="°C", limit=limit)
    if temperature.number > limit:
        return facts.say(
            rule,
            Status.FAULT,
            "hot",
            evidence,
            Code.HARDWARE_FAULT,
            temp=temperature.number,
            high=limit,
        )
    return facts.say(rule, Status.OK, "ok", evidence, temp=temperature.number)


def no_reboot_loop(facts: Facts) -> Finding:
    """Boots in 24 h that neither a power loss nor an update explains.

    Only an OLT can say that no power was lost: without its word the loop is a fault of unproved
    cause.
    """
    rule = "hardware.no_reboot_loop"
    known = known_boots(facts)
    if not known:
        return facts.unknown_reading(rule, "device.uptime_s")
    boots = boots_in_a_day(facts)
    limit = facts.thresholds.hardware.reboots_per_day
    age_s = max(0.0, (facts.snapshot.judged_at - max(known)).total_seconds())
    evidence = [
        Evidence(
            "device.boots", len(boots), f"< {limit}", None, Source.HISTORY, round(age_s, 1),
            measured_at=max(known), fits=len(boots) < limit,
        )
    ]  # fmt: skip
    if len(boots) < limit:
        return facts.say(rule, Status.OK, "ok", evidence, count=len(boots))
    if why := _explanation(facts):
        return facts.say(rule, Status.DEGRADED, "explained", evidence, count=len(boots), why=why)
    if not _power_is_known(facts):
        return facts.say(rule, Status.FAULT, "loop_power_unknown", evidence, count=len(boots))
    return facts.say(rule, Status.FAULT, "loop", evidence, Code.HARDWARE_FAULT, count=len(boots))


def known_boots(facts: Facts) -> list[datetime]:
    """Every boot that the ACS, an uptime or what was kept tells of; one boot may come twice.

    An uptime of last week is no word on today's boots.
    """
    known = _announced(facts)
    runs = _uptimes(facts)
    if facts.reading("device.uptime_s") is not None:
        known += [began for began, _ in runs[:1]]
    return known + [began for began, _ in runs if facts.snapshot.judged_at - began <= DAY]


def boots_in_a_day(facts: Facts) -> list[datetime]:
    """Distinct boots known in the last 24 h."""
    return distinct_boots(_announced(facts), _uptimes(facts), facts.snapshot.judged_at)


def _announced(facts: Facts) -> list[datetime]:
    """The ACS's last boot, now and as it was kept by earlier diagnoses and sweeps."""
    now = facts.snapshot.last_boot
    return [*facts.snapshot.history.boots, *([now] if now is not None else [])]


def _uptimes(facts: Facts) -> list[tuple[datetime, datetime]]:
    """(boot, when read) of each uptime known; the current one first when there is one."""
    name = "device.uptime_s"
    read: list[tuple[datetime, float]] = []
    uptime = facts.reading(name)
    if uptime is not None and uptime.measured_at is not None:
        read.append((uptime.measured_at, uptime.number))
    read += [(p.measured_at, p.value) for p in facts.snapshot.history.readings if p.name == name]
    return [(at - timedelta(seconds=uptime_s), at) for at, uptime_s in read]


def _power_is_known(facts: Facts) -> bool:
    """Whether an OLT tells why the ONT went down last; a gasp of unknown time may be any day's."""
    sighting = facts.sighting
    if sighting is None or sighting.cause in (None, DownCause.UNKNOWN):
        return False
    return sighting.cause is not DownCause.DYING_GASP or _gasped_at(facts) is not None


def _gasped_at(facts: Facts) -> datetime | None:
    """When the ONT lost power last, where the OLT's clock can be ours."""
    sighting = facts.sighting
    if sighting is None or sighting.cause is not DownCause.DYING_GASP:
        return None
    return on_our_clock(sighting.down_at, facts.snapshot.judged_at)


def _explanation(facts: Facts) -> Text | None:
    """A power loss or a firmware change within the day, in words."""
    day_ago = facts.snapshot.judged_at - timedelta(days=1)
    label, gasped_at = facts.wording.labels, _gasped_at(facts)
    if gasped_at is not None and gasped_at >= day_ago:
        return label["cause_dying_gasp"].fill()
    runs, current = facts.snapshot.history.firmwares, facts.snapshot.device.firmware
    if not runs:
        return None
    (began, newest), *older = runs
    changed_since = current is not None and current != newest
    changed_today = bool(older) and began >= day_ago
    return label["firmware_change"].fill() if changed_since or changed_today else None


def radios_are_up(facts: Facts) -> Finding:
    """A radio that is enabled and yet down.

    TR-098 has no radios, only networks: one of those may be down by its own settings. A 5 GHz
    radio listens up to 10 min for radar before it sends (ETSI EN 301 893), so right after a boot or
    where its block may hold a radar channel silence proves nothing.
    """
    rule = "hardware.radios_are_up"
    radios = facts.subjects("radio")
    if not radios:
        return facts.no_rows(rule, "radio", "wifi.status")
    enabled = {s: m for s in radios if (m := facts.reading("wifi.enabled", s)) is not None}
    on = [s for s in radios if s not in enabled or enabled[s].value is True]
    if not on:
        evidence = [evidence_of(m, "true", fits=False) for m in enabled.values()]
        return facts.say(rule, Status.DEGRADED, "all_off", evidence)
    known = {s: m for s in on if (m := facts.reading("wifi.status", s)) is not None}
    down = [s for s, m in known.items() if m.value in ("down", "error") and s in enabled]
    evidence = [evidence_of(m, "up", fits=m.value == "up") for m in known.values()]
    if not down:
        return _enabled_radios(facts, on, known, evidence)
    bands = _both(band_of(facts, s) for s in down)
    if any(_may_be_a_network(facts, s) for s in down):
        return facts.say(rule, Status.FAULT, "network_down", evidence, names=bands)
    if all(_may_listen_for_radar(facts, s) for s in down):
        # Right after a boot that is to be expected; later it may be a dead radio as well.
        status = Status.DEGRADED if _has_just_booted(facts) else Status.FAULT
        return facts.say(rule, status, "listening", evidence, bands=bands)
    return facts.say(rule, Status.FAULT, "down", evidence, Code.HARDWARE_FAULT, bands=bands)


def _may_be_a_network(facts: Facts, subject: str) -> bool:
    """Whether the row may be one of several networks of a radio: a radio is named by its band."""
    band = facts.reading("wifi.band", subject)
    return band is None or re.split("[-#]", subject, maxsplit=1)[0] != f"radio:{band.value}"


def _enabled_radios(
    facts: Facts, on: list[str], known: Mapping[str, Measurement], evidence: list[Evidence]
) -> Finding:
    """No enabled radio is down; only those that say "up" are up."""
    rule = "hardware.radios_are_up"
    if unread := [s for s in on if s not in known]:
        return facts.unknown_reading(rule, "wifi.status", unread)
    if strange := [m for m in known.values() if m.value not in ("up", "disabled")]:
        return facts.unknown(rule, "radio_state", evidence, raw=joined(str(m.raw) for m in strange))
    return facts.say(rule, Status.OK, "ok", evidence)


def _may_listen_for_radar(facts: Facts, subject: str) -> bool:
    band, channel = facts.reading("wifi.band", subject), facts.reading("wifi.channel", subject)
    plan = channel_plan().get(str(band.value)) if band is not None else None
    if plan is None or not plan.radar:
        return False
    width = facts.reading("wifi.width", subject)
    listens = plan.may_need_radar(
        int(channel.number) if channel is not None else None,
        str(width.value) if width is not None else None,
        possible_channels(facts, subject),
    )
    return listens or _has_just_booted(facts)


def _has_just_booted(facts: Facts) -> bool:
    uptime = facts.reading("device.uptime_s")
    return uptime is not None and uptime.number < RADAR_LISTENING_S


def _both(names: Iterable[Text]) -> Text:
    listed = list(names)
    return Text(fr=joined(n.fr for n in listed), en=joined(n.en for n in listed))


def band_of(facts: Facts, subject: str) -> Text:
    """`5 GHz`, with its channel where there are two; the instance when the band is not known."""
    band = facts.reading("wifi.band", subject)
    if band is None:
        name = re.split(r"[.:]", subject)[-1]
        return Text(fr=f"n° {name}", en=f"no. {name}")
    name = Text(fr=f"{band.value} GHz".replace(".", ","), en=f"{band.value} GHz")
    bands = (facts.reading("wifi.band", s) for s in facts.subjects("radio"))
    if sum(m is not None and m.value == band.value for m in bands) < 2:
        return name
    channel = facts.reading("wifi.channel", subject)
    which = f"{channel.value}" if channel is not None else subject.partition("-")[2] or "1"
    word = Text("canal", "channel") if channel is not None else Text("n°", "no.")
    return Text(fr=f"{name.fr}, {word.fr} {which}", en=f"{name.en}, {word.en} {which}")

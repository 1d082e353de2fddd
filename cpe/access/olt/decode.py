"""From a raw SNMP value to a reading, or to the reason why there is none.

Times: an OLT tells its local time, mostly without a zone. It is taken as UTC: what counts is that
the times of one OLT's ONTs can be compared with each other. A DateAndTime of 11 octets has a zone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from cpe.access.olt.wire import Missing, ObjectId, Value
from cpe.domain.observation import Quality, Scalar
from cpe.domain.serials import gpon_serial, gpon_serial_from_octets
from cpe.profiles.olt_columns import (
    QUANTITIES,
    BitmaskColumn,
    ColumnName,
    EnumColumn,
    FloatTextColumn,
    LogMwColumn,
    NumberColumn,
    RunState,
    SerialColumn,
    TextEnumColumn,
    TimeColumn,
    WordColumn,
)
from cpe.profiles.quantities import NO_READING

NO_READING_NOTE: Final = "a word for no reading"
ONE_SOURCE: Final = "this value's meaning has one source only"
_PLAIN_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
TEXT_TIMES: Final = ("%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S")
_BIT_ORDER: Final = (
    RunState.DYING_GASP,
    RunState.LOS,
    RunState.DEACTIVATED,
    RunState.OFFLINE,
)
"""Which defect decides when several bits are set: dying gasp wins over LOS."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """`value` is None unless `quality` is OK; `raw` is what the OLT sent."""

    value: Scalar
    quality: Quality
    raw: Scalar
    note: str = ""


def raw_of(value: Value) -> Scalar:
    """The raw value as it is kept: a number, a text, or octets in hex."""
    if isinstance(value, Missing):
        return None
    if isinstance(value, ObjectId):
        return value.text
    if isinstance(value, int):
        return value
    text = _ascii(value)
    return value.hex(" ") if text is None else text


def not_read(value: Missing) -> Decoded:
    """No value, and what the OLT said instead."""
    return Decoded(None, Quality.NOT_READ, None, value.value)


def number(name: ColumnName, column: NumberColumn, value: Value) -> Decoded:
    """A physical quantity; sentinels and impossible values are named, never passed on."""
    if isinstance(value, Missing):
        return not_read(value)
    if isinstance(column, FloatTextColumn):
        return _float_text(name, column, value)
    raw, shared = raw_of(value), QUANTITIES[name].shared
    if not isinstance(value, int):
        return Decoded(None, Quality.UNPARSABLE, raw, "not an integer")
    if value in column.invalid or (shared is not None and shared.is_raw_placeholder(value)):
        return Decoded(None, Quality.SENTINEL, raw, NO_READING_NOTE)
    if isinstance(column, LogMwColumn) and value <= 0:
        return Decoded(None, Quality.SENTINEL, raw, "no light")
    return _gate(name, column.scale(value), raw, column.step)


def _float_text(
    name: ColumnName, column: FloatTextColumn, value: int | bytes | ObjectId
) -> Decoded:
    raw = raw_of(value)
    text = str(raw).strip()
    if text.casefold() in NO_READING or text in column.invalid:
        return Decoded(None, Quality.SENTINEL, raw, NO_READING_NOTE)
    quantity = QUANTITIES[name]
    written = column.read(text, quantity.unit)
    if written.wrong:
        return Decoded(None, Quality.UNPARSABLE, raw, written.wrong)
    if written.bare is None:
        return _gate(name, written.value, raw)
    whole = int(written.bare) if written.is_whole else written.bare
    if quantity.shared is not None and quantity.shared.is_raw_placeholder(whole):
        return Decoded(None, Quality.SENTINEL, raw, NO_READING_NOTE)
    return _gate(name, column.scale(written.bare), raw)


def _gate(
    name: ColumnName, value: float | None, raw: Scalar, resolution: float | None = None
) -> Decoded:
    quantity = QUANTITIES[name]
    low, high = quantity.gate
    if value is None:
        return Decoded(None, Quality.IMPLAUSIBLE, raw, "has no value in this unit")
    if math.isinf(value) or math.isnan(value):
        return Decoded(None, Quality.SENTINEL, raw, "no light" if value < 0 else NO_READING_NOTE)
    if quantity.shared is not None and quantity.shared.is_placeholder(value, resolution):
        note = f"{value:g} {quantity.unit}: {NO_READING_NOTE}"
        return Decoded(None, Quality.SENTINEL, raw, note)
    if not low <= value <= high:
        note = f"{value:g} {quantity.unit} is outside {low:g}..{high:g}"
        return Decoded(None, Quality.IMPLAUSIBLE, raw, note)
    return Decoded(value, Quality.OK, raw)


def word(column: WordColumn, value: Value) -> Decoded:
    """The meaning of a state or cause. An unlisted value has none, and is named."""
    if isinstance(value, Missing):
        return not_read(value)
    if isinstance(column, TextEnumColumn):
        return _text_word(column, value)
    if not isinstance(value, int):
        return Decoded(None, Quality.UNPARSABLE, raw_of(value), "not an integer")
    if isinstance(column, BitmaskColumn):
        return _bits(column, value)
    return _enum_word(column, value)


def _enum_word(column: EnumColumn, value: int) -> Decoded:
    meaning = column.values.get(value)
    if meaning is None:
        return _unlisted(value)
    return Decoded(meaning, Quality.OK, value, ONE_SOURCE if value in column.unsure else "")


def _text_word(column: TextEnumColumn, value: int | bytes | ObjectId) -> Decoded:
    raw = raw_of(value)
    meaning = column.folded().get(str(raw).strip().casefold())
    return _unlisted(raw) if meaning is None else Decoded(meaning, Quality.OK, raw)


def _unlisted(raw: Scalar) -> Decoded:
    return Decoded(None, Quality.UNKNOWN_VALUE, raw, f"{raw!r} is not a documented value")


def _bits(column: BitmaskColumn, value: int) -> Decoded:
    mask = value & 0xFFFF_FFFF
    if mask == 0:
        return Decoded(column.zero, Quality.OK, value)
    meanings = {column.bits[bit] for bit in column.bits if mask >> bit & 1}
    strange = [bit for bit in range(32) if mask >> bit & 1 and bit not in column.bits]
    note = f"undocumented bits {strange}" if strange else ""
    for meaning in _BIT_ORDER:
        if meaning in meanings:
            return Decoded(str(meaning), Quality.OK, value, note)
    if meanings:
        return Decoded(min(meanings), Quality.OK, value, note)
    return Decoded(None, Quality.UNKNOWN_VALUE, value, note)


def serial(column: SerialColumn, value: Value) -> str | None:
    """The canonical GPON serial, or None."""
    if not isinstance(value, bytes):
        return None
    if column.decode == "serial_octets" and len(value) != 8:
        # Some firmware pads or prints: 12 characters of text are as good.
        return gpon_serial_from_octets(value)
    if column.decode in ("serial_text", "serial_in_index"):
        text = _ascii(value)
        return None if text is None else gpon_serial(text)
    return gpon_serial_from_octets(value)


def when(column: TimeColumn, value: Value) -> tuple[datetime | None, Decoded]:
    """A time on the OLT's clock as UTC, and the reading it came from."""
    if isinstance(value, Missing):
        return None, not_read(value)
    raw = raw_of(value)
    if column.decode == "date_and_time":
        octets = value if isinstance(value, bytes) else b""
        raw = octets.hex(" ") if octets else raw
        if octets and not any(octets):
            return None, Decoded(None, Quality.SENTINEL, raw, "never")
        found = date_and_time(octets)
    else:
        text = str(raw).strip()
        if not text or text in column.invalid:
            return None, Decoded(None, Quality.SENTINEL, raw, "never")
        found = text_time(text)
    if found is None:
        return None, Decoded(None, Quality.UNPARSABLE, raw, "not a time")
    return found, Decoded(found.isoformat(), Quality.OK, raw, "the OLT's clock, taken as UTC")


def date_and_time(octets: bytes) -> datetime | None:
    """SNMPv2-TC DateAndTime, 8 octets (no zone: UTC) or 11."""
    if len(octets) not in (8, 11):
        return None
    zone = UTC
    if len(octets) == 11:
        sign = {ord("+"): 1, ord("-"): -1}.get(octets[8])
        if sign is None or octets[9] > 14 or octets[10] > 59:
            return None
        zone = timezone(sign * timedelta(hours=octets[9], minutes=octets[10]))
    year = int.from_bytes(octets[:2], "big")
    month, day, hour, minute, second, tenth = octets[2:8]
    try:
        # Second 60 is a leap second, which datetime does not have; tenths above 9 are not.
        found = datetime(year, month, day, hour, minute, min(second, 59), tenth * 100_000, zone)
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def text_time(text: str) -> datetime | None:
    """`2026-11-23 20:58:00` and kin, taken as UTC."""
    if _PLAIN_TIME.fullmatch(text):
        with suppress(ValueError):  # 20 times as fast, and every ONT of an OLT has one
            return datetime.fromisoformat(text).replace(tzinfo=UTC)
    for shape in TEXT_TIMES:
        try:
            return datetime.strptime(text, shape).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None


def text_of(value: Value) -> str | None:
    """A name or place as text, or None."""
    raw = raw_of(value)
    return None if raw is None else str(raw).strip()


def _ascii(octets: Iterable[int]) -> str | None:
    data = bytes(octets).rstrip(b"\0")
    if all(0x20 <= byte < 0x7F for byte in data):
        return data.decode("ascii")
    return None

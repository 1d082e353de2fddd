"""What one OLT table column holds and how its raw value becomes a reading: schema and arithmetic.

The arithmetic lives here, below the adapters, so that a profile whose scale is not physical can
be refused when it is loaded.
"""

from __future__ import annotations

import math
import re
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cpe.domain.number_text import Written, read_number
from cpe.domain.snapshot import DownCause
from cpe.domain.units import convert
from cpe.profiles import quantities

Oid = Annotated[str, Field(pattern=r"^1\.3\.6\.1(\.\d+)+$")]
VALUE_DECIMALS: Final = 3


class Strict(BaseModel):
    """Every part of a profile: unknown keys are refused, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ColumnName(StrEnum):
    """The columns a profile may have. `at_*` repeat the place so that the index is checked."""

    STATE = "state"
    CAUSE = "cause"
    DOWN_AT = "down_at"
    OLT_RX = "olt_rx"
    DISTANCE = "distance"
    NAME = "name"
    PORT_NAME = "port_name"
    AT_SLOT = "at_slot"
    AT_PON = "at_pon"
    AT_ONT = "at_ont"
    ONT_RX = "ont_rx"
    ONT_TX = "ont_tx"
    TEMPERATURE = "temperature"
    VOLTAGE = "voltage"
    BIAS = "bias"


PLACE_NAMES: Final = (ColumnName.PORT_NAME, ColumnName.NAME)
"""Names of ports and ONTs, which may tell the PON technology ("GPON 0/1/0")."""
PON_INDEX: Final = "pon"
OPTICS: Final = (
    ColumnName.ONT_RX,
    ColumnName.ONT_TX,
    ColumnName.TEMPERATURE,
    ColumnName.VOLTAGE,
    ColumnName.BIAS,
)
"""Columns the OLT may fetch from the ONT at query time: slow, and read in a PDU of their own."""


class Quantity(Strict):
    """The measurement a number column becomes; `gate` is what is physically possible."""

    measurement: str
    unit: str
    gate: tuple[float, float]

    @property
    def shared(self) -> quantities.Quantity | None:
        """Whose placeholders are this one's; None where only OLTs tell it."""
        return quantities.placeholders_of(self.measurement)


QUANTITIES: Final[dict[ColumnName, Quantity]] = {
    ColumnName.ONT_RX: Quantity(measurement="optical.rx_dbm", unit="dBm", gate=(-35, 5)),
    ColumnName.ONT_TX: Quantity(measurement="optical.tx_dbm", unit="dBm", gate=(-10, 10)),
    ColumnName.OLT_RX: Quantity(measurement="optical.olt_rx_dbm", unit="dBm", gate=(-38, 0)),
    ColumnName.TEMPERATURE: Quantity(
        measurement="optical.temperature_c", unit="°C", gate=(-40, 120)
    ),
    # A GPON transceiver runs on 3.3 V, some ONTs report a 12 V rail.
    ColumnName.VOLTAGE: Quantity(measurement="optical.voltage_mv", unit="mV", gate=(1000, 20_000)),
    ColumnName.BIAS: Quantity(measurement="optical.bias_ma", unit="mA", gate=(0, 200)),
    # 60 km is the logical reach of G.984.1; 100 leaves room for extended reach.
    ColumnName.DISTANCE: Quantity(measurement="line.distance_m", unit="m", gate=(0, 100_000)),
}


class RunState(StrEnum):
    """What a run-state value means before the last-down cause is folded in."""

    ONLINE = "online"
    LOS = "los"
    DYING_GASP = "dying_gasp"
    DOWN = "down"  # only says down: the last-down cause decides
    OFFLINE = "offline"  # down by somebody's will or fault of configuration
    DEACTIVATED = "deactivated"
    REGISTERING = "registering"
    AUTH_FAILED = "auth_failed"
    UNKNOWN = "unknown"  # the OLT itself says that it does not know


class _Column(Strict):
    """`suffix`: constant sub-identifiers after the index, or `next`: one GETNEXT below it.
    `index`: which of the profile's indexes, or `pon`: the main one without the ONT. `optional`:
    some firmware lacks the column."""

    oid: Oid
    index: str = "main"
    suffix: Annotated[str, Field(pattern=r"^(next|\d+(\.\d+)*|)$")] = ""
    optional: bool = False
    note: str = ""

    @property
    def step(self) -> float | None:
        """The raw step in the quantity's unit; None when it is not told or not one."""
        return None


class IntColumn(_Column):
    """raw·mul + add; `signed16` first takes values above 32767 as negative 16-bit ones."""

    decode: Literal["int"]
    signed16: bool = False
    mul: float = 1.0
    add: float = 0.0
    invalid: tuple[int, ...] = ()
    typical: int

    @property
    def step(self) -> float | None:
        """What one raw unit is worth."""
        return abs(self.mul)

    def scale(self, raw: float) -> float | None:
        """The value in the quantity's unit."""
        signed = raw - 65536 if self.signed16 and raw > 32767 else raw
        return round(signed * self.mul + self.add, VALUE_DECIMALS)

    def conversion(self) -> str:
        """The formula, as the evidence records it."""
        raw = "signed16(raw)" if self.signed16 else "raw"
        if self.mul == 1 and self.add == 0:
            return "signed16" if self.signed16 else "identity"
        factor = "" if self.mul == 1 else f"*{self.mul:g}"
        return f"{raw}{factor}{self.add:+g}" if self.add else f"{raw}{factor}"


class Segment(Strict):
    """From this raw value up (until the next segment): raw·mul + add."""

    start: int
    mul: float
    add: float


class PiecewiseColumn(_Column):
    """A number whose formula depends on the raw value's range."""

    decode: Literal["piecewise"]
    segments: Annotated[tuple[Segment, ...], Field(min_length=2)]
    invalid: tuple[int, ...] = ()
    typical: int

    @model_validator(mode="after")
    def _segments_rise(self) -> PiecewiseColumn:
        starts = [segment.start for segment in self.segments]
        if starts != sorted(set(starts)):
            raise ValueError("segments: starts must rise")
        return self

    def scale(self, raw: float) -> float | None:
        """The value in the quantity's unit; None below the first segment."""
        fitting = [segment for segment in self.segments if raw >= segment.start]
        if not fitting:
            return None
        return round(raw * fitting[-1].mul + fitting[-1].add, VALUE_DECIMALS)

    def conversion(self) -> str:
        """The formula, as the evidence records it."""
        parts = (f"raw*{s.mul:g}{s.add:+g} from {s.start}" for s in self.segments)
        return f"piecewise({', '.join(parts)})"


class LogMwColumn(_Column):
    """raw/10⁴ mW, logarithmic in dBm (Calix AXOS). No light has no dBm value."""

    decode: Literal["log_mw"]
    invalid: tuple[int, ...] = ()
    typical: int

    def scale(self, raw: float) -> float | None:
        """10·log10(raw/10⁴); None for no light."""
        return convert(self.conversion(), raw)

    def conversion(self) -> str:
        """A name of `cpe.domain.units`."""
        return "tenth_microwatt_mw_to_dbm"


class FloatTextColumn(_Column):
    """A number in text. `pattern`, where the text holds more than numbers and units, has one group,
    the number; `invalid` are whole texts."""

    decode: Literal["float_text"]
    pattern: str = ""
    mul: float = 1.0
    invalid: tuple[str, ...] = ()
    typical: str

    @model_validator(mode="after")
    def _pattern_has_one_group(self) -> FloatTextColumn:
        if self.pattern and re.compile(self.pattern).groups != 1:
            raise ValueError("pattern: exactly one group, the number")
        return self

    def read(self, text: str, unit: str) -> Written:
        """What the text says in `unit`: a unit that it states beats the profile's scale."""
        if self.pattern:
            match = re.fullmatch(self.pattern, text.strip())
            if match is None:
                return Written(wrong="no number in the text")
            text = match[1]
        return read_number(text, unit, self.scale)

    def number(self, text: str, unit: str) -> float | None:
        """The number of the text in `unit`; None when there is none."""
        written = self.read(text, unit)
        return written.value if written.bare is None else self.scale(written.bare)

    def scale(self, raw: float) -> float | None:
        """The value of a number that stands without a unit, in the quantity's unit."""
        return round(raw * self.mul, VALUE_DECIMALS) if math.isfinite(raw) else raw

    def conversion(self) -> str:
        """The formula, as the evidence records it."""
        return "text_number" if self.mul == 1 else f"text_number*{self.mul:g}"


Word = RunState | DownCause


class EnumColumn(_Column):
    """Integers with a meaning each. There is no default: an unlisted value is announced.
    `unsure` are values with one source only; their use is noted in the measurement."""

    decode: Literal["enum"]
    values: Annotated[dict[int, str], Field(min_length=1)]
    unsure: tuple[int, ...] = ()

    @model_validator(mode="after")
    def _unsure_are_listed(self) -> EnumColumn:
        if unlisted := set(self.unsure) - set(self.values):
            raise ValueError(f"unsure: {sorted(unlisted)} are not in values")
        return self


class TextEnumColumn(_Column):
    """Texts with a meaning each, compared without case and outer blanks. No default."""

    decode: Literal["text_enum"]
    values: Annotated[dict[str, str], Field(min_length=1)]

    @model_validator(mode="after")
    def _texts_are_distinct(self) -> TextEnumColumn:
        folded = [text.strip().casefold() for text in self.values]
        if len(set(folded)) != len(folded):
            raise ValueError("values: two texts differ only by case or blanks")
        return self

    def folded(self) -> dict[str, str]:
        """The values by case-folded text."""
        return {text.strip().casefold(): word for text, word in self.values.items()}


class BitmaskColumn(_Column):
    """Defect bits; `zero` is the meaning of none. A bit that is not listed is announced."""

    decode: Literal["bitmask"]
    zero: str
    bits: Annotated[dict[Annotated[int, Field(ge=0, le=31)], str], Field(min_length=1)]


class SerialColumn(_Column):
    """The GPON serial: 8 octets, a text, either, or the row's own index."""

    decode: Literal["serial_octets", "serial_text", "serial_any", "serial_in_index"]


class TextColumn(_Column):
    """Free text: a name or a place."""

    decode: Literal["text"]


class TimeColumn(_Column):
    """A time on the OLT's clock; without a zone it is taken as UTC (see `access/olt/decode`)."""

    decode: Literal["date_and_time", "text_time"]
    invalid: tuple[str, ...] = ()


NumberColumn = IntColumn | PiecewiseColumn | LogMwColumn | FloatTextColumn
WordColumn = EnumColumn | TextEnumColumn | BitmaskColumn
AnyColumn = NumberColumn | WordColumn | SerialColumn | TextColumn | TimeColumn
Column = Annotated[AnyColumn, Field(discriminator="decode")]


def check_number(name: ColumnName, column: NumberColumn) -> None:
    """Raises ValueError when the typical raw value is not physical after scaling."""
    quantity = QUANTITIES[name]
    low, high = quantity.gate
    if isinstance(column, FloatTextColumn):
        value = column.number(column.typical, quantity.unit)
    else:
        value = column.scale(column.typical)
    if value is None or not low <= value <= high:
        raise ValueError(
            f"columns.{name}: typical {column.typical!r} becomes {value} {quantity.unit},"
            f" outside {low:g}..{high:g}"
        )


def words(column: WordColumn) -> tuple[str, ...]:
    """Every meaning the column can give."""
    if isinstance(column, BitmaskColumn):
        return (column.zero, *column.bits.values())
    return tuple(column.values.values())

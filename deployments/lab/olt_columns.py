"""What each OLT make serves, encoded by hand from the reference tables (§§ 1.1, 1.3, 1.4)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, NamedTuple

from deployments.lab.encodings import gpon_serial_octets
from deployments.lab.ont import Ont
from deployments.lab.snmp_ber import Oid, Value, integer, octets
from deployments.lab.truth import Link, Placement, Vendor

OntCell = Callable[[Ont], Value | None]


def oid(text: str) -> Oid:
    """`1.3.6` as a tuple."""
    return tuple(int(arc) for arc in text.split("."))


class OntColumn(NamedTuple):
    """A per-ONT column; `suffix` follows the ONT's index."""

    oid: Oid
    cell: OntCell
    suffix: Oid = ()


class Make(NamedTuple):
    """One OLT make."""

    sys_descr: str
    sys_object_id: Oid
    pon_index: Callable[[int], int]
    ont_index: Callable[[Placement], Oid]
    columns: tuple[OntColumn, ...]
    pon_count: Oid | None
    """Column with the number of ONTs on a PON."""
    if_index: Callable[[int], int] | None
    """IF-MIB index of a PON, where it is the same number as the PON's own."""


_PORTS: Final = 16


def _slot_port(pon: int) -> tuple[int, int]:
    return 1 + pon // _PORTS, pon % _PORTS


def _whole(number: float | None, scale: float, offset: int, missing: int) -> Value:
    return integer(missing if number is None else round(number * scale) + offset)


# -- Huawei MA5800: HUAWEI-XPON-MIB

_B: Final = "1.3.6.1.4.1.2011.6.128.1.1.2"
_NONE: Final = 2_147_483_647
_HUAWEI_CAUSE: Final = {
    Link.FEEDER_LOS: 1, Link.LOS: 2, Link.DEACTIVATED: 8, Link.DYING_GASP: 13, Link.ROGUE: 37,
    Link.ONLINE: 33,
}  # fmt: skip
"""Why it went down last; ONLINE stands for a reset by its own software."""


def _huawei_pon(pon: int) -> int:
    slot, port = _slot_port(pon)
    return 0xFA000000 | slot << 13 | port << 8


def _date_and_time(epoch_s: float | None) -> Value:
    if epoch_s is None:
        return octets(bytes(8))
    t = datetime.fromtimestamp(epoch_s, UTC)
    stamp = (t.month, t.day, t.hour, t.minute, t.second, t.microsecond // 100_000)
    return octets(t.year.to_bytes(2) + bytes(stamp) + b"+\0\0")


_HUAWEI: Final = tuple(
    OntColumn(oid(f"{_B}.{column}"), cell)
    for column, cell in (
        ("43.1.3", lambda o: octets(gpon_serial_octets(o.gpon_serial))),
        ("43.1.9", lambda o: octets(o.name)),
        ("46.1.15", lambda o: integer(1 if o.link is Link.ONLINE else 2)),
        ("46.1.20", lambda o: _whole(o.distance_m, 1, 0, -1)),
        ("46.1.22", lambda o: _date_and_time(o.up_since)),
        ("46.1.23", lambda o: _date_and_time(o.down_since)),
        ("46.1.24", lambda o: integer(-1 if o.down_since is None else _HUAWEI_CAUSE[o.last_link])),
        ("46.1.25", lambda o: _date_and_time(o.gasped_at)),
        ("51.1.1", lambda o: _whole(o.temperature_c, 1, 0, _NONE)),
        ("51.1.2", lambda o: _whole(o.bias_ma, 1, 0, _NONE)),
        ("51.1.3", lambda o: _whole(o.tx_dbm, 100, 0, _NONE)),
        ("51.1.4", lambda o: _whole(o.rx_dbm, 100, 0, _NONE)),
        ("51.1.5", lambda o: _whole(o.voltage_mv, 1, 0, _NONE)),
        ("51.1.6", lambda o: _whole(o.olt_rx_dbm, 100, 10_000, _NONE)),
    )
)

# -- ZTE C600: tree 1082. A C600 has no offline-reason column; its state tells.

_T: Final = "1.3.6.1.4.1.3902.1082.500"
_ZTE_STATE: Final = {
    Link.ONLINE: 4, Link.LOS: 2, Link.FEEDER_LOS: 2, Link.DYING_GASP: 5, Link.DEACTIVATED: 7,
    Link.ROGUE: 7,
}  # fmt: skip


def _zte_pon(pon: int) -> int:
    slot, port = _slot_port(pon)
    return 0x11000000 | 1 << 16 | slot << 8 | port + 1


def _zte_onu(ont: int) -> int:
    """1-based with gaps: every ninth number is free."""
    return 1 + ont + ont // 8


def _zte_power(dbm: float | None) -> Value:
    return integer(65_535 if dbm is None else round((dbm + 30) / 0.002) & 0xFFFF)


def _zte_time(epoch_s: float | None) -> Value:
    if epoch_s is None:
        return octets("0000-00-00 00:00:00")
    return octets(f"{datetime.fromtimestamp(epoch_s, UTC):%Y-%m-%d %H:%M:%S}")


_ZTE: Final = (
    OntColumn(oid(f"{_T}.10.2.3.3.1.2"), lambda o: octets(o.name)),
    OntColumn(oid(f"{_T}.10.2.3.3.1.6"), lambda o: octets(gpon_serial_octets(o.gpon_serial))),
    OntColumn(oid(f"{_T}.10.2.3.3.1.18"), lambda o: octets(f"1,{o.gpon_serial}")),
    OntColumn(oid(f"{_T}.10.2.3.8.1.1"), lambda o: integer(2 if o.link is Link.DEACTIVATED else 1)),
    OntColumn(oid(f"{_T}.10.2.3.8.1.4"), lambda o: integer(_ZTE_STATE[o.link])),
    OntColumn(oid(f"{_T}.10.2.3.8.1.5"), lambda o: _zte_time(o.up_since)),
    OntColumn(oid(f"{_T}.10.2.3.8.1.6"), lambda o: _zte_time(o.down_since)),
    OntColumn(oid(f"{_T}.10.2.3.10.1.2"), lambda o: _whole(o.distance_m, 1, 0, -1)),
    OntColumn(oid(f"{_T}.20.2.1.2.1.3"), lambda o: octets(gpon_serial_octets(o.gpon_serial))),
    OntColumn(oid(f"{_T}.20.2.1.2.1.7"), lambda o: integer(1 if o.link is Link.ONLINE else 2)),
    OntColumn(oid(f"{_T}.20.2.2.2.1.10"), lambda o: _zte_power(o.rx_dbm), (1,)),
    OntColumn(oid(f"{_T}.20.2.2.2.1.14"), lambda o: _zte_power(o.tx_dbm), (1,)),
    OntColumn(oid(f"{_T}.1.2.4.2.1.2"), lambda o: _whole(o.olt_rx_dbm, 1000, 0, -80_000)),
)

# -- Nokia 7360: ASAM-GPON

_N: Final = "1.3.6.1.4.1.637.61.1.35.10"
_NOKIA_BITS: Final = {
    Link.ONLINE: 0, Link.LOS: 1 | 1 << 14, Link.FEEDER_LOS: 1 | 1 << 14,
    Link.DYING_GASP: 1 << 17 | 1 << 14, Link.DEACTIVATED: 1 << 11 | 1 << 14, Link.ROGUE: 1 << 14,
}  # fmt: skip


def _nokia_pon(pon: int) -> int:
    slot, port = _slot_port(pon)
    return (slot + 1) << 25 | 0b1101 << 21 | port << 16


def _nokia_ont(where: Placement) -> Oid:
    slot, port = _slot_port(where.pon)
    return ((slot + 1) << 25 | 0b1110 << 21 | port << 16 | where.ont << 9,)


_NOKIA: Final = (
    OntColumn(oid("1.3.6.1.2.1.2.2.1.8"), lambda o: integer(1 if o.link is Link.ONLINE else 2)),
    OntColumn(oid(f"{_N}.1.1.5"), lambda o: octets(gpon_serial_octets(o.gpon_serial))),
    OntColumn(oid(f"{_N}.4.1.2"), lambda o: integer(_NOKIA_BITS[o.link])),
    OntColumn(oid(f"{_N}.4.1.3"), lambda o: _whole(o.distance_m, 0.01, 0, 65_534)),
    OntColumn(oid(f"{_N}.14.1.2"), lambda o: _whole(o.rx_dbm, 500, 0, 32_768)),
    OntColumn(oid(f"{_N}.14.1.3"), lambda o: _whole(o.voltage_mv, 0.05, 0, 32_768)),
    OntColumn(oid(f"{_N}.14.1.4"), lambda o: _whole(o.tx_dbm, 500, 0, 32_768)),
    OntColumn(oid(f"{_N}.14.1.6"), lambda o: _whole(o.temperature_c, 256, 0, 32_768)),
    OntColumn(oid(f"{_N}.18.1.2"), lambda o: _whole(o.olt_rx_dbm, 10, 0, 65_534)),
)

MAKES: Final = {
    Vendor.HUAWEI: Make(
        "Huawei Integrated Access Software", oid("1.3.6.1.4.1.2011.2.316"), _huawei_pon,
        lambda w: (_huawei_pon(w.pon), w.ont), _HUAWEI, oid(f"{_B}.21.1.16"), _huawei_pon,
    ),
    Vendor.ZTE: Make(
        "ZXA10 C600, ZTE ZXA10 C600 Software", oid("1.3.6.1.4.1.3902.1082.1001.600.1.1"),
        _zte_pon, lambda w: (_zte_pon(w.pon), _zte_onu(w.ont)), _ZTE, None, _zte_pon,
    ),
    Vendor.NOKIA: Make(
        "ISAM 7360 FX", oid("1.3.6.1.4.1.637.61.1.1.1"), _nokia_pon, _nokia_ont, _NOKIA, None,
        _nokia_pon,
    ),
}  # fmt: skip

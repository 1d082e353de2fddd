"""Each OLT family read end to end from rows made by hand from the reference's facts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from cpe.domain.errors import NotSupportedError
from cpe.domain.observation import Quality
from cpe.domain.snapshot import DownCause, OntState
from tests.support import olt_rows as rows
from tests.support.olt_bench import bench, by_name
from tests.support.snmp_agent import Raw

pytestmark = pytest.mark.asyncio(loop_scope="module")  # one warm engine for all
SERIAL = "ABCD1234ABCD"
OTHER = "ABCD1234FFFF"

ONLINE: list[tuple[str, Mapping[str, Raw], str, str, dict[str, float | None]]] = [
    (
        "huawei",
        rows.huawei(SERIAL, ont=4),
        "0/1/1",
        "4",
        {
            "optical.rx_dbm": -19.14,
            "optical.tx_dbm": 2.13,
            "optical.olt_rx_dbm": -21.0,
            "optical.temperature_c": 41,
            "optical.voltage_mv": 3220,
            "optical.bias_ma": 19,
            "line.distance_m": 3200,
        },
    ),
    (
        "zte-1012",
        rows.zte_1012(SERIAL, ont=2),
        "1/1/1",
        "2",
        {
            "optical.rx_dbm": -18.73,
            "optical.tx_dbm": 2.2,
            "optical.olt_rx_dbm": -21.5,
            "line.distance_m": 1234,
        },
    ),
    (
        "zte-1082",
        rows.zte_1082(SERIAL, ont=9),
        "1/3/1",
        "9",
        {"optical.rx_dbm": -18.73, "optical.olt_rx_dbm": -22.15, "line.distance_m": 2210},
    ),
    (
        "zte-1082",
        rows.zte_1082(SERIAL, ont=9, serial_as="octets"),
        "1/3/1",
        "9",
        {"optical.rx_dbm": -18.73},
    ),
    (
        "nokia",
        rows.nokia(SERIAL, slot=1, pon=2, ont=3),
        "1/2",
        "3",
        {"optical.rx_dbm": -20.0, "optical.olt_rx_dbm": -22.5},
    ),
    ("nokia", rows.nokia(SERIAL, ont_rx=55536), "1/1", "1", {"optical.rx_dbm": -20.0}),
    (
        "raisecom",
        rows.raisecom(SERIAL, slot=3, port=7, ont=2),
        "3/7",
        "2",
        {
            "optical.rx_dbm": -20.0,
            "optical.tx_dbm": 2.0,
            "optical.olt_rx_dbm": -23.1,
            "line.distance_m": 1500,
        },
    ),
    (
        "raisecom",
        rows.raisecom(SERIAL, slot=1, port=1, ont=100),
        "1/1",
        "100",
        {"optical.rx_dbm": -20.0, "line.distance_m": None},
    ),
    (
        "fiberhome",
        rows.fiberhome(SERIAL),
        "11/1",
        "1",
        {"optical.rx_dbm": -20.11, "optical.tx_dbm": 2.31, "optical.olt_rx_dbm": -23.45},
    ),
    (
        "calix-axos",
        rows.calix_axos(SERIAL),
        "?",
        "7",
        {"optical.rx_dbm": rows.mw_dbm(89), "optical.tx_dbm": 2.0, "optical.olt_rx_dbm": -22.01},
    ),
    (
        "tplink",
        rows.tplink(SERIAL),
        "0/3",
        "5",
        {
            "optical.rx_dbm": -19.31,
            "optical.tx_dbm": 2.1,
            "optical.olt_rx_dbm": None,
            "optical.voltage_mv": 3300,
            "optical.temperature_c": 44.5,
            "line.distance_m": 870,
        },
    ),
    ("vsol", rows.vsol(SERIAL), "4", "2", {"optical.rx_dbm": -19.32, "optical.tx_dbm": 2.31}),
    (
        "bdcom",
        rows.bdcom(SERIAL),
        "0/1",
        "1",
        {"optical.rx_dbm": -21.4, "optical.tx_dbm": None, "line.distance_m": 1234.5},
    ),
    (
        "cdata",
        rows.cdata(SERIAL),
        "0/0/1",
        "3",
        {"optical.rx_dbm": -20.11, "optical.tx_dbm": None, "line.distance_m": 640},
    ),
    (
        "cdata",
        rows.cdata(SERIAL, card="0.0"),
        "0/0/1",
        "3",
        {"optical.rx_dbm": -20.11},
    ),
    (
        "ufiber",
        rows.ufiber(SERIAL),
        "2",
        SERIAL,
        {"optical.rx_dbm": -19.12, "optical.tx_dbm": 2.15},
    ),
]


@pytest.mark.parametrize(("profile", "table", "pon", "ont", "expected"), ONLINE)
async def test_an_online_ont_is_read_in_two_pdus_with_its_place_and_its_powers(
    profile: str, table: Mapping[str, Raw], pon: str, ont: str, expected: dict[str, float | None]
):
    async with bench(profile, table) as b:
        first = await b.client.find([SERIAL])
        b.agent.pdus.clear()
        seen = await b.client.find([SERIAL])
        assert first is not None
        assert seen is not None
        assert (seen.state, seen.pon, seen.ont) == (OntState.ONLINE, pon, ont)
        assert seen.gpon_serial == SERIAL
        values = by_name(seen)
        assert {name: values[name].value for name in expected} == expected
        assert values["line.ont_state"].value == "online"
        # The walk of the PON for neighbours is not part of the targeted read.
        assert b.agent.pdus["get"] + b.agent.pdus["next"] == 2
        for name, measured in values.items():
            assert measured.path.startswith("1.3.6.1.4.1."), name
            assert (measured.value is None) == (measured.quality is not Quality.OK), name


DOWN: list[tuple[str, Mapping[str, Raw], OntState, DownCause | None]] = [
    ("huawei", rows.huawei(SERIAL, state=2, cause=13), OntState.DYING_GASP, DownCause.DYING_GASP),
    ("huawei", rows.huawei(SERIAL, state=2, cause=2), OntState.LOS, DownCause.FIBRE),
    ("huawei", rows.huawei(SERIAL, state=2, cause=8), OntState.OFFLINE, DownCause.DEACTIVATED),
    ("huawei", rows.huawei(SERIAL, state=2, cause=37), OntState.OFFLINE, DownCause.ROGUE),
    ("huawei", rows.huawei(SERIAL, state=2, cause=99), OntState.OFFLINE, DownCause.UNKNOWN),
    ("huawei", rows.huawei(SERIAL, state=-1, cause=-1), OntState.UNKNOWN, DownCause.UNKNOWN),
    ("huawei", rows.huawei(SERIAL, state=3, cause=13), OntState.UNKNOWN, DownCause.DYING_GASP),
    ("huawei", rows.huawei(SERIAL, state=1, cause=13), OntState.ONLINE, DownCause.DYING_GASP),
    ("zte-1012", rows.zte_1012(SERIAL, state=1, cause=1), OntState.LOS, DownCause.FIBRE),
    ("zte-1012", rows.zte_1012(SERIAL, state=4), OntState.DYING_GASP, DownCause.DYING_GASP),
    ("zte-1012", rows.zte_1012(SERIAL, state=6), OntState.DYING_GASP, DownCause.DYING_GASP),
    ("zte-1012", rows.zte_1012(SERIAL, state=6, cause=3), OntState.LOS, DownCause.FIBRE),
    ("zte-1082", rows.zte_1082(SERIAL, state=2), OntState.LOS, DownCause.FIBRE),
    ("zte-1082", rows.zte_1082(SERIAL, state=3), OntState.OFFLINE, None),
    ("zte-1082", rows.zte_1082(SERIAL, state=5), OntState.DYING_GASP, DownCause.DYING_GASP),
    ("zte-1082", rows.zte_1082(SERIAL, state=7), OntState.OFFLINE, None),
    (
        "zte-1082",
        rows.zte_1082(SERIAL, state=7, cause=9),
        OntState.DYING_GASP,
        DownCause.DYING_GASP,
    ),
    (
        "zte-1082",
        rows.zte_1082(SERIAL, state=2, cause=9),
        OntState.DYING_GASP,
        DownCause.DYING_GASP,
    ),
    ("nokia", rows.nokia(SERIAL, state=1), OntState.LOS, DownCause.FIBRE),
    ("nokia", rows.nokia(SERIAL, state=1 << 17 | 1), OntState.DYING_GASP, DownCause.DYING_GASP),
    ("nokia", rows.nokia(SERIAL, state=1 << 14), OntState.OFFLINE, None),
    ("nokia", rows.nokia(SERIAL, state=1 << 11), OntState.OFFLINE, DownCause.DEACTIVATED),
    ("nokia", rows.nokia(SERIAL, state=1 << 5), OntState.UNKNOWN, None),
    ("raisecom", rows.raisecom(SERIAL, state=3), OntState.DYING_GASP, DownCause.DYING_GASP),
    ("raisecom", rows.raisecom(SERIAL, state=3, cause=13), OntState.LOS, DownCause.FIBRE),
    ("raisecom", rows.raisecom(SERIAL, state=2), OntState.OFFLINE, DownCause.DYING_GASP),
    ("fiberhome", rows.fiberhome(SERIAL, state=0), OntState.OFFLINE, None),
    ("fiberhome", rows.fiberhome(SERIAL, state=2), OntState.DYING_GASP, DownCause.DYING_GASP),
    ("calix-axos", rows.calix_axos(SERIAL, state=0), OntState.UNKNOWN, DownCause.DYING_GASP),
    ("calix-axos", rows.calix_axos(SERIAL, state=2), OntState.UNKNOWN, DownCause.DYING_GASP),
    ("tplink", rows.tplink(SERIAL, online=0), OntState.DYING_GASP, DownCause.DYING_GASP),
    ("tplink", rows.tplink(SERIAL, online=0, last_down="los"), OntState.LOS, DownCause.FIBRE),
    ("tplink", rows.tplink(SERIAL, online=0, last_down="?"), OntState.OFFLINE, DownCause.UNKNOWN),
    ("vsol", rows.vsol(SERIAL, state=1), OntState.LOS, DownCause.FIBRE),
    ("vsol", rows.vsol(SERIAL, state=5), OntState.OFFLINE, DownCause.AUTH_FAILED),
    ("vsol", rows.vsol(SERIAL, state=6), OntState.OFFLINE, None),
    ("vsol", rows.vsol(SERIAL, state=9), OntState.UNKNOWN, None),
    ("bdcom", rows.bdcom(SERIAL, state=4, cause=6), OntState.LOS, DownCause.FIBRE),
    ("bdcom", rows.bdcom(SERIAL, state=2, cause=1), OntState.DYING_GASP, DownCause.DYING_GASP),
    ("bdcom", rows.bdcom(SERIAL, state=2, cause=2), OntState.OFFLINE, DownCause.ROGUE),
    ("cdata", rows.cdata(SERIAL, state=2), OntState.LOS, DownCause.FIBRE),
    ("cdata", rows.cdata(SERIAL, state=2, cause="dying-gasp"), OntState.DYING_GASP, None),
    ("cdata", rows.cdata(SERIAL, state=2, cause="--"), OntState.OFFLINE, DownCause.NONE),
    ("ufiber", rows.ufiber(SERIAL, state=2), OntState.OFFLINE, None),
]


@pytest.mark.parametrize(("profile", "table", "state", "cause"), DOWN)
async def test_a_state_is_folded_with_its_cause(
    profile: str, table: Mapping[str, Raw], state: OntState, cause: DownCause | None
):
    async with bench(profile, table) as b:
        seen = await b.client.find([SERIAL])
    assert seen is not None
    assert seen.state is state
    if cause is not None:
        assert seen.cause is cause
    told = by_name(seen)["line.ont_state"]
    assert told.value == (None if state is OntState.UNKNOWN else str(state))
    assert told.raw is not None


async def test_an_unlisted_state_is_announced_with_its_raw_value():
    async with bench("vsol", rows.vsol(SERIAL, state=9)) as b:
        seen = await b.client.find([SERIAL])
    assert seen is not None
    told = by_name(seen)["line.ont_state"]
    assert (told.quality, told.raw) == (Quality.UNKNOWN_VALUE, 9)
    assert "9 is not a documented value" in told.note


async def test_a_reading_of_a_single_source_value_says_so():
    async with bench("fiberhome", rows.fiberhome(SERIAL, state=2)) as b:
        seen = await b.client.find([SERIAL])
    assert seen is not None
    assert not seen.verified
    assert "one source" in by_name(seen)["line.ont_state"].note


async def test_down_times_of_one_olt_are_comparable():
    at = datetime(2026, 11, 23, 20, 10, 5, tzinfo=UTC)
    for profile, table in (
        ("huawei", rows.huawei(SERIAL, state=2)),
        ("zte-1082", rows.zte_1082(SERIAL, state=2)),
        ("cdata", rows.cdata(SERIAL, state=2)),
    ):
        async with bench(profile, table) as b:
            seen = await b.client.find([SERIAL])
        assert seen is not None
        assert seen.down_at == at, profile
        assert by_name(seen)["line.last_down_at"].value == "2026-11-23T20:10:05+00:00"


@pytest.mark.parametrize(
    ("profile", "table", "expected"),
    [
        (
            "huawei",
            {
                **rows.huawei(SERIAL, ont=1, state=2, cause=2),
                **rows.huawei(OTHER, ont=2, state=2, cause=13),
                **rows.huawei("ABCD00000001", ont=3),
                **rows.huawei("ABCD00000002", port=2, ont=1),
            },
            [OntState.DYING_GASP, OntState.ONLINE],
        ),
        (
            "nokia",
            {
                **rows.nokia(SERIAL, ont=1, state=1),
                **rows.nokia(OTHER, ont=128, state=1),
                **rows.nokia("ABCD00000001", pon=2, ont=1),
                **rows.nokia("ABCD00000002", slot=2, ont=1),
            },
            [OntState.LOS],
        ),
        (
            "raisecom",
            {
                **rows.raisecom(SERIAL, ont=1, state=3),
                **rows.raisecom(OTHER, ont=2),
                **rows.raisecom("ABCD00000001", port=8, ont=1),
            },
            [OntState.ONLINE],
        ),
        (
            "fiberhome",
            {**rows.fiberhome(SERIAL, ont=1), **rows.fiberhome(OTHER, ont=2, state=2)},
            [OntState.DYING_GASP],
        ),
        (
            "cdata",
            {
                **rows.cdata(SERIAL, ont=1, state=2),
                **rows.cdata(OTHER, ont=2, state=2),
                **rows.cdata("ABCD00000001", port=2, ont=1),
            },
            [OntState.LOS],
        ),
        (
            "bdcom",
            {
                **rows.bdcom(SERIAL, state=4),
                **rows.bdcom(OTHER, index=80, state=4, name=b"GPON0/1:2"),
                **rows.bdcom("ABCD00000001", index=81, state=2, cause=1, name=b"GPON0/1:12"),
                **rows.bdcom("ABCD00000002", index=82, name=b"GPON0/11:1"),
                "1.3.6.1.2.1.2.2.1.2.1": b"GPON0/1",
            },
            [OntState.LOS, OntState.DYING_GASP],
        ),
        (
            "ufiber",
            {
                **rows.ufiber(SERIAL),
                **rows.ufiber(OTHER, state=2),
                **rows.ufiber("ABCD00000001", port=1),
            },
            [OntState.OFFLINE],
        ),
        (
            "tplink",
            {**rows.tplink(SERIAL, ont=1), **rows.tplink(OTHER, ont=2, online=0)},
            [OntState.DYING_GASP],
        ),
    ],
)
async def test_neighbours_are_the_other_onts_of_the_same_pon(
    profile: str, table: Mapping[str, Raw], expected: list[OntState]
):
    async with bench(profile, table) as b:
        seen = await b.client.find([SERIAL])
    assert seen is not None
    assert seen.neighbours is not None, seen.neighbours_detail
    assert [n.state for n in seen.neighbours] == expected
    assert seen.index not in [n.index for n in seen.neighbours]


@pytest.mark.parametrize(
    ("profile", "table"),
    [
        ("nokia", {**rows.nokia(SERIAL), **rows.nokia(OTHER, ont=2, state=1 << 11 | 1 << 14)}),
        ("huawei", {**rows.huawei(SERIAL), **rows.huawei(OTHER, ont=2, state=2, cause=8)}),
    ],
)
async def test_a_neighbour_that_was_switched_off_says_so(profile: str, table: Mapping[str, Raw]):
    async with bench(profile, table) as b:
        seen = await b.client.find([SERIAL])
    assert seen is not None
    assert seen.neighbours is not None
    assert [(n.state, n.cause) for n in seen.neighbours] == [
        (OntState.OFFLINE, DownCause.DEACTIVATED)
    ]


@pytest.mark.parametrize(
    ("profile", "table", "why"),
    [
        (
            "bdcom",
            rows.bdcom(SERIAL, name=b"GigaEthernet0/1"),
            "the name 'GigaEthernet0/1' does not tell the PON",
        ),
        ("calix-axos", rows.calix_axos(SERIAL), "no known column tells which PON"),
        (
            "fiberhome",
            rows.fiberhome(SERIAL, told_slot=12),
            "the OLT says slot 12, the index says 11",
        ),
    ],
)
async def test_an_unknown_pon_has_no_neighbours_rather_than_strangers(
    profile: str, table: Mapping[str, Raw], why: str
):
    async with bench(profile, table) as b:
        seen = await b.client.find([SERIAL])
    assert seen is not None
    assert seen.neighbours is None
    assert why in seen.neighbours_detail


async def test_tplink_layout_b_is_refused_with_the_reason():
    async with bench("tplink", rows.tplink(SERIAL, layout="B")) as b:
        with pytest.raises(NotSupportedError, match="column layout B"):
            await b.client.find([SERIAL])


async def test_calix_axos_says_that_it_has_no_serial():
    async with bench("calix-axos", rows.calix_axos("house 12")) as b:
        with pytest.raises(NotSupportedError, match="SNMP has no serial"):
            await b.client.find([SERIAL])
        seen = await b.client.find([SERIAL, "House 12"])
    assert seen is not None
    assert seen.gpon_serial is None


async def test_ufiber_is_found_without_a_walk_in_either_case_of_its_hex_digits():
    serial = "UBNTABCD1234"
    table = {
        name.replace(".65.66.67.68.49", ".97.98.99.100.49"): value
        for name, value in rows.ufiber(serial).items()
    }
    async with bench("ufiber", table) as b:
        seen = await b.client.find([serial])
        assert seen is not None
        assert seen.gpon_serial == serial
        before = [kind for kind, _ in b.agent.asked].index("bulk")
        assert b.agent.pdus["get"] == 3  # upper case, lower case, optics
        assert before == 3
        assert await b.client.find([OTHER]) is None


async def test_ufiber_without_a_table_is_not_an_ont_that_is_missing():
    async with bench("ufiber", {"1.3.6.1.2.1.1.1.0": b"EdgeOS"}) as b:
        with pytest.raises(NotSupportedError, match="absent or empty"):
            await b.client.find([SERIAL])

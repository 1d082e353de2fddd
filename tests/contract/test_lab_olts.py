"""The lab's OLTs as net-snmp sees them, and as physics has it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest

from deployments.lab.serve import COMMUNITY, Lab
from deployments.lab.truth import Link
from tests.contract.lab_tools import befall, quick_lab

pytestmark = pytest.mark.snmptools

HUAWEI = "1.3.6.1.4.1.2011.6.128.1.1.2"
ZTE = "1.3.6.1.4.1.3902.1082.500"
NOKIA = "1.3.6.1.4.1.637.61.1.35.10"


@pytest.fixture
async def lab(tmp_path) -> AsyncIterator[Lab]:
    async with quick_lab(tmp_path, devices=60) as (running, _):
        yield running


async def snmp(program: str, lab: Lab, olt: int, *arguments: str, community: str = COMMUNITY):
    port = lab.agents[olt].port
    options = ["-v2c", "-c", community, "-Onq", "-Ir", "-t", "0.5", "-r", "0"]
    process = await asyncio.create_subprocess_exec(
        program, *options, f"127.0.0.1:{port}", *arguments, stdout=-1, stderr=-1
    )
    out, err = await process.communicate()
    rows = re.findall(r"^\.([\d.]+) (.*)$", out.decode(), re.MULTILINE)
    return {name: value.strip('" ') for name, value in rows}, err.decode()


@pytest.mark.parametrize(
    ("olt", "descr", "object_id"),
    [
        (0, "Huawei Integrated Access Software", ".1.3.6.1.4.1.2011.2.316"),
        (1, "ZXA10 C600", ".1.3.6.1.4.1.3902.1082.1001.600.1.1"),
        (2, "ISAM 7360", ".1.3.6.1.4.1.637.61.1"),
    ],
)
async def test_an_olt_says_what_it_is(lab, olt, descr, object_id):
    rows, _ = await snmp("snmpget", lab, olt, "1.3.6.1.2.1.1.1.0", "1.3.6.1.2.1.1.2.0")
    assert descr in rows["1.3.6.1.2.1.1.1.0"]
    assert rows["1.3.6.1.2.1.1.2.0"].startswith(object_id)


@pytest.mark.parametrize(
    ("olt", "column", "onts"),
    [(0, f"{HUAWEI}.43.1.3", 24), (1, f"{ZTE}.20.2.1.2.1.3", 24), (2, f"{NOKIA}.1.1.5", 12)],
)
async def test_a_bulk_walk_meets_every_serial_once(lab, olt, column, onts):
    rows, _ = await snmp("snmpbulkwalk", lab, olt, column)
    serials = {value.replace(" ", "") for value in rows.values()}
    assert len(rows) == len(serials) == onts
    plant = lab.plant
    expected = {
        who.gpon_serial[:4].encode().hex().upper() + who.gpon_serial[4:]
        for who in plant.identities[:60]
        if plant.place(who.index).olt == olt
    }
    assert serials == expected


async def test_huawei_writes_powers_as_its_mib_says(lab):
    befall(lab, "LAB0001", rx_dbm=-24.15, olt_rx_dbm=-19.36, tx_dbm=2.13, temperature_c=41.0)
    index = "4194312192.0"
    rows, _ = await snmp(
        "snmpget", lab, 0, *(f"{HUAWEI}.51.1.{column}.{index}" for column in (1, 3, 4, 6))
    )
    assert list(rows.values()) == ["41", "213", "-2415", "8064"]


async def test_zte_writes_powers_as_its_tree_says(lab):
    befall(lab, "LAB0014", rx_dbm=-18.73, olt_rx_dbm=-21.91)
    pon = 0x11000000 | 1 << 16 | 1 << 8 | 1
    rows, _ = await snmp(
        "snmpget", lab, 1, f"{ZTE}.20.2.2.2.1.10.{pon}.2.1", f"{ZTE}.1.2.4.2.1.2.{pon}.2"
    )
    assert list(rows.values()) == ["5635", "-21910"]


async def test_nokia_writes_powers_as_working_code_reads_them(lab):
    serial = lab.plant.identities[24].serial
    befall(lab, serial, rx_dbm=-20.0, olt_rx_dbm=-22.6)
    rows, _ = await snmp("snmpget", lab, 2, f"{NOKIA}.14.1.2.96468992", f"{NOKIA}.18.1.2.96468992")
    assert list(rows.values()) == ["-10000", "-226"]


DEAD = [
    (0, Link.LOS, {f"{HUAWEI}.46.1.15.4194312192.1": "2", f"{HUAWEI}.46.1.24.4194312192.1": "2"}),
    (0, Link.DYING_GASP, {f"{HUAWEI}.46.1.24.4194312192.1": "13"}),
    (0, Link.ROGUE, {f"{HUAWEI}.46.1.24.4194312192.1": "37"}),
    (0, Link.DEACTIVATED, {f"{HUAWEI}.51.1.4.4194312192.1": "2147483647"}),
    (1, Link.LOS, {f"{ZTE}.10.2.3.8.1.4.285278465.2": "2"}),
    (1, Link.DYING_GASP, {f"{ZTE}.10.2.3.8.1.4.285278465.2": "5"}),
    (1, Link.DEACTIVATED, {f"{ZTE}.20.2.2.2.1.10.285278465.2.1": "65535"}),
    (2, Link.LOS, {"1.3.6.1.2.1.2.2.1.8.96469504": "2", f"{NOKIA}.4.1.2.96469504": "16385"}),
    (2, Link.DYING_GASP, {f"{NOKIA}.4.1.2.96469504": "147456"}),
    (2, Link.DEACTIVATED, {f"{NOKIA}.14.1.2.96469504": "32768"}),
]


@pytest.mark.parametrize(("olt", "link", "expected"), DEAD)
async def test_a_dead_ont_shows_its_cause_and_no_power(lab, olt, link, expected):
    befall(lab, lab.plant.identities[olt * 12 + 1].serial, link=link)
    rows, _ = await snmp("snmpget", lab, olt, *expected)
    assert rows == expected


async def test_a_feeder_cut_takes_the_whole_pon_and_no_other(lab):
    lab.set_scenario("LAB0041", "pon-outage")
    rows, _ = await snmp("snmpbulkwalk", lab, 0, f"{HUAWEI}.46.1.15")
    states = {name.split(".")[-2]: set() for name in rows}
    for name, value in rows.items():
        states[name.split(".")[-2]].add(value)
    assert states == {"4194312192": {"1"}, "4194312448": {"2"}}
    causes, _ = await snmp("snmpget", lab, 0, f"{HUAWEI}.46.1.24.4194312448.7")
    assert list(causes.values()) == ["1"]
    lab.set_scenario("LAB0041", "healthy-stale")
    again, _ = await snmp("snmpbulkwalk", lab, 0, f"{HUAWEI}.46.1.15")
    assert set(again.values()) == {"1"}


async def test_former_subscribers_appear_and_are_long_dark(lab):
    lab.set_scenario("LAB0005", "churned-neighbours")
    rows, _ = await snmp("snmpbulkwalk", lab, 0, f"{HUAWEI}.46.1.15.4194312192")
    assert sorted(rows.values()).count("2") == 21
    assert len(rows) == 32


async def test_what_the_acs_knows_an_olt_need_not(lab):
    lab.set_scenario("LAB0001", "unknown-everywhere")
    rows, _ = await snmp("snmpbulkwalk", lab, 0, f"{HUAWEI}.43.1.3")
    assert len(rows) == 23


async def test_a_wrong_community_gets_silence(lab):
    rows, error = await snmp("snmpget", lab, 0, "1.3.6.1.2.1.1.1.0", community="public")
    assert rows == {}
    assert "Timeout" in error
    assert lab.agents[0].pdus == 1


async def test_unknown_subtrees_are_no_such_object_and_rows_no_such_instance(lab):
    rows, _ = await snmp("snmpget", lab, 0, "1.3.6.1.4.1.9.1.0", f"{HUAWEI}.46.1.15.1.1")
    assert "No Such Object" in rows["1.3.6.1.4.1.9.1.0"]
    assert "No Such Instance" in rows[f"{HUAWEI}.46.1.15.1.1"]


async def test_the_end_of_the_mib_is_told(lab):
    rows, _ = await snmp("snmpgetnext", lab, 2, "1.3.6.1.6")
    assert "No more variables" in rows["1.3.6.1.6"]


async def test_an_agent_that_does_not_go_on_is_caught_by_net_snmp(lab):
    await lab.set_fault("olt:olt-nord", "non_increasing")
    _, error = await snmp("snmpwalk", lab, 0, f"{HUAWEI}.46.1.15.4194312192")
    assert "not increasing" in error


@pytest.mark.parametrize("fault", ["silent", "down", "wrong_community"])
async def test_a_troubled_olt_recovers_when_the_fault_is_lifted(lab, fault):
    await lab.set_fault("olt:olt-sud", fault)
    rows, _ = await snmp("snmpget", lab, 2, "1.3.6.1.2.1.1.5.0")
    assert rows == {}
    await lab.set_fault("olt:olt-sud", "none")
    rows, _ = await snmp("snmpget", lab, 2, "1.3.6.1.2.1.1.5.0")
    assert list(rows.values()) == ["olt-sud"]

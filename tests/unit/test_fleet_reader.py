"""The compiled reader of a sweep and the adapter of a diagnosis read the same of every document."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from cpe.access.genieacs.lookup import sighting
from cpe.access.genieacs.sweep.plan import COLUMNS, SCALARS, family_plan, sweep_projection
from cpe.access.genieacs.sweep.reader import FleetPart, FleetReader
from cpe.access.genieacs.transport import MAX_URL
from cpe.domain.redaction import is_secret_name
from cpe.profiles.cpe_profile import profiles
from deployments.lab.acs_answers import json_of
from deployments.lab.acs_devices import AcsDevices
from deployments.lab.acs_projection import parse_projection, project
from deployments.lab.plant import Plant
from deployments.lab.scenarios import SCENARIOS

LIMIT_S = 86_400.0
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def documents():
    """A plant in which everything befalls somebody, as the NBI projects it."""
    plant = Plant(400, 3, fault_share=0.5)
    for index, scenario in enumerate(SCENARIOS):
        box = plant.identities[20 + index]
        if not plant._mismatch(20 + index, SCENARIOS[scenario]):
            plant.set_scenario(box.serial, scenario)
    devices = AcsDevices(plant)
    tree = parse_projection(",".join(sweep_projection()))
    return [json.loads(json_of(devices.document(key, tree))) for key in list(devices.keys())]


def assert_same(document, now=NOW, limit_s=LIMIT_S):
    part = FleetPart()
    FleetReader(now=now, limit_s=limit_s).read(document, part)
    box = {name: values[0] for name, values in part.boxes.items()}
    seen = sighting(document, now=now, limit_s=limit_s)
    usable = {
        (m.name, m.subject): m
        for m in seen.measurements
        if m.usable and (m.name in SCALARS or any(m.name in c for c in COLUMNS.values()))
    }

    def value(name):
        found = usable.get((name, ""))
        return found.value if found is not None else None

    assert box["rx_dbm"] == value("optical.rx_dbm")
    assert box["tx_dbm"] == value("optical.tx_dbm")
    assert box["temperature_c"] == value("optical.temperature_c")
    assert box["uptime_s"] == value("device.uptime_s")
    rx = next((m for m in seen.measurements if m.name == "optical.rx_dbm"), None)
    assert box["rx_quality"] == (rx.quality.value if rx is not None else "not_read")
    for name in ("serial", "acs_id", "manufacturer", "model", "firmware", "gpon_serial", "mac",
                 "family"):  # fmt: skip
        assert box[name] == getattr(seen.device, name), name
    assert _when(box["last_inform"]) == seen.last_inform
    assert _when(box["last_boot"]) == seen.last_boot
    good = [m.measured_at for m in seen.measurements if m.quality == "ok" and m.measured_at]
    assert _when(box["spoke_at"]) == max(good, default=None)
    for kind, columns in (("radio", part.radios), ("node", part.nodes)):
        assert rows(columns) == expected_rows(seen, usable, kind), kind


def rows(columns):
    names = [name for name in columns if name != "box"]
    return [tuple(r) for r in zip(*(columns[name] for name in names), strict=True)]


def expected_rows(seen, usable, kind):
    names = COLUMNS[kind]
    subjects = dict.fromkeys(
        m.subject for m in seen.measurements
        if m.subject.startswith(f"{kind}:") and m.name in names
    )  # fmt: skip
    return [
        tuple(usable[n, s].value if (n, s) in usable else None for n in names) for s in subjects
    ]


def _when(epoch_s):
    return None if epoch_s is None else datetime.fromtimestamp(round(epoch_s, 6), UTC)


def test_both_read_the_same_of_a_plant_in_which_everything_goes_wrong(documents):
    families = set()
    for document in documents:
        assert_same(document)
        families.add(document["_deviceId"]["_Manufacturer"])
    assert len(families) >= 4


@pytest.mark.parametrize("limit_s", [60.0, 3_600.0, 20_000.0])
def test_both_call_the_same_readings_stale(documents, limit_s):
    for document in documents[::7]:
        assert_same(document, limit_s=limit_s)


def test_both_treat_a_clock_ahead_of_ours_alike(documents):
    for document in documents[::17]:
        assert_same(document, now=NOW - timedelta(days=2))


STRANGE = (
    {},
    {"Device": {}},
    {"Device": "text"},
    {"Device": {"Optical": None}},
    {"Device": {"Optical": {"Interface": {"1": {"X_TP_GPON_Config": {}}}}}},
)
LEAVES = (
    None, True, "", "0", "abc", "-21.5 dBm", 5624, 0, 65535, -40, 1e300, "nan", [1], {"a": 1},
)  # fmt: skip


@pytest.mark.parametrize("tree", STRANGE)
def test_both_survive_documents_of_another_shape(tree):
    assert_same({"_id": "A-B-C", "_deviceId": {"_SerialNumber": "C"}, **tree})


@pytest.mark.parametrize("raw", LEAVES)
@pytest.mark.parametrize("stamp", ["2026-11-27T00:00:00.000Z", "nonsense", None])
def test_both_read_strange_leaves_alike(raw, stamp):
    leaf = {"_value": raw, "_timestamp": stamp or NOW.isoformat(), "_object": False}
    if stamp is None:
        del leaf["_timestamp"]
    radio = {"X_TP_Band": {**leaf, "_value": "5GHz"}, "Utilization": leaf, "Noise": leaf}
    node = {"MACAddress": {**leaf, "_value": "AA"}, "X_TP_Active": leaf, "BackhaulLinkType": leaf,
            "BackhaulSignalStrength": leaf, "BackhaulLinkUtilization": leaf}  # fmt: skip
    document = {
        "_id": "A-B-C",
        "_deviceId": {"_SerialNumber": "C", "_Manufacturer": "TP-Link"},
        "_lastInform": stamp,
        "Device": {
            "DeviceInfo": {"UpTime": leaf, "SoftwareVersion": leaf},
            "Optical": {"Interface": {"1": {
                "X_TP_GPON_Config": {"RXPower": leaf, "TXPower": leaf},
                "OpticalSignalLevel": {"_object": False, "_writable": False},
                "Stats": {"SignalRxPower": leaf},
            }}},
            "WiFi": {
                "DataElements": {"Network": {"Device": {"1": {"Radio": {"1": radio, "2": radio}}}}},
                "MultiAP": {"APDevice": {"1": node, "2": node, "3": {}}},
            },
        },
    }  # fmt: skip
    assert_same(document)


def test_the_one_query_is_narrow_enough_for_an_nbi_and_holds_no_secret():
    paths = sweep_projection()
    assert len(",".join(paths)) < MAX_URL - 2_000
    assert not [path for path in paths if is_secret_name(path)]


def test_every_family_can_be_planned():
    for profile in profiles():
        plan = family_plan(profile.id)
        assert {column.name for column in plan.scalars} <= set(SCALARS)


def test_a_document_that_holds_more_than_was_asked_for_gives_the_same(documents):
    tree = parse_projection(",".join(sweep_projection()))
    for document in documents[::29]:
        wider = {**document, "_tags": ["x"], "_lastBootstrap": "2026-01-01T00:00:00.000Z"}
        assert project(wider, tree) == document
        assert_same(wider)


@pytest.mark.parametrize(
    ("table", "kind", "number", "more"),
    [
        ("Device.WiFi.Radio", "more_radios", 3, False),
        ("Device.WiFi.Radio", "more_radios", 4, True),
        ("Device.WiFi.MultiAP.APDevice", "more_nodes", 6, False),
        ("Device.WiFi.MultiAP.APDevice", "more_nodes", 7, True),
        ("Device.WiFi.DataElements.Network.Device", "more_nodes", 9, True),
    ],
)
def test_a_box_with_more_rows_than_a_sweep_reads_is_known_to_have_them(table, kind, number, more):
    row = {"_object": True, "_writable": False, "Enable": {"_value": True, "_object": False}}
    tree: dict = {str(n): dict(row) for n in (1, number)}
    for step in reversed(table.split(".")):
        tree = {step: tree}
    whole = {
        "_id": "A-B-C", "_deviceId": {"_SerialNumber": "C", "_Manufacturer": "TP-Link"}, **tree,
    }  # fmt: skip
    asked = project(whole, parse_projection(",".join(sweep_projection())))
    part = FleetPart()
    FleetReader(now=NOW, limit_s=LIMIT_S).read(asked, part)
    told = {name: part.boxes[name][0] for name in ("more_radios", "more_nodes")}
    assert told == {"more_radios": False, "more_nodes": False, kind: more}

"""Laws of a refresh: what it did not read again is not judged, no row is taken on trust."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from cpe.access.genieacs.document import covers, instances, listed_at
from cpe.access.genieacs.lookup import sighting
from cpe.access.genieacs.proof import SLOT
from cpe.profiles.quantities import Need, quantities
from tests.support.boxes import NOW, box, put, stamp

NODE = "Device.WiFi.MultiAP.APDevice"
LEAVES = {
    "Device.Optical.Interface.1.X_TP_GPON_Config.RXPower": 5624,
    "Device.Optical.Interface.1.X_TP_GPON_Config.TXPower": 14880,
    "Device.DeviceInfo.UpTime": 900,
    "Device.WiFi.Radio.1.Status": "Up",
    "Device.WiFi.Radio.1.Enable": True,
    f"{NODE}.1.MACAddress": "1C:61:B4:00:00:01",
    f"{NODE}.1.BackhaulSignalStrength": 100,
    f"{NODE}.1.Radio.1.AP.1.AssociatedDevice.3.MACAddress": "3E:00:00:00:00:03",
    f"{NODE}.1.Radio.1.AP.1.AssociatedDevice.3.SignalStrength": 110,
}
AGES = st.fixed_dictionaries({path: st.floats(0, 120) for path in LEAVES})


@given(ages_s=AGES, began_s=st.floats(0, 90))
def test_no_reading_older_than_its_refresh_is_judged(ages_s, began_s):
    document = box(LEAVES, ages_s=ages_s)
    since = NOW - timedelta(seconds=began_s)
    seen = sighting(document, now=NOW, limit_s=60, since=since)
    for measurement in seen.measurements:
        if quantities()[measurement.name].need is Need.JUDGED and measurement.usable:
            assert measurement.measured_at >= since - SLOT - timedelta(seconds=0.1)
            assert measurement.age_s <= 60


@given(ages_s=AGES)
def test_without_a_refresh_the_limit_alone_decides(ages_s):
    seen = sighting(box(LEAVES, ages_s=ages_s), now=NOW, limit_s=60)
    judged = [m for m in seen.measurements if quantities()[m.name].need is Need.JUDGED]
    assert all(m.age_s <= 60 for m in judged if m.usable)


@given(times=st.lists(st.floats(0, 300), min_size=3, max_size=3))
def test_a_list_of_rows_is_as_old_as_its_oldest_branch(times):
    document = box({f"{NODE}.{n}.Radio.1.Channel": 6 for n in (1, 2)})
    table = document["Device"]["WiFi"]["MultiAP"]["APDevice"]
    nodes = [table, table["1"]["Radio"], table["2"]["Radio"]]
    for node, age_s in zip(nodes, times, strict=True):
        node["_timestamp"] = stamp(NOW - timedelta(seconds=age_s))
    listed = listed_at(document, f"{NODE}.*.Radio.*")
    assert abs((NOW - listed).total_seconds() - max(times)) < 0.01


def test_a_branch_that_was_never_listed_makes_the_age_unknown():
    document = box({f"{NODE}.{n}.Radio.1.Channel": 6 for n in (1, 2)})
    document["Device"]["WiFi"]["MultiAP"]["APDevice"]["_timestamp"] = stamp(NOW)
    assert listed_at(document, f"{NODE}.*.Radio.*") is None


def test_an_object_that_its_parent_does_not_name_is_as_sure_as_the_parents_list():
    document = box({"Device.WiFi.Radio.1.Status": "Up"})
    assert listed_at(document, f"{NODE}.*") is None
    document["Device"]["WiFi"]["_timestamp"] = stamp(NOW)
    assert listed_at(document, f"{NODE}.*") == NOW


@given(numbers=st.lists(st.integers(1, 99), unique=True, max_size=6))
def test_a_pattern_covers_its_instances_and_no_other_path(numbers):
    document = box({})
    for number in numbers:
        put(document, f"{NODE}.{number}.MACAddress", "x", NOW)
        put(document, f"{NODE}.{number}.X_TP_Active", "x", NOW)
    pattern = f"{NODE}.*.MACAddress"
    found = list(instances(document, pattern))
    assert len(found) == len(numbers)
    assert all(covers(pattern, path) for path in found)
    assert not any(covers(pattern, f"{NODE}.{n}.X_TP_Active") for n in numbers)

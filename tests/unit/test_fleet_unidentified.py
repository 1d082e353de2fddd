"""Who is asked in a sweep for its names: boxes never asked, each once, within the budget."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpe.access.genieacs.family import choose_family
from cpe.access.genieacs.nbi import PART_LENGTH
from cpe.access.genieacs.sweep.unidentified import (
    can_be_asked,
    unidentified,
    unidentified_projection,
)
from tasks.refreshing import shared_budget
from tests.support.boxes import put
from tests.support.transcripts import nbi, query_of, rows

NOW = datetime.now(UTC)
NAMES = {
    "Device.DeviceInfo.ModelName": "XX230v",
    "Device.DeviceInfo.HardwareVersion": "1.0",
    "Device.Optical.Interface.1.GponAuth.GponSn": "TPLGB4B4DCB4",
    "Device.Ethernet.Interface.1.MACAddress": "AA:BB:CC:00:00:01",
}
OBJECTS = sorted(p for p in unidentified_projection() if p.endswith("._timestamp"))


def a_document(names=(), *, url="http://127.0.0.1:7600/x", acs_id="1C61B4-Device2-S1"):
    """A box of which the ACS has an Inform and these names."""
    document = {
        "_id": acs_id,
        "_deviceId": {"_Manufacturer": "TP-Link", "_ProductClass": "Device2"},
        "_lastInform": NOW.isoformat(),
    }
    put(document, "Device.DeviceInfo.SoftwareVersion", "1", NOW)
    put(document, "Device.ManagementServer.ConnectionRequestURL", url, NOW)
    for name in names:
        put(document, name, NAMES[name], NOW)
    return document


def is_asked(document):
    return can_be_asked(document, choose_family(document))


def list_names(document, node=None):
    """The box was asked: every object that there is has had its names listed."""
    node = document["Device"] if node is None else node
    node["_timestamp"] = NOW.isoformat()
    for child in node.values():
        if isinstance(child, dict) and "_value" not in child and child.get("_object") is not False:
            list_names(document, child)


def test_a_box_of_which_only_an_inform_is_known_is_asked():
    assert is_asked(a_document())


def test_a_box_whose_names_were_all_read_is_not_asked():
    assert not is_asked(a_document(NAMES))


@pytest.mark.parametrize("missing", NAMES)
def test_one_name_that_was_never_read_is_enough(missing):
    assert is_asked(a_document([name for name in NAMES if name != missing]))


@pytest.mark.parametrize("missing", NAMES)
def test_a_box_that_does_not_have_a_name_is_not_asked_every_night(missing):
    document = a_document([name for name in NAMES if name != missing])
    list_names(document)
    assert not is_asked(document)


def test_a_box_that_has_none_of_them_is_not_asked_every_night():
    document = a_document()
    list_names(document)
    assert not is_asked(document)


def test_a_name_that_was_read_and_is_blank_is_not_asked_every_night():
    document = a_document([n for n in NAMES if not n.endswith("GponSn")])
    put(document, "Device.Optical.Interface.1.GponAuth.GponSn", "", NOW)
    list_names(document)
    assert not is_asked(document)


def test_a_name_that_was_discovered_and_never_read_is_asked():
    document = a_document([n for n in NAMES if not n.endswith("ModelName")])
    list_names(document)
    document["Device"]["DeviceInfo"]["ModelName"] = {"_object": False, "_writable": False}
    assert is_asked(document)


def test_an_object_that_was_discovered_and_not_looked_into_says_nothing_of_its_leaves():
    document = a_document([n for n in NAMES if not n.endswith("MACAddress")])
    list_names(document)
    document["Device"]["Ethernet"] = {"_object": True, "_writable": False}
    assert is_asked(document)


def test_a_box_that_was_reset_is_asked_again():
    document = a_document()
    list_names(document)
    assert is_asked(a_document()), "0 BOOTSTRAP wipes what the ACS has"


@pytest.mark.parametrize("url", ["", None])
def test_a_box_that_cannot_be_called_is_not_asked(url):
    assert not is_asked(a_document(url=url))


def test_one_request_line_holds_the_whole_projection():
    assert len(",".join(unidentified_projection())) < PART_LENGTH
    assert "Device.DeviceInfo._timestamp" in OBJECTS


async def test_the_fleet_is_read_once_and_no_more_are_named_than_asked_for():
    seen = []

    def answer(request):
        seen.append(query_of(request))
        whole = a_document(NAMES, acs_id="whole")
        return rows(whole, *(a_document(acs_id=f"box-{n}") for n in range(30)))

    found = await unidentified(nbi(answer), limit=7)
    assert len(found) == len(set(found)) == 7
    assert "whole" not in found
    [query] = seen
    since = datetime.fromisoformat(query["_lastInform"]["$gte"])
    assert timedelta(hours=23) < datetime.now(UTC) - since < timedelta(hours=25)


IDS = st.lists(st.sampled_from([f"b{n}" for n in range(30)]), unique=True)


@given(IDS, IDS, st.integers(0, 20))
def test_the_budget_is_kept_and_neither_kind_starves_the_other(stale, nameless, total):
    asked = shared_budget(stale, nameless[:total], total)
    assert len(asked) == len(set(asked)) <= total
    assert len(asked) == min(total, len({*stale[:total], *nameless[:total]})) or len(asked) == total
    assert len(set(asked) & set(nameless)) >= min(len(nameless), total // 2)
    assert len(set(asked) & set(stale)) >= min(len(stale), total // 2)
    assert asked[: len(stale[: total - total // 2])] == stale[: total - total // 2]

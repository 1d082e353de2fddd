"""A list names a hundred boxes at most: those that matter most."""

from __future__ import annotations

import pytest

from tests.support.small_fleet import NOW, a_box, an_ont, judged


@pytest.mark.parametrize(
    ("name", "powers", "first"),
    [("weak", [-25.5, -25.6, -29.0, -25.2], ["S2", "S1", "S0", "S3"]),
     ("overloaded", [-7.9, -3.0, -5.0], ["S1", "S2", "S0"])],
)  # fmt: skip
def test_the_worst_of_a_list_come_first(name, powers, first):
    found = judged([a_box(n, rx_dbm=dbm) for n, dbm in enumerate(powers)])
    assert [one["serial"] for one in found.summary[name]["boxes"]] == first


def test_the_worst_is_named_in_a_list_that_is_cut_short():
    boxes = [a_box(n, rx_dbm=-25.1) for n in range(120)]
    boxes.append(a_box(120, rx_dbm=-30.0))
    weak = judged(boxes).summary["weak"]
    assert (weak["count"], len(weak["boxes"]), weak["boxes"][0]["serial"]) == (121, 100, "S120")


def test_a_firmware_is_not_to_blame_for_the_cable_of_its_quarter():
    boxes = [a_box(n, firmware="2" if n < 40 else "1") for n in range(120)]
    for box in boxes[:40]:
        box |= {"last_inform": NOW - 400, "spoke_at": NOW - 460}
    onts = [an_ont(n, **({"state": "los", "down_at": NOW - 400} if n < 40 else {"pon": "0/2"}))
            for n in range(120)]  # fmt: skip
    found = judged(boxes, onts).summary
    assert found["verdicts"] == {"healthy": 80, "pon_outage": 40}
    assert found["firmware"] == []


def test_a_firmware_whose_boxes_are_faulty_is_told():
    boxes = [a_box(n, firmware="2" if n < 40 else "1") for n in range(120)]
    for box in boxes[:40]:
        box["temperature_c"] = 90.0
    [found] = judged(boxes).summary["firmware"]
    assert (found["firmware"], found["why"], found["fault_pct"]) == ("2", "faulty", 100.0)


def test_onts_that_the_acs_never_knew_come_after_boxes_that_fell_silent():
    """Bridges that nobody manages, or boxes whose GPON serial the ACS has not read."""
    boxes = [a_box(n, last_inform=NOW - 4 * 3_600 if n == 39 else NOW - 60) for n in range(40)]
    onts = [an_ont(n) for n in range(160)]
    found = judged(boxes, onts).summary
    assert found["silent"]["count"] == 121
    assert found["silent"]["boxes"][0]["serial"] == "S39"
    assert found["worst"][0]["serial"] == "S39"
    assert found["not_in_acs"]["count"] == 120

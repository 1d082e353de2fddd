"""A list names a hundred boxes at most: those that matter most."""

from __future__ import annotations

import pytest

from tests.support.small_fleet import a_box, judged


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

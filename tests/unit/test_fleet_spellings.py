"""The sweep joins ACS, OLT and stock by what a serial is, not by how it is written."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpe.domain.serials import identity_key
from cpe.fleet.join import identity_keys
from tests.support.small_fleet import a_box, an_ont, judged

TEXTS = st.one_of(
    st.none(),
    st.text(alphabet="0123456789abcdefABCDEF:-. ", max_size=20),
    st.from_regex(r"[A-Za-z]{4}[0-9A-Fa-f]{8}", fullmatch=True),
    st.from_regex(r"1,[A-Z]{4}[0-9A-F]{8}", fullmatch=True),
    st.from_regex(r"([0-9a-f]{1,2}:){5}[0-9a-f]{1,2}", fullmatch=True),
    st.sampled_from(["48575443A9419001", "hwtca9419001", "HWTC-A9419001", "S1", "s 1"]),
)


@given(st.lists(TEXTS, max_size=8))
def test_the_sweep_and_a_diagnosis_know_the_same_spellings_for_one(texts):
    said = identity_keys(pd.Series(texts, dtype=object)).tolist()
    told = [None if t is None else identity_key(t) for t in texts]
    assert [None if pd.isna(s) else s for s in said] == told


@pytest.mark.parametrize(
    ("held", "box"),
    [
        ("s0", {"serial": "S0"}), (" S-0 ", {"serial": "s0"}),
        ("48575443A9419001", {"serial": "X", "gpon_serial": "HWTCA9419001"}),
        ("hwtc-a9419001", {"serial": "48575443A9419001", "gpon_serial": "HWTCA9419001"}),
        ("1c61.b4d0.0745", {"serial": "X", "mac": "1C:61:B4:D0:07:45"}),
        ("1c:61:b4:d0:7:45", {"serial": "X", "mac": "1C:61:B4:D0:07:45"}),
    ],
)  # fmt: skip
def test_a_unit_of_the_stock_is_its_box_however_it_is_written(held, box):
    unit = {"equipment": "EQP-1", "serial": held, "status": "Actif"}
    found = judged([a_box(0, **box)], [an_ont(0)], equipment=[unit])
    assert "EQP-1" in set(found.rows["equipment"].dropna())

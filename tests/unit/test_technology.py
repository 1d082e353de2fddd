"""A limit applies to the technology that it was made for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cpe.answer.document import document
from cpe.domain.finding import Status
from cpe.domain.observation import Source
from cpe.domain.snapshot import Device
from cpe.domain.verdict import Code
from cpe.profiles.technology import choose_technology, technology_named
from cpe.profiles.thresholds import load_thresholds
from cpe.rules.judge import judge
from tests.support.cases import NOW, reading, sighting, snapshot
from tests.support.judging import found, verdict

STRANGER = Device(acs_id="X", model="ONT-1")
TX = "optical.tx_power_in_class"


def box(tx, pon_mode=None, *, rx=-19.0, device=STRANGER, olt=None, source=Source.ACS):
    told = [reading("optical.pon_mode", pon_mode)] if pon_mode else []
    light = (reading("optical.rx_dbm", rx), reading("optical.tx_dbm", tx, source=source))
    return snapshot(*told, *light, device=device, olt=olt)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("GPON", "GPON"),
        ("Gpon", "GPON"),
        ("G-PON", "GPON"),
        ("ITU-T G.984.2", "GPON"),
        ("GPON 0/1/0", "GPON"),
        ("gpon_olt-1/2/3", "GPON"),
        ("Huawei-MA5600-V800R013-GPON_UNI", "GPON"),
        ("XGS-PON", "XGS-PON"),
        ("XGSPON", "XGS-PON"),
        ("xgs_pon", "XGS-PON"),
        ("XGSPON 0/2/7", "XGS-PON"),
        ("ITU-T G.9807.1", "XGS-PON"),
        ("EPON", "EPON"),
        ("GEPON", "EPON"),
        ("EPON0/1:1", "EPON"),
        ("10G-EPON", "10G-EPON"),
        ("10GEPON", "10G-EPON"),
        ("10G/1G-EPON", "10G-EPON"),
        ("XG-PON", "XG-PON"),
        ("XG-PON1", "XG-PON"),
        ("10G GPON", "XG-PON"),
        ("NG-PON2", "NG-PON2"),
        ("25GS-PON", "25GS-PON"),
        ("XGS-PON/GPON combo", None),
        ("DSL", None),
        ("Ethernet", None),
        ("pon 3", None),
        ("", None),
    ],
)
def test_a_technology_is_known_by_every_way_of_writing_it(text, name):
    assert technology_named(text) == name


@pytest.mark.parametrize(
    ("tx", "technology", "status"),
    [
        (6.5, "XGS-PON", Status.OK),
        (4.0, "XGSPON", Status.OK),
        (9.0, "XGS-PON", Status.OK),
        (9.1, "XGS-PON", Status.FAULT),
        (2.1, "XGS-PON", Status.FAULT),
        (6.5, "GPON", Status.FAULT),
        (2.1, "GPON", Status.OK),
        (-0.5, "EPON", Status.OK),
        (5.5, "EPON", Status.OK),
        (6.5, "EPON", Status.FAULT),
        (6.5, "10G-EPON", Status.OK),
        (-0.5, "10GEPON", Status.OK),
        (-1.5, "10G-EPON", Status.FAULT),
        (4.5, None, Status.OK),
        (2.1, None, Status.UNKNOWN),
        (6.5, None, Status.UNKNOWN),
        (-0.5, None, Status.UNKNOWN),
        (9.5, None, Status.FAULT),
        (-3.0, None, Status.FAULT),
        (6.5, "XG-PON", Status.UNKNOWN),
        (6.5, "NG-PON2", Status.UNKNOWN),
        (6.5, "25GS-PON", Status.UNKNOWN),
        (6.5, "PON", Status.UNKNOWN),
    ],
)
@pytest.mark.parametrize("source", [Source.ACS, Source.OLT, Source.BRIDGE])
def test_a_laser_is_judged_by_its_own_class_whoever_reads_it(tx, technology, status, source):
    shot = box(tx, technology, source=source)
    assert found(shot, TX).status is status
    assert (verdict(shot).code is Code.HARDWARE_FAULT) == (status is Status.FAULT)


def test_a_laser_of_unknown_technology_is_named_and_never_replaced():
    v = verdict(box(6.5))
    assert (v.code, v.swap) == (Code.HEALTHY, "blocked")
    assert any(n.rule == TX and "technology is not known" in n.reason for n in v.not_evaluable)


def test_a_stranger_among_technologies_is_named():
    assert "NG-PON2" in (found(box(6.5, "NG-PON2"), TX).reason or "")


@pytest.mark.parametrize("model", ["XX230v", "XX530v"])
def test_a_model_that_is_gpon_only_is_judged_as_such(model):
    assert found(box(6.5, device=Device(model=model)), TX).status is Status.FAULT


def test_what_the_box_says_of_itself_beats_its_model():
    assert found(box(6.5, "XGS-PON", device=Device(model="XX230v")), TX).status is Status.OK


def test_an_olt_tells_the_technology_that_the_box_does_not():
    assert found(box(6.5, olt=sighting(technology="XGS-PON")), TX).status is Status.OK
    assert found(box(6.5, olt=sighting(technology="GPON")), TX).status is Status.FAULT


def test_sources_that_contradict_each_other_make_the_technology_unknown():
    shot = box(6.5, "GPON", olt=sighting(technology="XGS-PON"))
    finding = found(shot, TX)
    assert finding.status is Status.UNKNOWN
    assert "GPON / XGS-PON" in (finding.reason or "")
    assert choose_technology(["GPON", "Gpon", "XGS-PON"], "XX230v").name is None


@pytest.mark.parametrize(
    ("rx", "technology", "code"),
    [
        (-25.0, None, Code.HEALTHY),
        (-8.0, None, Code.HEALTHY),
        (-8.0, "GPON", Code.HEALTHY),
        (-8.5, "XGS-PON", Code.FIBRE_OVERLOAD),
        (-9.0, "XGS-PON", Code.HEALTHY),
        (-5.0, "EPON", Code.HEALTHY),
        (-2.9, "EPON", Code.FIBRE_OVERLOAD),
        (-25.1, "XGS-PON", Code.FIBRE_WEAK),
        (-25.1, "EPON", Code.FIBRE_WEAK),
    ],
)
def test_the_operators_target_holds_for_all_and_overload_is_the_technologys(rx, technology, code):
    assert verdict(box(4.5, technology, rx=rx)).code is code


@pytest.mark.parametrize(
    ("olt_rx", "technology", "status"),
    [
        (-6.0, "GPON", Status.DEGRADED),
        (-6.0, "XGS-PON", Status.OK),
        (-29.0, "EPON", Status.OK),
        (-29.0, "XGS-PON", Status.DEGRADED),
        (-22.0, None, Status.OK),
        (-6.5, None, Status.UNKNOWN),
        (-4.0, None, Status.DEGRADED),
    ],
)
def test_what_an_olt_receives_is_judged_by_its_own_class(olt_rx, technology, status):
    at_olt = reading("optical.olt_rx_dbm", olt_rx, source=Source.OLT, age_s=0)
    shot = box(4.5, technology, olt=sighting())
    shot = replace(shot, measurements=(*shot.measurements, at_olt))
    assert found(shot, "optical.olt_rx_in_band").status is status


@pytest.mark.parametrize(
    ("pon_mode", "device", "technology"),
    [("XGS-PON", STRANGER, "XGS-PON"), (None, STRANGER, None),
     (None, Device(model="XX230v"), "GPON"), ("NG-PON2", STRANGER, None)],
)  # fmt: skip
def test_the_answer_tells_the_technology_or_null(pon_mode, device, technology):
    shot = box(2.1, pon_mode, device=device)
    judged = judge(shot, load_thresholds())
    told = document(shot, judged.findings, judged.verdict, judged.ruleset, finished_at=NOW)
    assert told["device"]["technology"] == technology


def test_an_old_file_of_thresholds_still_loads_and_its_laser_is_gpons(tmp_path):
    file = tmp_path / "rules.yaml"
    file.write_text("version: mine\noptical:\n  tx_min_dbm: 0.0\n  tx_max_dbm: 7.0\n")
    optical = load_thresholds(file).optical
    assert optical.class_bands("tx", "GPON").inner == (0.0, 7.0)
    assert optical.class_bands("tx", "XGS-PON").inner == (4.0, 9.0)
    shot = box(6.5, "GPON")
    finding = next(f for f in judge(shot, load_thresholds(file)).findings if f.rule == TX)
    assert finding.status is Status.OK

"""Which boots are distinct: announcements are exact, boot times derived from an uptime wander."""

from dataclasses import replace
from datetime import timedelta

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from cpe.domain.boots import distinct_boots
from cpe.domain.finding import Status
from cpe.domain.observation import Source
from cpe.domain.snapshot import History, PastReading
from cpe.fleet import history
from tests.support.cases import NOW, reading, snapshot
from tests.support.judging import NO_POWER_LOST, found

RULE = "hardware.no_reboot_loop"


def ago(*seconds: float):
    return tuple(NOW - timedelta(seconds=s) for s in seconds)


def run(began_ago, read_ago):
    return (NOW - timedelta(seconds=began_ago), NOW - timedelta(seconds=read_ago))


def counted(announced=(), runs=()):
    return len(distinct_boots(announced, runs, NOW))


def test_four_boots_ten_seconds_apart_are_four():
    shot = snapshot(
        reading("device.uptime_s", 6),
        history=History(boots=ago(20, 30, 40)),
        last_boot=ago(10)[0],
        olt=NO_POWER_LOST,
    )
    finding = found(shot, RULE)
    assert (finding.status, finding.evidence[0].actual) == (Status.FAULT, 4)


def test_boots_that_only_uptimes_tell_of_are_apart_when_the_box_was_seen_up_between():
    assert counted(runs=[run(30, 25), run(20, 15), run(10, 5)]) == 3


def test_two_estimates_of_one_boot_are_one():
    assert counted(runs=[run(600, 500), run(640, 300), run(575, 10)]) == 1


def test_an_announcement_after_the_uptime_was_read_is_another_boot():
    assert counted(ago(590, 20), [run(600, 60)]) == 2


def test_an_uptime_that_ran_through_two_announcements_makes_them_one():
    assert counted(ago(550, 540), [run(600, 10)]) == 1


def test_a_boot_that_the_acs_hears_of_just_after_its_uptime_was_read_is_one():
    assert counted(ago(55), [run(100, 60)]) == 1


def test_an_announcement_goes_to_the_run_it_falls_into_and_not_to_the_one_before():
    runs = [run(40, 31), run(30, 21), run(20, 11)]
    assert counted(ago(38, 28, 18), runs) == 3


def test_the_same_boot_kept_with_another_rounding_is_one():
    assert counted([ago(10)[0], ago(10)[0] + timedelta(microseconds=400)]) == 1


@given(st.sets(st.integers(1, 86_000), max_size=12))
def test_without_an_uptime_every_announcement_is_a_boot(seconds):
    assert counted(ago(*seconds)) == len(seconds)


spans = st.tuples(st.integers(1, 80_000), st.integers(0, 3_000))


@given(st.lists(st.integers(1, 86_000), max_size=6), st.lists(spans, max_size=6))
def test_there_are_never_more_boots_than_words_of_them(announced, looks):
    runs = [run(read + uptime, read) for read, uptime in looks]
    count = counted(ago(*announced), runs)
    assert count <= len(set(announced)) + len(runs)
    covered = {a for a in announced if any(b >= NOW - timedelta(seconds=a) >= e for e, b in runs)}
    assert count >= len(set(announced) - covered) - len(runs)


@st.composite
def lives(draw):
    """True boots at least 8 s apart, each announced within 2 s; looks at the box in between."""
    at, boots, runs = 80_000.0, [], []
    for gap in draw(st.lists(st.floats(8, 5_000), min_size=1, max_size=8)):
        at -= gap
        boots.append(at)
    for boot, following in zip(boots, [*boots[1:], 0.0], strict=True):
        free = boot - following - 5
        if free <= 0:
            continue
        for share in draw(st.lists(st.floats(0, 1), max_size=3)):
            read = boot - 2 - share * free  # the session's begin; the leaf is read up to 2 s later
            late = draw(st.floats(0, 1.9))
            runs.append(run(read + int(boot - read + late), read))
    announced = ago(*(boot - draw(st.floats(0, 2)) for boot in boots))
    return announced, runs, len(boots)


@given(lives())
def test_every_true_boot_is_counted_once_however_often_the_box_is_looked_at(life):
    announced, runs, truth = life
    assert counted(announced, runs) == truth
    assert counted(announced) == truth
    assert counted(announced, [*runs, *runs]) == truth


@given(lives())
def test_a_sweep_counts_boots_as_a_diagnosis_does(life):
    announced, runs, _ = life
    *kept, last = sorted(announced)
    now = NOW.timestamp()
    began, read = max(runs, key=lambda r: r[1]) if runs else (None, None)
    fleet = pd.DataFrame(
        {
            "acs_id": ["X"],
            "last_boot": [last.timestamp()],
            "uptime_s": [float("nan") if read is None else (read - began).total_seconds()],
            "uptime_at": [float("nan") if read is None else read.timestamp()],
        }
    )
    boots = pd.DataFrame(
        [("X", at.timestamp()) for at in kept], columns=["box", "booted_at"]
    ).astype({"booted_at": float})
    swept, _ = history._boots(fleet, boots, now, 2)
    uptime = []
    if read is not None:
        said = reading("device.uptime_s", (read - began).total_seconds())
        uptime = [replace(said, measured_at=read)]
    shot = snapshot(
        *uptime, without=["device.uptime_s"], history=History(boots=tuple(kept)), last_boot=last
    )
    if swept[0] >= 2:
        assert found(shot, RULE).evidence[0].actual == swept[0]


def test_uptimes_kept_by_earlier_diagnoses_prove_boots_too():
    kept = tuple(
        PastReading("device.uptime_s", "", 5.0, NOW - timedelta(seconds=s), Source.ACS)
        for s in (40, 30, 20)
    )
    shot = snapshot(reading("device.uptime_s", 4), history=History(readings=kept))
    assert found(shot, RULE).evidence[0].actual == 4

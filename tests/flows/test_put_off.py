"""Flows that cannot do their work now end by the name of why: no red run, no traceback."""

from __future__ import annotations

import logging

import pytest

from cpe.domain.errors import AlreadyRunningError, ProfileError, StoreError, UnreachableError
from cpe.domain.swap_errors import SwapUnavailableError
from flows import sweep_fleet as sweep_fleet_module
from flows.check_swaps import check_swaps
from flows.final_state import LATER, put_off
from flows.swap_equipment import NOT_OPENED, swap_equipment
from flows.swap_request import SwapRequest
from flows.sweep_fleet import sweep_fleet
from flows.sweep_swaps import sweep_swaps
from flows.tidy_up import tidy_up

pytestmark = [pytest.mark.prefect, pytest.mark.timeout(300)]


def no_red(caplog) -> bool:
    return not [r for r in caplog.records if r.levelno >= logging.ERROR or r.exc_info]


@pytest.fixture
def broken_database(lab, monkeypatch, tmp_path):
    (tmp_path / "folder").mkdir()
    monkeypatch.setenv("CPE_DATABASE_URL", f"sqlite:///{tmp_path / 'folder'}")


async def test_a_swap_whose_erpnext_is_away_ends_as_not_opened(lab, monkeypatch, caplog):
    monkeypatch.setenv("CPE_ERP_URL", "http://127.0.0.1:1")
    request = SwapRequest(
        kind="swap_diagnostic", old_serial="LAB0001", new_serial="SPARE01", requested_by="Luc"
    )
    state = await swap_equipment(request, return_state=True)
    assert (state.type.value, state.name) == ("CANCELLED", NOT_OPENED)
    assert "Rien n'a été écrit" in state.message
    assert no_red(caplog)
    with pytest.raises(SwapUnavailableError):
        await swap_equipment(request)


async def test_a_swap_without_an_erpnext_ends_as_refused(lab, monkeypatch, caplog):
    monkeypatch.delenv("CPE_ERP_URL")
    request = SwapRequest(
        kind="swap_diagnostic", old_serial="LAB0001", new_serial="SPARE01", requested_by="Luc"
    )
    state = await swap_equipment(request, return_state=True)
    assert (state.type.value, state.name) == ("COMPLETED", "Refusé")
    assert no_red(caplog)


async def test_a_sweep_whose_work_is_hindered_ends_by_name(lab, monkeypatch, caplog):
    for error, name in (
        (AlreadyRunningError("another sweep is running"), "Already running"),
        (ProfileError("olts.toml: no profile x"), "Not configured"),
        (StoreError("the disk is full"), "Database unavailable"),
    ):

        async def hindered(*_, error=error, **__):
            raise error

        monkeypatch.setattr(sweep_fleet_module, "sweep", hindered)
        state = await sweep_fleet(return_state=True)
        assert (state.type.value, state.name) == ("CANCELLED", name)
        with pytest.raises(type(error), match=str(error)):
            await sweep_fleet()
    assert no_red(caplog)


@pytest.mark.parametrize(
    ("flow", "name"),
    [
        (tidy_up, "Database unavailable"),
        (sweep_fleet, "Database unavailable"),
        (sweep_swaps, LATER),
        (check_swaps, LATER),
    ],
)
async def test_without_our_database_the_nightly_flows_are_put_off(
    broken_database, caplog, flow, name
):
    state = await flow(return_state=True)
    assert (state.type.value, state.name) == ("CANCELLED", name)
    assert no_red(caplog)


async def test_what_nobody_expected_still_fails_red(lab, monkeypatch):
    async def broken(*_, **__):
        raise KeyError("a bug")

    monkeypatch.setattr(sweep_fleet_module, "sweep", broken)
    state = await sweep_fleet(return_state=True)
    assert state.is_failed()


def test_the_name_of_what_is_put_off_is_what_stood_in_the_way():
    said = put_off(UnreachableError("no answer", system="erp"))
    assert (said.name, said.message) == (
        "Unreachable",
        "erp : pas de réponse · erp: no answer",
    )


@pytest.mark.parametrize(
    ("said", "level"),
    [
        ("Finished in state En test au banc(type=PAUSED)", logging.INFO),
        ("Finished in state Busy('x', type=CANCELLED)", logging.INFO),
        ("Finished in state Resuming(type=SCHEDULED)", logging.INFO),
        ("Finished in state Failed('x')", logging.ERROR),
        ("Finished in state Stuck('x', type=FAILED)", logging.ERROR),
        ("something else type=PAUSED)", logging.ERROR),
    ],
)
def test_a_run_that_waits_for_a_person_is_no_error_in_the_log(said, level):
    line = logging.makeLogRecord({"levelno": logging.ERROR, "levelname": "ERROR", "msg": said})
    assert logging.getLogger("prefect.flow_runs").filter(line)
    assert (line.levelno, line.levelname) == (level, logging.getLevelName(level))

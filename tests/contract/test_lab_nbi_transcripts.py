"""The lab's NBI against the recordings of a real GenieACS 1.2.16.

Each recorded request is sent to the lab, its devices renamed, its waits shortened; status, reason
phrase, header names and the shape of the body must be the recorded ones.

What is not replayed is in EXCUSED, with the reason.
"""

from __future__ import annotations

import json
import re
from fnmatch import fnmatch
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.contract.lab_tools import Answer, befall, quick_lab
from tests.contract.lab_transcripts import BEFALLEN, CRASHES, EXCUSED, PLAIN

pytestmark = pytest.mark.recorded
RECORDED = Path(__file__).parents[3] / "shared/data/genieacs-nbi"

ODD = "1C61B4-Device2-ab%2D12%2F34"


def test_every_recording_is_replayed_or_excused():
    names = {path.stem for path in RECORDED.glob("*.json")}
    replayed = {*PLAIN, *CRASHES, *BEFALLEN}
    assert replayed <= names
    assert len(replayed) >= 145
    for name in names - replayed:
        assert any(fnmatch(name, pattern) for pattern in EXCUSED), name
    for pattern in EXCUSED:
        assert any(fnmatch(name, pattern) for name in names - replayed), f"{pattern} excuses nobody"


def _renamed(text: str) -> str:
    """The recorded text about the lab's boxes: 2239A0000000N is LAB000N, and so on."""
    text = re.sub(r"9CA2F4-XX230v-2239A000000(\d\d)", r"1C61B4-Device2-LAB00\1", text)
    text = text.replace("9CA2F4-XX230v-ab", "1C61B4-Device2-ab")
    return re.sub(r"2239A000000(\d\d)", r"LAB00\1", text)


def _shortened(path: str) -> str:
    return re.sub(r"timeout=(\d+)", lambda m: f"timeout={int(m[1]) // 10}", path)


def _recorded(name: str) -> dict:
    return json.loads((RECORDED / f"{name}.json").read_text())


async def _replay(client, name: str) -> tuple[dict, Answer]:
    was = _recorded(name)
    path = _shortened(_renamed(was["url"].removeprefix("http://127.0.0.1:7557")))
    body = was.get("request_body")
    headers = was.get("request_headers") or None
    answer = await client.ask(
        was["method"], path, _renamed(body) if body else None, headers=headers
    )
    return was, answer


def _check(name: str, was: dict, now: Answer) -> None:
    assert (now.status, now.reason) == (was["status"], was["reason"]), now.body
    names = {key.lower() for key in was["headers"]}
    assert {key.lower() for key in now.headers} - {"transfer-encoding"} == names - {
        "transfer-encoding"
    }
    assert now.headers.get("Allow") == was["headers"].get("Allow")
    if was["headers"].get("Content-Type") == "application/json" and was["method"] != "HEAD":
        assert _shape(now.body) == _shape(was["body"])
    elif was["body"].startswith("SyntaxError"):
        assert now.body.startswith("SyntaxError")
    else:
        assert now.body == was["body"]


def _shape(body: str) -> object:
    """A list's frame, or a task's keys in order."""
    if body.startswith("[\n"):
        assert body.endswith("\n]")
        lines = body[2:-2].split("\n") if body != "[\n\n]" else []
        assert all(line.startswith("{") for line in lines)
        assert [line.endswith(",") for line in lines] == [True] * (len(lines) - 1) + [False] * (
            len(lines) > 0
        )
        return "list"
    parsed = json.loads(body)
    return [list(item) for item in (parsed if isinstance(parsed, list) else [parsed])]


@pytest.fixture
async def nbi(tmp_path):
    async with quick_lab(tmp_path, devices=24) as (lab, client):
        yield lab, client


@pytest.mark.parametrize("name", PLAIN)
async def test_a_plain_request_is_answered_as_recorded(nbi, name):
    was, now = await _replay(nbi[1], name)
    _check(name, was, now)


@pytest.mark.parametrize("name", BEFALLEN)
async def test_a_troubled_box_is_answered_as_recorded(nbi, name):
    lab, client = nbi
    befall(lab, "LAB0003", **BEFALLEN[name])
    befall(lab, "LAB0020", **BEFALLEN[name])
    was, now = await _replay(client, name)
    _check(name, was, now)


@pytest.mark.parametrize("name", CRASHES)
async def test_what_crashes_a_real_worker_ends_without_an_answer(nbi, name):
    lab, client = nbi
    was, now = await _replay(client, name)
    assert was["status"] is None
    assert now.status is None
    assert len(set(lab.nbi.crashes)) == 1  # aiohttp asks idempotent requests twice


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("q_03_serial_exact", 1),
        ("q_04_serial_numeric_string", 1),
        ("q_05_serial_in", 3),
        ("q_12_lastInform_gt_date_object", 0),
        ("q_12_lastInform_gt_epoch_ms_number", 0),
        ("q_12_lastInform_gt_epoch_ms_string", 0),
        ("q_15_and_or", 2),
        ("q_16b_and_first", 1),
        ("q_16_and_overwritten_bug", 24),
        ("q_24_limit_negative", 2),
        ("q_22_skip_beyond", 0),
    ],
)
async def test_a_query_finds_as_many_rows_as_the_real_one_would(nbi, name, rows):
    _, now = await _replay(nbi[1], name)
    assert len(now.json()) == rows


async def test_the_encoded_serial_is_the_labs_own(nbi):
    _, now = await _replay(nbi[1], "id_02_double_encoded")
    assert now.json()["device"] == ODD
    assert unquote(ODD).endswith("ab-12/34")

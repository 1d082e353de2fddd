"""The client against what a real GenieACS 1.2.16 answered."""

import json

import httpx
import pytest

from cpe.access.genieacs.document import parse_time
from cpe.access.genieacs.nbi import (
    encode_query,
    get_parameter_values,
    set_parameter_values,
)
from cpe.domain.errors import (
    AccessError,
    BusyError,
    CutOffError,
    InputRefusedError,
    LoginRefusedError,
    NotSupportedError,
    TimedOutError,
    UnexpectedAnswerError,
)
from tests.support.transcripts import FOLDER, nbi, query_of, response, transcript

pytestmark = pytest.mark.recorded
COLLECTION_READS = sorted(
    f.stem
    for f in FOLDER.glob("*.json")
    if (t := json.loads(f.read_text(encoding="utf-8"))).get("method") == "GET"
    and t["status"] == 200
    and (t.get("body") or "").startswith("[")
    and t["body"].rstrip().endswith("]")
)


TASK_POSTS = sorted(
    f.stem
    for f in FOLDER.glob("*.json")
    if (t := json.loads(f.read_text(encoding="utf-8"))).get("method") == "POST"
    and "/tasks" in t["url"]
    and "/devices/" in t["url"]
)


@pytest.mark.parametrize("name", TASK_POSTS)
async def test_every_recorded_answer_to_a_task_is_a_task_nobody_or_one_of_our_errors(name):
    recorded = transcript(name)
    client = nbi(lambda _: response(recorded))
    status, text = recorded["status"], recorded.get("body") or ""
    if status in (200, 202) and text.startswith("{"):
        posted = await client.post_task("x", {"name": "x"}, wait_ms=1, timeout_s=5)
        kept = json.loads(text)
        assert posted is not None
        assert (posted.id, posted.done_says_status) == (kept["_id"], status == 200)
        assert posted.timestamp == parse_time(kept["timestamp"])
        assert posted.reason == recorded["reason"]
    elif status == 404:
        assert await client.post_task("x", {"name": "x"}, wait_ms=1, timeout_s=5) is None
    else:
        with pytest.raises(AccessError) as caught:
            await client.post_task("x", {"name": "x"}, wait_ms=1, timeout_s=5)
        assert caught.value.transient is (status in (None, 504))


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("fault_05b_faults", ("cwmp.9003", "Invalid arguments")),
        (
            "fault_10b_faults",
            ("session_terminated", "The TR-069 session was unsuccessfully terminated"),
        ),
        ("download_02b_faults", ("cwmp.9016", "Unexpected response 404")),
    ],
)
async def test_every_recorded_fault_is_told(name, fault):
    row = json.loads(transcript(name)["body"])[0]
    client = nbi(lambda _: response(transcript(name)))
    found = await client.fault_of(row["device"], row["_id"].rsplit("task_", 1)[1])
    assert found is not None
    assert (found.code, found.message) == fault


@pytest.mark.parametrize("name", COLLECTION_READS)
async def test_every_recorded_collection_reads_whole(name):
    recorded = transcript(name)
    found = await nbi(lambda _: response(recorded)).devices({"_id": "x"}, ["_id"])
    assert found == json.loads(recorded["body"])


@pytest.mark.parametrize(
    "name", ["devices_01_all_fresh", "q_01_ids", "q_02_empty_result", "prod_04_full_device_doc"]
)
async def test_every_recorded_collection_streams_line_by_line(name):
    recorded = transcript(name)
    client = nbi(lambda _: response(recorded))
    assert [d async for d in client.stream_devices({}, ["_id"])] == json.loads(recorded["body"])


async def test_a_long_projection_is_asked_for_in_parts_and_read_as_one_document():
    whole = json.loads(transcript("prod_04_full_device_doc")["body"])[0]
    leaves = [path for path in leaves_of(whole) if "Credentials" not in path]
    asked = []

    def answer(request):
        asked.append(len(str(request.url)))
        paths = request.url.params["projection"].split(",")
        return httpx.Response(200, text=json.dumps([picked(whole, ["_id", *paths])]))

    found = await nbi(answer).device("x", ["_lastInform", *leaves])
    assert found == picked(whole, ["_id", "_lastInform", *leaves])
    assert len(asked) > 1
    assert max(asked) < 8_000


async def test_a_device_that_goes_between_two_parts_is_gone():
    answers = iter(['[\n{"_id":"x"}\n]', "[\n\n]"])
    client = nbi(lambda _: httpx.Response(200, text=next(answers)))
    assert await client.device("x", [f"Device.{'A' * 70}{n}" for n in range(150)]) is None


@pytest.mark.parametrize("status", [414, 431])
async def test_a_url_that_is_too_long_for_a_proxy_is_named(status):
    with pytest.raises(NotSupportedError, match=r"\d+ characters.*16 KiB"):
        await nbi(lambda _: httpx.Response(status, text="<html>")).devices({"_id": "x"}, ["_id"])
    with pytest.raises(NotSupportedError, match="16 KiB"):
        _ = [d async for d in nbi(lambda _: httpx.Response(status)).stream_devices({}, ["_id"])]


def leaves_of(node, path=""):
    for key, child in node.items():
        if isinstance(child, dict) and not key.startswith("_"):
            yield from leaves_of(child, f"{path}.{key}" if path else key)
    if path and node.get("_object") is False:
        yield path


def picked(document, paths):
    """What a projection leaves of a document."""
    made = {}
    for path in paths:
        node, kept = document, made
        *above, last = path.split(".")
        for step in above:
            node, kept = node[step], kept.setdefault(step, {})
        kept[last] = node[last]
    return made


async def test_a_stream_cut_after_the_head_is_an_error_and_not_an_empty_fleet():
    cut = httpx.Response(200, headers={"total": "2009"}, text="[\n")
    with pytest.raises(CutOffError, match="after 0 of"):
        _ = [d async for d in nbi(lambda _: cut).stream_devices({}, ["_id"])]


async def test_a_stream_that_closes_with_too_few_rows_is_an_error():
    short = httpx.Response(200, headers={"total": "10000"}, text='[\n{"_id":"a"}\n]')
    with pytest.raises(CutOffError, match="after 1 of 10000"):
        _ = [d async for d in nbi(lambda _: short).stream_devices({}, ["_id"])]


async def test_a_few_devices_coming_or_going_meanwhile_are_no_error():
    near = httpx.Response(200, headers={"total": "3"}, text='[\n{"_id":"a"}\n]')
    assert len([d async for d in nbi(lambda _: near).stream_devices({}, ["_id"])]) == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(200, text='[\n{"_id":"a"'), CutOffError),
        (httpx.Response(200, text="<html>Bad gateway</html>"), UnexpectedAnswerError),
        (httpx.Response(200, text='{"a":1}'), UnexpectedAnswerError),
        (httpx.Response(200, text="[1,2]"), UnexpectedAnswerError),
        (httpx.Response(200, text=""), UnexpectedAnswerError),
        (httpx.Response(500, text="boom"), BusyError),
        (httpx.Response(502, text="<html>"), BusyError),
        (httpx.Response(429), BusyError),
        (httpx.Response(401), LoginRefusedError),
        (httpx.Response(403), LoginRefusedError),
        (httpx.Response(404, text="404 Not Found"), UnexpectedAnswerError),
        (httpx.Response(405), UnexpectedAnswerError),
    ],
)
async def test_an_answer_out_of_contract_is_one_of_our_errors(answer, error):
    with pytest.raises(error) as caught:
        await nbi(lambda _: answer).devices({"_id": "x"}, ["_id"])
    assert type(caught.value) is error


@pytest.mark.parametrize("name", ["q_25_bad_query_json", "q_27_unknown_collection"])
async def test_a_recorded_refusal_is_one_of_our_errors(name):
    with pytest.raises(UnexpectedAnswerError):
        await nbi(lambda _: response(transcript(name))).devices({"_id": "x"}, ["_id"])


async def test_a_crashed_worker_that_closes_is_a_passing_failure():
    recorded = transcript("crash_13_inflight_victim")
    with pytest.raises(CutOffError) as caught:
        await nbi(lambda _: response(recorded)).devices({"_id": "x"}, ["_id"])
    assert caught.value.transient


async def test_an_acs_that_hangs_is_given_up_in_time():
    async def hang(_request):
        raise httpx.ReadTimeout("slow")

    with pytest.raises(TimedOutError) as caught:
        await nbi(hang).devices({"_id": "x"}, ["_id"])
    assert not caught.value.transient


async def test_a_doubly_encoded_id_reaches_the_nbi_as_recorded():
    asked = []

    def handler(request):
        asked.append(request.url.raw_path.decode())
        return response(transcript("id_02_double_encoded"))

    posted = await nbi(handler).post_task(
        "9CA2F4-XX230v-ab%2D12%2F34", {"name": "x"}, wait_ms=3000, timeout_s=5
    )
    assert asked == [
        "/devices/9CA2F4-XX230v-ab%252D12%252F34/tasks?timeout=3000&connection_request"
    ]
    assert posted is not None


async def test_the_task_body_gives_id_and_time_and_the_status_is_only_a_hint():
    recorded = transcript("timeout_04_zero")
    posted = await nbi(lambda _: response(recorded)).post_task(
        "x", {"name": "x"}, wait_ms=0, timeout_s=5
    )
    assert posted.id == "6b047fdc8269af3684895a96"
    assert posted.timestamp.isoformat() == "2026-11-23T18:03:08.990000+00:00"
    assert (posted.done_says_status, posted.reason) == (False, "Task queued but not processed")


async def test_an_unknown_device_is_none():
    recorded = transcript("task_08_unknown_device_cr")
    client = nbi(lambda _: response(recorded))
    assert await client.post_task("x", {"name": "x"}, wait_ms=1, timeout_s=5) is None


async def test_deleting_a_task_tells_gone_from_busy():
    client = nbi(lambda _: response(transcript("task_21_delete")))
    assert await client.delete_task("6b047f758269af3684895a8a") is True
    client = nbi(lambda _: response(transcript("task_22_delete_again_404")))
    assert await client.delete_task("6b047f758269af3684895a8a") is False
    client = nbi(lambda _: response(transcript("busy_05_delete_task_503")))
    with pytest.raises(BusyError):
        await client.delete_task("6b047f758269af3684895a8a")


async def test_a_recorded_fault_is_read_by_its_task():
    asked = []

    def handler(request):
        asked.append(query_of(request))
        return response(transcript("fault_01b_faults"))

    fault = await nbi(handler).fault_of("9CA2F4-XX230v-2239A00000003", "6b047f728269af3684895a87")
    assert asked == [{"_id": "9CA2F4-XX230v-2239A00000003:task_6b047f728269af3684895a87"}]
    assert (fault.code, fault.message) == ("cwmp.9002", "Internal error")


@pytest.mark.parametrize("task_id", ["zzz", "", "6b047f758269af3684895a8", "%ZZ", "../devices"])
async def test_an_id_that_crashes_a_worker_is_never_sent(task_id):
    def handler(request):
        raise AssertionError(f"sent {request.url}")

    with pytest.raises(InputRefusedError):
        await nbi(handler).delete_task(task_id)
    with pytest.raises(InputRefusedError):
        await nbi(handler).task_is_queued(task_id)


@pytest.mark.parametrize(
    "names", [[], ["Device."], ["Device..X"], ["Device.X Y"], ["*"], ["Device.{i}"], [""]]
)
def test_a_task_that_crashes_or_faults_a_worker_cannot_be_built(names):
    with pytest.raises(InputRefusedError):
        get_parameter_values(names, unique_key="k", expiry_s=5)


def test_a_set_without_values_or_with_a_wildcard_cannot_be_built():
    with pytest.raises(InputRefusedError):
        set_parameter_values([], unique_key="k", expiry_s=5)
    with pytest.raises(InputRefusedError):
        set_parameter_values([("Device.*.X", "1", "xsd:string")], unique_key="k", expiry_s=5)


def test_a_task_never_carries_an_id_or_a_time_of_ours():
    task = get_parameter_values(["Device.X"], unique_key="k", expiry_s=5)
    assert set(task) == {"name", "parameterNames", "uniqueKey", "expiry"}


async def test_an_empty_projection_is_never_sent():
    with pytest.raises(InputRefusedError):
        await nbi(lambda _: httpx.Response(200)).devices({"_id": "x"}, [])


def test_an_explicit_and_goes_first_where_it_cannot_be_overwritten():
    encoded = encode_query({"_deviceId._SerialNumber": "2239000001", "$and": [{"a": 1}]})
    assert encoded.startswith("%7B%22%24and%22")


def _leaves(kind):
    children = kind.__subclasses__()
    if not children:
        yield kind
    for child in children:
        yield from _leaves(child)


HTTPX_LEAVES = sorted(
    {*_leaves(httpx.RequestError), *_leaves(httpx.StreamError), httpx.InvalidURL},
    key=lambda k: k.__name__,
)
"""All but HTTPStatusError, which only `raise_for_status` raises and nothing here calls."""


@pytest.mark.parametrize("kind", HTTPX_LEAVES, ids=lambda k: k.__name__)
async def test_every_exception_of_httpx_leaves_as_one_of_ours(kind):
    def handler(_request):
        raise _make(kind)

    with pytest.raises(AccessError) as caught:
        await nbi(handler).devices({"_id": "x"}, ["_id"])
    assert caught.value.system == "acs"


def _make(kind):
    for arguments in (("it broke",), ()):
        try:
            return kind(*arguments)
        except TypeError:
            continue
    raise AssertionError(f"cannot make {kind}")

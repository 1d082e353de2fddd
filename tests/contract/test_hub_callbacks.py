"""A finished diagnosis is pushed to the hub's owner: signed, at least once, with one key."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from pydantic import SecretStr

from cpe.settings import HubSettings
from cpe.store.outbox import Letter
from deployments.hub import callbacks
from deployments.hub.callbacks import PAUSES_S, Postman, signed
from tests.support.hub_bench import Bench, answer_of, running_hub
from tests.support.store.samples import SERIAL
from tests.support.waiting import until

SECRET = "a-shared-secret-CANARY"
SETTINGS = HubSettings(
    callback_url="http://ops.example/hook", callback_secret=SecretStr(SECRET), per_minute=1000
)


class Receiver:
    """Somebody's webhook. `answers` are given in turn, then 204."""

    def __init__(self) -> None:
        self.got: list[httpx.Request] = []
        self.answers: list[int | Exception] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.got.append(request)
        answer = self.answers.pop(0) if self.answers else 204
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer)


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@asynccontextmanager
async def office(hub: Bench, receiver: Receiver) -> AsyncIterator[Callable]:
    """A postman whom the test sends out."""
    postman = Postman(hub.app.state.services, SETTINGS)
    async with httpx.AsyncClient(transport=httpx.MockTransport(receiver)) as client:
        yield lambda: postman.deliver_due(client)


@pytest.fixture
async def hub(tmp_path) -> AsyncIterator[Bench]:
    async with running_hub(tmp_path) as bench:
        yield bench


def verified(request: httpx.Request) -> dict:
    """The content of a call back, its signature checked as its receiver would."""
    said = b".".join(
        (
            request.headers["webhook-id"].encode(),
            request.headers["webhook-timestamp"].encode(),
            request.content,
        )
    )
    wanted = base64.b64encode(hmac.new(SECRET.encode(), said, hashlib.sha256).digest()).decode()
    version, _, given = request.headers["webhook-signature"].partition(",")
    assert version == "v1"
    assert hmac.compare_digest(given, wanted)
    sent_at = datetime.fromtimestamp(int(request.headers["webhook-timestamp"]), UTC)
    assert abs(datetime.now(UTC) - sent_at) < timedelta(minutes=1)
    return json.loads(request.content)


async def test_a_kept_diagnosis_is_pushed_once_signed_and_whole(hub, receiver):
    kept = answer_of(str(uuid.uuid4()))
    assert await hub.store.keep(kept, call_back=True)
    assert not await hub.store.keep(kept, call_back=True)
    async with office(hub, receiver) as deliver:
        assert await deliver() == 1
        assert await deliver() == 0
    (request,) = receiver.got
    told = verified(request)
    assert told["type"] == "diagnosis.finished"
    assert told["data"] == kept.document
    assert request.headers["webhook-id"] == f"diagnosis.finished:{kept.id}"
    assert request.headers["idempotency-key"] == request.headers["webhook-id"]
    assert SECRET not in str(request.headers)


async def test_nothing_is_posted_when_nobody_is_to_be_told(hub, receiver):
    await hub.store.keep(answer_of(str(uuid.uuid4())))
    async with office(hub, receiver) as deliver:
        assert await deliver() == 0


async def delivered(hub: Bench, deliver: Callable[[], Awaitable[int]]) -> bool:
    """Whether nothing is left to be delivered, after another round."""
    await deliver()
    return await hub.store.hub().outbox.waiting() == 0


@pytest.mark.parametrize(
    "failure", [500, 429, 410, 302, httpx.ConnectError("x"), httpx.ReadTimeout("x")]
)
async def test_what_the_receiver_did_not_take_is_sent_again_under_the_same_id(
    hub, receiver, failure, monkeypatch
):
    monkeypatch.setattr(callbacks, "PAUSES_S", (0.05, 0.05))
    receiver.answers = [failure, failure]
    await hub.store.keep(answer_of(str(uuid.uuid4())), call_back=True)
    async with office(hub, receiver) as deliver:
        await until(lambda: delivered(hub, deliver))
    assert len(receiver.got) == 3
    assert len({request.headers["webhook-id"] for request in receiver.got}) == 1
    assert await hub.store.hub().outbox.waiting() == 0


async def test_a_letter_is_given_up_in_the_end_and_stays_to_be_read(hub, receiver, monkeypatch):
    monkeypatch.setattr(callbacks, "PAUSES_S", (0.01,))
    receiver.answers = [500] * 9
    await hub.store.keep(answer_of(str(uuid.uuid4())), call_back=True)
    async with office(hub, receiver) as deliver:
        await until(lambda: delivered(hub, deliver))
    assert len(receiver.got) == 2
    assert await hub.store.hub().outbox.waiting() == 0


async def test_a_postman_who_died_on_the_way_leaves_the_letter_to_the_next(hub):
    outbox = hub.store.hub().outbox
    now = datetime.now(UTC)
    letter = Letter("swap.changed:1", "swap.changed", "1", now, {"id": "1", "state": "open"})
    assert await outbox.post(letter)
    assert not await outbox.post(letter)
    taken = await outbox.due(now=now, lease_s=30, limit=8)
    assert taken == [letter]
    assert await outbox.due(now=now + timedelta(seconds=29), lease_s=30, limit=8) == []
    assert await outbox.due(now=now + timedelta(seconds=31), lease_s=30, limit=8) == [letter]


async def test_two_postmen_never_carry_the_same_letter(hub, tmp_path, receiver):
    for _ in range(12):
        await hub.store.keep(answer_of(str(uuid.uuid4())), call_back=True)
    async with (
        running_hub(tmp_path) as other,
        office(hub, receiver) as one,
        office(other, receiver) as two,
    ):
        await asyncio.gather(one(), two(), one(), two())
    ids = [request.headers["webhook-id"] for request in receiver.got]
    assert len(ids) == len(set(ids)) == 12


async def test_a_receiver_that_never_comes_to_an_end_holds_up_no_other_letter(hub, monkeypatch):
    monkeypatch.setattr(callbacks, "TIMEOUT_S", 0.2)

    class Trickle(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                await asyncio.sleep(0.05)
                yield b" "

    async def take(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=Trickle())

    await hub.store.keep(answer_of(str(uuid.uuid4())), call_back=True)
    postman = Postman(hub.app.state.services, SETTINGS)
    async with httpx.AsyncClient(transport=httpx.MockTransport(take)) as client:
        assert await postman.deliver_due(client) == 1
    assert await hub.store.hub().outbox.waiting() == 1, "it was not taken"


def test_the_pauses_grow_to_more_than_a_day_and_a_half_at_most():
    assert list(PAUSES_S) == sorted(PAUSES_S)
    assert 86_400 < sum(PAUSES_S) < 2 * 86_400


def test_a_standard_webhooks_secret_is_taken_as_its_bytes():
    # The vector of the Standard Webhooks specification.
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = signed(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        at,
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("missing", ["callback_url", "callback_secret"])
async def test_half_a_setting_to_call_back_is_announced(tmp_path, caplog, missing):
    settings = SETTINGS.model_copy(update={missing: None})
    async with running_hub(tmp_path, settings=settings):
        pass
    assert f"CPE_HUB_{missing.upper()} is not set" in caplog.text
    assert SECRET not in caplog.text


async def test_the_hub_delivers_by_itself(tmp_path):
    got: list[bytes] = []
    ready = asyncio.Event()

    async def take(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        got.append(await reader.readexactly(length))
        writer.write(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()
        ready.set()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = SETTINGS.model_copy(update={"callback_url": f"http://127.0.0.1:{port}/"})
    async with server, running_hub(tmp_path, settings=settings) as hub:
        await hub.store.keep(answer_of(str(uuid.uuid4())), call_back=True)
        await ready.wait()
    assert json.loads(got[0])["data"]["serial"] == SERIAL

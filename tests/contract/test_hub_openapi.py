"""What the hub answers is what its OpenAPI document says, whatever is sent."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from cpe.settings import HubSettings
from deployments.hub.diagnosis_model import Diagnosis
from tests.support.hub_bench import SECRETS, Bench, answer_of, running_hub

pytestmark = [
    # Werkzeug's and jsonschema's own, through schemathesis.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


EXAMPLES = 12
# Auth is tested route by route in test_hub_api.py, and so is which serials are refused.
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


async def _work(hub: Bench) -> None:
    """What workers do: each run gets its answer."""
    done = 0
    while True:
        while done < len(hub.prefect.created):
            request = hub.prefect.created[done]["parameters"]["request"]
            await hub.finish(await hub.run_of(done), request["serial"])
            done += 1
        await asyncio.sleep(0.01)


class LiveHub(threading.Thread):
    """A hub on a port: schemathesis speaks HTTP, also what no client library would send."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self._folder, self._up = folder, threading.Event()
        self.server: uvicorn.Server | None = None
        self.url = ""

    def run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        async with running_hub(self._folder, settings=HubSettings(per_minute=1_000_000)) as hub:
            await hub.store.keep(answer_of(str(uuid.uuid4())))
            config = uvicorn.Config(hub.app, port=0, log_config=None, lifespan="off")
            self.server = uvicorn.Server(config)
            serving = asyncio.create_task(self.server.serve())
            working = asyncio.create_task(_work(hub))
            while not self.server.started:  # noqa: ASYNC110 - uvicorn has no event for it
                await asyncio.sleep(0.01)
            port = self.server.servers[0].sockets[0].getsockname()[1]
            self.url = f"http://127.0.0.1:{port}"
            self._up.set()
            await serving
            working.cancel()

    def __enter__(self) -> LiveHub:
        self.start()
        assert self._up.wait()
        return self

    def __exit__(self, *_: object) -> None:
        assert self.server is not None
        self.server.should_exit = True
        self.join()


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHub]:
    with LiveHub(tmp_path_factory.mktemp("live")) as hub:
        yield hub


OPERATIONS = [
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/me"),
    ("GET", "/devices/lookup"),
    ("POST", "/devices/{serial}/diagnose"),
    ("GET", "/devices/{serial}/history"),
    ("GET", "/devices/diagnoses/{id}"),
    ("GET", "/devices/diagnoses/{id}/events"),
    ("GET", "/devices/swaps"),
    ("POST", "/devices/swaps"),
    ("GET", "/devices/swaps/{id}"),
    ("POST", "/devices/swaps/{id}/answer"),
    ("POST", "/devices/swaps/{id}/return"),
    ("POST", "/devices/swaps/{id}/override"),
]


@pytest.fixture(scope="module")
def api(live: LiveHub) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_url(f"{live.url}/openapi.json")


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_answer_is_as_the_document_says(api, method, path, mode):
    operation = api[path][method]
    if mode is GenerationMode.NEGATIVE and path in {"/healthz", "/readyz", "/metrics", "/me"}:
        return  # there is nothing to get wrong

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        case.call_and_validate(
            headers={"Authorization": f"Bearer {SECRETS['boss']}"},
            checks=CHECKS,
            timeout=600,
        )

    ask()


def test_every_operation_of_the_document_is_asked(api):
    found = [operation.ok() for operation in api.get_all_operations()]
    assert {(o.method.upper(), o.path) for o in found} == set(OPERATIONS)


def test_a_real_answer_is_a_diagnosis_of_the_document():
    made = Diagnosis.model_validate(answer_of(str(uuid.uuid4())).document)
    assert made.schema_ == "cpe.diagnosis/1"

"""The hub until SIGTERM or SIGINT: `python -m deployments.hub [--host H] [--port P]`.

Its settings come from the environment: CPE_HUB_*, CPE_DATABASE_URL and PREFECT_API_URL.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys

import uvicorn
import uvloop
from pydantic import ValidationError

from cpe.domain.errors import ProfileError, StoreError
from cpe.settings import DiagnosisSettings, HubSettings, StoreSettings, mistakes
from cpe.store.repository import Store
from deployments.hub.app import create_app
from deployments.hub.prefect_api import PrefectApi
from deployments.hub.services import Services
from deployments.hub.swap_desk import LazyDesk
from deployments.hub.tokens import Tokens, load_tokens

CLOSE_CONNECTIONS_S = 3


def main(arguments: list[str]) -> int:
    """2 when a setting cannot be used, 4 when our database cannot."""
    options = argparse.ArgumentParser(prog="deployments.hub", description=__doc__)
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--port", type=int, default=4280)
    chosen = options.parse_args(arguments)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        tokens = load_tokens(_setting(HubSettings()))
        StoreSettings()
    except ProfileError as error:
        logging.getLogger("hub").error("%s", error)  # noqa: TRY400 - the message says it all
        return 2
    except ValidationError as error:
        logging.getLogger("hub").error("%s", mistakes(error))  # noqa: TRY400
        return 2
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(chosen.host, chosen.port, tokens))
    except StoreError as error:
        logging.getLogger("hub").error("%s", error)  # noqa: TRY400
        return 4
    return 0


def _setting(settings: HubSettings) -> str:
    if settings.tokens is None:
        raise ProfileError("CPE_HUB_TOKENS is not set: nobody could call the hub")
    return settings.tokens.get_secret_value()


async def _serve(host: str, port: int, tokens: Tokens) -> None:
    store = Store.open(StoreSettings().plain_url())
    await store.migrate()
    prefect = PrefectApi(os.environ["PREFECT_API_URL"])
    freshness_s = DiagnosisSettings().freshness_s
    services = Services.assemble(store, prefect, LazyDesk(), freshness_s=freshness_s)
    app = create_app(services, tokens, HubSettings())
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=CLOSE_CONNECTIONS_S,
    )
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

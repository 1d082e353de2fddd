"""Prefect's client of a run, as a kind of our own that says the same with fewer requests."""

from __future__ import annotations

from prefect.client.orchestration import PrefectClient
from prefect.context import AsyncClientContext, ContextModel
from prefect.settings import get_current_settings


class ClientContext(AsyncClientContext):
    """Whoever asks Prefect for a client on this loop, inside, gets one of this kind.

    Needs an API that listens (`PREFECT_API_URL`).
    """

    def __init__(self, kind: type[PrefectClient]) -> None:
        api = get_current_settings().api
        client = kind(
            api.url or "",
            auth_string=api.auth_string.get_secret_value() if api.auth_string else None,
            api_key=api.key.get_secret_value() if api.key else None,
        )
        # Not the parent's: it would make a client, 18 ms, that nobody uses.
        ContextModel.__init__(self, client=client)
        self._httpx_settings = None
        self._context_stack = 0

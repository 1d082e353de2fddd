"""The hub as a child process of `cpe up`, `cpe demo` or `cpe hub`."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import httpx

from cpe.settings import HubSettings, home
from deployments.hub.tokens import Role, load_tokens, new_secret
from deployments.server.child import ChildProcess, UnwritableError

PORT: Final = 4280
START_TIMEOUT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class HostedHub:
    """A hub that is kept running for the length of a `with` block."""

    url: str
    tokens_file: Path | None
    """Where its only token was put, when the operator named none."""
    child: ChildProcess

    @property
    def log_file(self) -> Path:
        return self.child.log_file

    def is_up(self, within_s: float = START_TIMEOUT_S) -> bool:
        """Whether it answers within that time."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            try:
                # trust_env: a proxy of the machine must not answer for our loopback server.
                if httpx.get(f"{self.url}/healthz", timeout=2, trust_env=False).is_success:
                    return True
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        return False

    def __enter__(self) -> Self:
        self.child.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.child.stop()


def hosted_hub(api_url: str, *, host: str = "127.0.0.1", port: int = PORT) -> HostedHub:
    """A hub on Prefect's API `api_url`, not yet started.

    Without CPE_HUB_TOKENS a token for everything is made, once, in a file only its owner reads.
    Raises ProfileError when the tokens cannot be used, UnwritableError when none can be made.
    """
    setting = HubSettings().tokens
    tokens_file = None if setting is not None else own_tokens()
    tokens = setting.get_secret_value() if setting is not None else str(tokens_file)
    load_tokens(tokens)
    module = ["deployments.hub", "--host", host, "--port", str(port)]
    log_file = home() / "logs" / "hub.log"
    environment = {"CPE_HUB_TOKENS": tokens}
    child = ChildProcess(module, "hub", api_url, log_file, environment=environment)
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - only compared
    return HostedHub(f"http://{shown}:{port}", tokens_file, child)


def own_tokens() -> Path:
    """A file with one token that may do everything; made when it is not there."""
    file = home() / "hub-tokens.toml"
    if not file.exists():
        roles = ", ".join(f'"{role.value}"' for role in Role)
        text = f'[[token]]\nname = "local"\nroles = [{roles}]\nsecret = "{new_secret()}"\n'
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise UnwritableError(f"{file} cannot be written: {error.strerror}") from error
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            out.write(text)
    return file

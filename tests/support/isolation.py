"""What keeps a test from what the machine happens to have: its settings, its home, its network."""

from __future__ import annotations

import atexit
import errno
import ipaddress
import os
import shutil
import socket
import sys
import tempfile
from pathlib import Path

_PREFIXES = ("CPE_", "PREFECT_", "XDG_", "PG", "SNMP", "PLAYWRIGHT_", "OTEL_")
_NAMES = {
    "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "MIBS", "MIBDIRS",
    "PYTHONWARNINGS", "PYTHONHASHSEED", "NOTIFY_SOCKET", "NETRC", "DATABASE_URL",
}  # fmt: skip
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ftp_proxy")


def isolate_process() -> None:
    """Take the operator's settings from this process and its children, and give it an empty home.

    Call it before Prefect is imported, which reads its settings then.
    """
    for name in [name for name in os.environ if _is_the_machines(name)]:
        del os.environ[name]
    folder = tempfile.mkdtemp(prefix="cpe-tests-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (Path(folder) / "user").mkdir()
    os.environ.update(
        {
            "HOME": f"{folder}/user",
            "CPE_HOME": f"{folder}/home",
            "PREFECT_HOME": f"{folder}/prefect",
            # Without these a client that was given no server starts one, which takes ten seconds.
            "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_LOGGING_TO_API_BATCH_INTERVAL": "0.2",
            "DO_NOT_TRACK": "1",
        }
    )


def _is_the_machines(name: str) -> bool:
    return name.startswith(_PREFIXES) or name in _NAMES or name.lower() in _PROXIES


def environment() -> dict[str, str]:
    """This process's, without what pytest itself notes there."""
    return {name: text for name, text in os.environ.items() if name != "PYTEST_CURRENT_TEST"}


def restore(to: dict[str, str]) -> None:
    """Make the process environment that one again."""
    for name in set(environment()) - set(to):
        del os.environ[name]
    os.environ.update(to)


def stay_on_this_machine() -> None:
    """Let no socket of this process leave loopback, and no name be looked up: as if offline.

    For the life of the process; an audit hook cannot be taken back.
    """
    sys.addaudithook(_refuse_the_network)


def _refuse_the_network(event: str, arguments: tuple[object, ...]) -> None:
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        _, address = arguments
        if isinstance(address, tuple) and not _is_local(str(address[0])):
            raise OSError(errno.ENETUNREACH, "tests stay on this machine", str(address[0]))
    elif event == "socket.getaddrinfo":
        host = arguments[0]
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
        if isinstance(name, str) and not (_is_local(name) or _is_address(name)):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def _is_local(host: str) -> bool:
    if host in ("", "localhost", socket.gethostname()) or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True

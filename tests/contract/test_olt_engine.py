"""The warm engine: one per event loop, gone with it; and SNMPv3 against net-snmp's own agent."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cpe.access.olt import pysnmp_seam as seam
from cpe.access.olt.client import OltClient
from cpe.access.olt.engine import SnmpEngineHandle, running_engine
from cpe.access.olt.index_cache import MemoryIndexCache
from cpe.access.olt.inventory import OltTarget
from cpe.domain.errors import AccessError, LoginRefusedError, UnreachableError
from cpe.domain.snapshot import OltSighting, OntState
from tests.support import olt_rows as rows
from tests.support.olt_bench import COMMUNITY, target_of
from tests.support.ports import free_port
from tests.support.snmp_agent import running_agent

SERIAL = "HWTC0000AA01"


async def find_once() -> tuple[OltSighting | None, SnmpEngineHandle]:
    async with running_agent(rows.huawei(SERIAL), community=COMMUNITY) as agent:
        engine = await running_engine()
        client = OltClient(target_of(agent, "huawei"), engine, MemoryIndexCache())
        return await client.find([SERIAL]), engine


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_loop_after_loop_has_its_own_engine_and_leaves_nothing_open():
    asyncio.run(find_once())
    gc.collect()
    before = open_files()
    engines: list[SnmpEngineHandle] = []
    for _ in range(5):
        seen, engine = asyncio.run(find_once())
        assert seen is not None
        assert engine.is_closed
        engines.append(engine)
    assert len(set(map(id, engines))) == 5
    gc.collect()
    assert open_files() <= before


async def test_one_loop_has_one_engine_and_a_closed_one_is_replaced():
    first = await running_engine()
    assert await running_engine() is first
    first.close()
    first.close()
    second = await running_engine()
    assert second is not first
    with pytest.raises(RuntimeError, match="closed"):
        await first.request(
            OltTarget.model_validate({"name": "o", "host": "127.0.0.1", "community": "c"}),
            ((1, 3, 6),),
            timeout_s=1,
            limit_s=1,
        )


async def test_an_engine_is_built_in_a_thread_and_once(monkeypatch):
    built_in, build = [], seam.build_engine

    def noted():
        built_in.append(threading.get_ident())
        return build()

    monkeypatch.setattr(seam, "build_engine", noted)
    engine = SnmpEngineHandle()
    await engine.warm()
    async with running_agent(rows.huawei(SERIAL), community=COMMUNITY) as agent:
        client = OltClient(target_of(agent, "huawei"), engine, MemoryIndexCache())
        assert await client.find([SERIAL]) is not None
    engine.close()
    assert len(built_in) == 1
    assert built_in[0] != threading.get_ident(), "the loop would stand still for 130 ms"


async def test_a_host_name_that_does_not_resolve_is_unreachable():
    target = OltTarget.model_validate({"name": "o", "host": "olt.invalid", "community": "c"})
    client = OltClient(target, await running_engine(), MemoryIndexCache())
    with pytest.raises(UnreachableError, match="cannot be resolved"):
        await client.probe()


USERS = {
    "md5-des": ("MD5", "DES"),
    "sha-aes": ("SHA", "AES"),
    "sha256-aes": ("SHA-256", "AES"),
    "sha512-aes": ("SHA-512", "AES"),
    "auth-only": ("SHA", None),
}
AUTH_KEY, PRIV_KEY = "auth-CANARY-key", "priv-CANARY-key"


def overrides() -> str:
    kinds: dict[type, str] = {int: "integer", bytes: "octet_str"}
    lines: list[str] = []
    for name, value in rows.huawei(SERIAL).items():
        text = f"0x{value.hex()}" if isinstance(value, bytes) else str(value)
        lines.append(f"override {name} {kinds[type(value)]} {text}")
    return "\n".join(lines)


@pytest.fixture(scope="module")
def snmpd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Debian's snmpd on loopback, with our users and one ONT of a Huawei; gives its port."""
    folder, port = tmp_path_factory.mktemp("snmpd"), free_port(socket.SOCK_DGRAM)
    users: list[str] = []
    for name, (auth, priv) in USERS.items():
        privacy = f" {priv} {PRIV_KEY}" if priv else ""
        users.append(f"createUser {name} {auth} {AUTH_KEY}{privacy}")
        users.append(f"rouser {name} {'priv' if priv else 'auth'} .1.3.6.1.4.1")
    users += ["createUser fenced SHA " + AUTH_KEY, "rouser fenced auth .1.3.6.1.2.1.2"]
    config = folder / "snmpd.conf"
    config.write_text(
        f"agentaddress udp:127.0.0.1:{port}\nrocommunity {COMMUNITY}\n"
        f"{chr(10).join(users)}\n{overrides()}\n",
        encoding="ascii",
    )
    program = shutil.which("snmpd") or shutil.which("snmpd", path="/usr/sbin:/sbin")
    assert program is not None
    process = subprocess.Popen(
        [program, "-f", "-Lf", str(folder / "log"), "-C", "-c", str(config), "-I", "-smux"],
        env={**os.environ, "SNMP_PERSISTENT_DIR": str(folder), "MIBS": ""},
        stdin=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, folder / "log", process)
        yield port
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int, log: Path, process: subprocess.Popen[bytes]) -> None:
    while True:
        if process.poll() is not None:
            pytest.fail(f"snmpd ended: {log.read_text()}")
        done = subprocess.run(
            [
                "snmpget",
                "-v2c",
                "-c",
                COMMUNITY,
                "-t",
                "0.3",
                "-r",
                "0",
                f"127.0.0.1:{port}",
                ".1.3.6.1.2.1.1.3.0",
            ],
            env={**os.environ, "MIBS": ""},
            capture_output=True,
            check=False,
        )
        if done.returncode == 0:
            return


def v3(port: int, user: str, **keys: Any) -> OltTarget:
    auth, priv = USERS.get(user, ("SHA", "AES"))
    entry: dict[str, Any] = {
        "name": "olt-v3",
        "host": "127.0.0.1",
        "port": port,
        "profile": "huawei",
        "user": user,
        "auth_key": AUTH_KEY,
        "auth": auth.lower().replace("-", ""),
    }
    if priv:
        entry |= {"priv_key": PRIV_KEY, "priv": priv.lower()}
    entry |= keys
    return OltTarget.model_validate({key: value for key, value in entry.items() if value})


async def ask(target: OltTarget, engine: SnmpEngineHandle | None = None) -> OltSighting | None:
    handle = engine or await running_engine()
    return await OltClient(target, handle, MemoryIndexCache()).find([SERIAL], deadline_s=600)


@pytest.mark.snmptools
@pytest.mark.parametrize("user", list(USERS))
async def test_an_ont_is_read_over_v3_with(user: str, snmpd: int):
    seen = await ask(v3(snmpd, user))
    assert seen is not None
    assert (seen.state, seen.gpon_serial) == (OntState.ONLINE, SERIAL)
    assert seen.neighbours == ()


@pytest.mark.snmptools
async def test_an_ont_is_read_from_a_real_agent_over_v2c(snmpd: int):
    target = OltTarget.model_validate(
        {
            "name": "olt-v2c",
            "host": "127.0.0.1",
            "port": snmpd,
            "profile": "auto",
            "community": COMMUNITY,
        }
    )
    seen = await ask(target)
    assert seen is not None
    assert seen.profile == "huawei"


@pytest.mark.snmptools
@pytest.mark.parametrize(
    ("user", "keys", "says"),
    [
        ("nobody", {}, "user is unknown"),
        ("sha-aes", {"auth_key": "wrong-CANARY-key"}, "authentication key is wrong"),
        ("sha-aes", {"priv_key": None}, "authorizationError"),
    ],
    ids=["unknown user", "wrong key", "no privacy"],
)
async def test_a_refused_v3_login_is_told_apart_from_a_dead_olt(
    user: str, keys: dict[str, Any], says: str, snmpd: int
):
    with pytest.raises(AccessError, match=says) as caught:
        await ask(v3(snmpd, user, **keys))
    assert isinstance(caught.value, LoginRefusedError), repr(caught.value)
    assert "CANARY" not in repr(caught.value)


@pytest.mark.snmptools
async def test_a_wrong_privacy_key_is_silence_and_the_error_says_so(snmpd: int):
    # net-snmp drops what it cannot decipher, so no error can come back.
    client = OltClient(
        v3(snmpd, "sha-aes", priv_key="wrong-CANARY-key"),
        await running_engine(),
        MemoryIndexCache(),
    )
    with contextlib.suppress(UnreachableError):
        await client.find([SERIAL], deadline_s=0.5)  # builds an engine for these keys, seconds here
    with pytest.raises(UnreachableError, match="privacy key is wrong"):
        await client.find([SERIAL], deadline_s=3.0)


@pytest.mark.snmptools
async def test_one_user_name_with_two_keys_does_not_mix_them_up(snmpd: int):
    engine = await running_engine()
    good = v3(snmpd, "sha-aes")
    bad = v3(snmpd, "sha-aes", name="other", auth_key="another-CANARY-key")
    for _ in range(2):
        seen, refused = await asyncio.gather(
            ask(good, engine), ask(bad, engine), return_exceptions=True
        )
        assert isinstance(seen, OltSighting)
        assert isinstance(refused, LoginRefusedError)

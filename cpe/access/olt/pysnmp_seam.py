"""The one file that speaks to pysnmp's innards. It carries no types: all of it is Any here.

pysnmp's high-level `get_cmd` resolves every OID against MIBs on the way out; handing ready-made
varbinds to its command generators halves the client's CPU (6 varbinds: 2.9 → 1.4 ms here).
"""

# pyright: reportMissingTypeStubs=false
from __future__ import annotations

import asyncio
from typing import Any, Final, cast

from pyasn1.type import univ
from pysnmp.entity.rfc3413 import cmdgen as _cmdgen
from pysnmp.error import PySnmpError as SnmpLibraryError
from pysnmp.hlapi.v3arch import asyncio as _hlapi
from pysnmp.hlapi.v3arch.asyncio.lcd import CommandGeneratorLcdConfigurator
from pysnmp.proto import rfc1902, rfc1905

from cpe.access.olt.inventory import OltTarget
from cpe.access.olt.wire import Missing, ObjectId, Oid, Response, Value, Varbind

__all__ = ["SnmpLibraryError", "build_engine", "credentials", "exchange", "transport"]

_cmdgen_any: Any = _cmdgen
hlapi: Any = _hlapi
_configurator: Any = CommandGeneratorLcdConfigurator()
_types: Any = rfc1902

_MODULES: Final = (
    "SNMPv2-MIB",
    "SNMPv2-TC",
    "SNMP-FRAMEWORK-MIB",
    "SNMP-COMMUNITY-MIB",
    "SNMP-TARGET-MIB",
    "SNMP-MPD-MIB",
    "SNMP-USER-BASED-SM-MIB",
    "SNMP-VIEW-BASED-ACM-MIB",
    "PYSNMP-USM-MIB",
)
"""What a first request would load in the middle of the event loop."""

# Null comes last, being the base of the exceptional values of RFC 3416; and all of them before
# OctetString, which is the base of Null.
_MISSING: Final[tuple[tuple[Any, Missing], ...]] = (
    (rfc1905.NoSuchObject, Missing.NO_OBJECT),
    (rfc1905.NoSuchInstance, Missing.NO_INSTANCE),
    (rfc1905.EndOfMibView, Missing.END),
    (univ.Null, Missing.NULL),
)

_AUTH: Final[dict[str, Any]] = {
    "md5": hlapi.USM_AUTH_HMAC96_MD5,
    "sha": hlapi.USM_AUTH_HMAC96_SHA,
    "sha224": hlapi.USM_AUTH_HMAC128_SHA224,
    "sha256": hlapi.USM_AUTH_HMAC192_SHA256,
    "sha384": hlapi.USM_AUTH_HMAC256_SHA384,
    "sha512": hlapi.USM_AUTH_HMAC384_SHA512,
}
_PRIV: Final[dict[str, Any]] = {
    "des": hlapi.USM_PRIV_CBC56_DES,
    "3des": hlapi.USM_PRIV_CBC168_3DES,
    "aes": hlapi.USM_PRIV_CFB128_AES,
    "aes192": hlapi.USM_PRIV_CFB192_AES,
    "aes256": hlapi.USM_PRIV_CFB256_AES,
    "aes192-blumenthal": hlapi.USM_PRIV_CFB192_AES_BLUMENTHAL,
    "aes256-blumenthal": hlapi.USM_PRIV_CFB256_AES_BLUMENTHAL,
}


def build_engine() -> Any:
    """A pysnmp engine with its MIBs loaded: ~150 ms of CPU, so not for an event loop's thread."""
    engine = hlapi.SnmpEngine()
    engine.get_mib_builder().load_modules(*_MODULES)
    return engine


def credentials(target: OltTarget) -> Any:
    """The target's login in the library's form (its repr hides the secrets)."""
    if target.community is not None:
        return hlapi.CommunityData(target.community.get_secret_value(), mpModel=1)
    options: dict[str, Any] = {}
    if target.auth_key is not None:
        options["authKey"] = target.auth_key.get_secret_value()
        options["authProtocol"] = _AUTH[target.auth]
    if target.priv_key is not None:
        options["privKey"] = target.priv_key.get_secret_value()
        options["privProtocol"] = _PRIV[target.priv]
    user = target.user.get_secret_value() if target.user is not None else ""
    return hlapi.UsmUserData(user, **options)


async def transport(host: str, port: int, timeout_s: float) -> Any:
    """The destination. Raises PySnmpError when the name cannot be resolved."""
    kind = hlapi.Udp6TransportTarget if ":" in host else hlapi.UdpTransportTarget
    return await kind.create((host, port), timeout=timeout_s, retries=0)


async def exchange(
    engine: Any,
    login: Any,
    where: Any,
    oids: tuple[Oid, ...],
    *,
    repetitions: int | None,
    following: bool,
) -> tuple[Any, Response | None]:
    """Send one GET, GETNEXT (`following`) or GETBULK (`repetitions`) and wait for its answer.

    Gives the error indication or the response. Raises SnmpLibraryError.
    """
    future: asyncio.Future[tuple[Any, ...]] = asyncio.get_running_loop().create_future()

    def done(_engine: Any, _handle: Any, *answer: Any) -> None:
        # What is raised in here the library's dispatcher swallows: decode outside.
        if not future.done():
            future.set_result(answer)

    name, _ = _configurator.configure(engine, login, where, b"")
    varbinds = [(_types.ObjectName(oid), _types.Null("")) for oid in oids]
    if repetitions is not None:
        generator = _cmdgen_any.BulkCommandGeneratorSingleRun()
        generator.send_varbinds(engine, name, None, b"", 0, repetitions, varbinds, done, None)
    elif following:
        generator = _cmdgen_any.NextCommandGeneratorSingleRun()
        generator.send_varbinds(engine, name, None, b"", varbinds, done, None)
    else:
        generator = _cmdgen_any.GetCommandGenerator()
        generator.send_varbinds(engine, name, None, b"", varbinds, done, None)
    indication, status, index, rows, _ = await future
    return (indication, None) if indication else (None, _response(status, index, rows))


def _response(status: Any, index: Any, rows: Any) -> Response:
    varbinds: tuple[Varbind, ...] = tuple((tuple(oid), _value(value)) for oid, value in rows)
    return Response(int(status), int(index), varbinds)


def _value(value: Any) -> Value:
    if isinstance(value, univ.Integer):
        return int(value)
    for kind, missing in _MISSING:
        if isinstance(value, kind):
            return missing
    if isinstance(value, univ.OctetString):
        return bytes(value)
    if isinstance(value, univ.ObjectIdentifier):
        return ObjectId(".".join(str(int(part)) for part in cast("Any", value).asTuple()))
    raise SnmpLibraryError(f"a value of type {type(value).__name__}")

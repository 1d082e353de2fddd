"""`cpe doctor`: each configured system asked once, in words that say how to mend it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

from pydantic import ValidationError
from rich.markup import escape
from rich.table import Table

from cpe.access.bridge.find import find_browser, remedy
from cpe.access.erpnext.whoami import whoami
from cpe.access.genieacs.sweep.plan import family_plan
from cpe.access.olt.client import OltClient
from cpe.access.olt.engine import running_engine
from cpe.access.olt.index_cache import MemoryIndexCache
from cpe.access.olt.inventory import OltTarget, load_inventory
from cpe.domain.errors import (
    AccessError,
    LoginRefusedError,
    NotSupportedError,
    ProfileError,
    StoreError,
)
from cpe.domain.redaction import redact
from cpe.profiles.bridge_profile import bridge_profile
from cpe.profiles.check import check_files, check_profiles, is_usable
from cpe.profiles.cpe_profile import profiles
from cpe.profiles.olt_profile import olt_profiles
from cpe.profiles.overlay import own_folder
from cpe.profiles.thresholds import load_thresholds
from cpe.profiles.wording import wording
from cpe.settings import (
    AcsSettings,
    BridgeSettings,
    DiagnosisSettings,
    ErpSettings,
    OltSettings,
    mistakes,
)
from deployments.commands.console import out, print_json
from deployments.commands.doctor_erp import ErpCheck, comments, equipment, idempotency
from deployments.commands.exits import DONE, REFUSED, UNREACHABLE
from deployments.server.state import find_running_server, is_healthy, is_refused
from tasks import clients

State = Literal["ok", "warning", "wrong", "not_configured"]
COLOURS: Final = {"ok": "green", "warning": "yellow", "wrong": "red", "not_configured": "dim"}
CLOCK_WARNING_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the examination. `mend` is what to do, empty when nothing is."""

    system: str
    state: State
    detail: str
    mend: str = ""
    refused: bool = False
    ms: int = 0


def run(*, as_json: bool, fix: bool = False) -> int:
    """0 when everything configured works, 5 when one refused us, 4 when one does not work.

    `fix` makes what is ours to make in the systems: the key field of ERPNext's Task.
    """
    checks = asyncio.run(_examine(fix=fix))
    if as_json:
        print_json([asdict(check) for check in checks])
    else:
        out().print(_table(checks))
    wrong = [check for check in checks if check.state == "wrong"]
    if any(check.refused for check in wrong):
        return REFUSED
    return UNREACHABLE if wrong else DONE


async def _examine(*, fix: bool) -> list[Check]:
    steps: list[tuple[str, Callable[[], Awaitable[Check]]]] = [
        ("data files", _data_files),
        ("profiles", _profiles),
        ("acs", _acs),
        ("bridge", _bridge),
        ("erp", _erp),
        ("erp equipment", _erp_equipment),
        ("erp comments", _erp_comments),
        ("erp key field", lambda: _erp_key_field(fix=fix)),
        ("database", _database),
        ("prefect", _prefect),
    ]
    checks: list[Check] = []
    try:
        targets, inventory = _targets()
        for system, step in steps:
            checks.append(await _timed(system, step))
            if system == "profiles":
                checks += _profile_files()
        checks.append(inventory)
        for target in targets:
            checks.append(await _timed(f"olt {target.name}", lambda t=target: _olt(t)))
    finally:
        await clients.close_clients()
    return checks


async def _timed(system: str, step: Callable[[], Awaitable[Check]]) -> Check:
    started = time.monotonic()
    try:
        check = await step()
    except ValidationError as error:
        check = Check(system, "wrong", mistakes(error), "mend the named variable")
    except (AccessError, StoreError, ProfileError) as error:
        refused = isinstance(error, LoginRefusedError)
        check = Check(
            system, "wrong", str(error), MEND.get(system.split(maxsplit=1)[0], ""), refused
        )
    ms = round((time.monotonic() - started) * 1000)
    return Check(check.system, check.state, check.detail, check.mend, check.refused, ms)


MEND: Final = {
    "acs": "check CPE_ACS_URL (the NBI, port 7557, never the UI's 3000) and CPE_ACS_TOKEN",
    "bridge": "set CPE_BRIDGE_BROWSER to a Chromium, or install one",
    "erp": "check CPE_ERP_URL, CPE_ERP_API_KEY and CPE_ERP_API_SECRET",
    "database": "check CPE_DATABASE_URL; sqlite:///FILE and postgresql://… both work",
    "olt": "check host, port and community (a wrong one is silence) and the OLT's SNMP access list",
    "data": "mend the named file and key",
    "profiles": "mend the named file and key, or unset CPE_PROFILES: until then nothing is judged",
}


async def _data_files() -> Check:
    loaded = load_thresholds(DiagnosisSettings().rules)
    wording()
    bridge_profile()
    try:
        families = ", ".join(p.id for p in profiles())
        unverified = sorted(str(p.id) for p in olt_profiles().values() if not p.verified)
    except ProfileError:
        if own_folder() is None:
            raise
        detail = f"ruleset {loaded.ruleset}; families: see CPE_PROFILES below"
        return Check("data files", "warning", detail)
    detail = f"ruleset {loaded.ruleset}; CPE families {families}; OLT profiles not yet confirmed"
    return Check("data files", "ok", f"{detail} on a real device: {', '.join(unverified) or '–'}")


async def _profiles() -> Check:
    """The operator's profiles, all together. Raises ProfileError."""
    folder = own_folder()
    if folder is None:
        return Check("profiles", "not_configured", "CPE_PROFILES is not set")
    check_profiles()
    return Check("profiles", "ok", f"laid over the shipped ones from {folder}")


def _profile_files() -> list[Check]:
    """Each of the operator's profiles; none when the folder itself cannot be used."""
    try:
        files = check_files()
    except ProfileError:
        return []
    checks: list[Check] = []
    for found in files:
        system = f"profile {found.kind}/{found.file.name}"
        if found.error:
            mend = f"mend it in {found.file}, or take the file out of there"
            checks.append(Check(system, "wrong", found.error, mend))
            continue
        left = family_plan(found.id).left_out if found.kind == "cpe" and is_usable() else ()
        note = f"; a sweep does not read its {' and '.join(sorted(left))} rows" if left else ""
        checks.append(Check(system, "warning" if left else "ok", found.detail + note))
    return checks


async def _acs() -> Check:
    if AcsSettings().url is None:
        return Check("acs", "not_configured", "CPE_ACS_URL is not set")
    nbi = clients.acs().nbi
    count = await nbi.count()
    skew_s = nbi.transport.clock_skew_s
    detail = f"{count if count is not None else '?'} devices"
    if abs(skew_s) > CLOCK_WARNING_S:
        detail += f"; its clock is {skew_s:+.0f} s from ours"
        mend = "set both clocks by NTP; ages are counted on the ACS's clock meanwhile"
        return Check("acs", "warning", detail, mend)
    return Check("acs", "ok", detail)


async def _bridge() -> Check:
    """A browser that starts, or the one command that brings it. No modem is asked."""
    settings = BridgeSettings()
    if not settings.is_configured:
        return Check("bridge", "not_configured", "CPE_BRIDGE_PASSWORD is not set")
    if settings.service is not None:
        host = urlsplit(settings.service).hostname
        return Check("bridge", "ok", f"by the service at {host}; asked only during a diagnosis")
    try:
        browser = find_browser(settings.browser)
    except NotSupportedError as error:
        return Check("bridge", "wrong", error.message, remedy())
    from cpe.access.bridge.browser import WarmBrowser  # noqa: PLC0415 - Playwright is slow to import

    warm = WarmBrowser(browser)
    try:
        version = await warm.version()
    finally:
        await warm.close()
    detail = f"{browser} {version}, as user {settings.user}, at {settings.url}"
    return Check("bridge", "ok", detail)


def _targets() -> tuple[tuple[OltTarget, ...], Check]:
    try:
        path = OltSettings().path
    except ValidationError as error:
        return (), Check("olt inventory", "wrong", mistakes(error), "mend the named variable")
    if path is None:
        return (), Check("olt inventory", "not_configured", "CPE_OLTS is not set")
    try:
        targets = load_inventory(path)
    except ProfileError as error:
        return (), Check("olt inventory", "wrong", str(error), "mend the named entry")
    return targets, Check("olt inventory", "ok", f"{len(targets)} OLTs in {path}")


async def _olt(target: OltTarget) -> Check:
    identity = await OltClient(target, await running_engine(), MemoryIndexCache()).probe()
    rows = f"{identity.serial_rows}{'' if identity.complete else '+'} ONTs"
    detail = f"{identity.sys_descr[:60]}; profile {identity.profile}; {rows}"
    if identity.detail:
        return Check(f"olt {target.name}", "warning", f"{detail}; {identity.detail}")
    if not identity.verified:
        mend = "compare one ONT's readings with the OLT's CLI before trusting them"
        return Check(f"olt {target.name}", "warning", f"{detail}; unverified profile", mend)
    return Check(f"olt {target.name}", "ok", detail)


async def _erp() -> Check:
    settings = ErpSettings()
    if settings.url is None:
        return Check("erp", "not_configured", "CPE_ERP_URL is not set")
    if settings.api_key is None or settings.api_secret is None:
        return Check("erp", "wrong", "the API key or secret is not set", MEND["erp"])
    user = await whoami(
        settings.url,
        settings.api_key.get_secret_value(),
        settings.api_secret.get_secret_value(),
        timeout_s=settings.timeout_s,
    )
    return Check("erp", "ok", f"logged in as {user}")


async def _erp_equipment() -> Check:
    return await _of_erp("erp equipment", lambda erp: equipment(erp.frappe, erp.names))


async def _erp_comments() -> Check:
    return await _of_erp("erp comments", lambda erp: comments(erp.frappe, erp.names))


async def _erp_key_field(*, fix: bool) -> Check:
    asked = "erp key field"
    return await _of_erp(asked, lambda erp: idempotency(erp.frappe, erp.names, fix=fix))


async def _of_erp(system: str, ask: Callable[[clients.Erp], Awaitable[ErpCheck]]) -> Check:
    if ErpSettings().url is None:
        return Check(system, "not_configured", "CPE_ERP_URL is not set")
    found = await ask(clients.erp())
    return Check(found.system, found.state, found.detail, found.mend)


async def _database() -> Check:
    return Check("database", "ok", await (await clients.store()).ping())


async def _prefect() -> Check:
    configured = os.environ.get("PREFECT_API_URL")
    if configured:
        shown = redact(configured)
        if is_refused(configured):
            mend = "set PREFECT_API_AUTH_STRING as the server has it (user:password)"
            return Check("prefect", "wrong", f"{shown} refuses us", mend, refused=True)
        if is_healthy(configured):
            return Check("prefect", "ok", shown)
        mend = "start that server, or unset PREFECT_API_URL: commands then start what they need"
        return Check("prefect", "wrong", f"{shown} does not answer", mend)
    if running := find_running_server():
        return Check("prefect", "ok", f"{running} (started by cpe)")
    return Check(
        "prefect", "not_configured", "none running; commands start a brief one of their own"
    )


def _table(checks: list[Check]) -> Table:
    table = Table("", "", "", "ms")
    for check in checks:
        colour = COLOURS[check.state]
        detail = escape(check.detail)
        if check.mend:
            detail += f"\n[bold]→ {escape(check.mend)}[/bold]"
        table.add_row(
            escape(check.system), f"[{colour}]{check.state}[/{colour}]", detail, str(check.ms or "")
        )
    return table

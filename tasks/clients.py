"""The warm clients of this process: one of each for every running event loop.

An httpx pool and an SNMP engine belong to one loop. Settings are read when a client is first
asked for on a loop; a changed environment makes new clients.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from pydantic import ValidationError

from cpe.access.bridge.interface import Login, ModemBridge
from cpe.access.erpnext.equipment import Equipment
from cpe.access.erpnext.frappe import Frappe
from cpe.access.erpnext.names import ErpNames
from cpe.access.erpnext.work import Work
from cpe.access.genieacs.nbi import Nbi
from cpe.access.genieacs.refresh import Refresher
from cpe.access.genieacs.speedtest import SpeedTester
from cpe.access.genieacs.transport import NbiTransport
from cpe.domain.errors import NotConfiguredError, StoreError
from cpe.settings import (
    AcsSettings,
    BridgeSettings,
    DiagnosisSettings,
    ErpSettings,
    StoreSettings,
    home,
    mistakes,
)
from cpe.store.repository import Store


@dataclass(frozen=True, slots=True)
class Acs:
    """The ACS's conversation partners on one loop."""

    nbi: Nbi
    refresher: Refresher
    tester: SpeedTester


@dataclass(frozen=True, slots=True)
class Erp:
    """ERPNext's conversation partners on one loop."""

    frappe: Frappe
    names: ErpNames
    equipment: Equipment
    work: Work


@dataclass(slots=True)
class _Shelf:
    """What one loop holds, by the settings it was made from."""

    made: dict[tuple[object, ...], Any] = field(default_factory=dict[tuple[object, ...], Any])
    closers: list[Callable[[], Awaitable[None]]] = field(
        default_factory=list[Callable[[], Awaitable[None]]]
    )
    flushers: list[Callable[[], Awaitable[None]]] = field(
        default_factory=list[Callable[[], Awaitable[None]]]
    )
    """Called before anything is closed."""
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while what takes time is made: two who come first get one."""


_shelves: WeakKeyDictionary[asyncio.AbstractEventLoop, _Shelf] = WeakKeyDictionary()


def shelf() -> _Shelf:
    """This loop's clients."""
    return _shelves.setdefault(asyncio.get_running_loop(), _Shelf())


def acs() -> Acs:
    """The configured ACS. Raises NotConfiguredError when none is configured, or not usably."""
    try:
        settings = AcsSettings.current()
    except ValidationError as error:
        raise NotConfiguredError(mistakes(error), system="acs") from None
    diagnosis = DiagnosisSettings.current()
    if settings.url is None:
        raise NotConfiguredError("CPE_ACS_URL is not set", system="acs")
    key = ("acs", settings.model_dump_json(), diagnosis.freshness_s, _secret(settings))
    here = shelf()
    if key not in here.made:
        transport = NbiTransport(
            settings.url, token=_secret(settings), timeout_s=settings.timeout_s
        )
        nbi = Nbi(transport)
        refresher = Refresher(nbi, bound_s=settings.refresh_s, limit_s=diagnosis.freshness_s)
        tester = SpeedTester(nbi, bound_s=settings.speedtest_s)
        here.made[key] = Acs(nbi, refresher, tester)
        here.closers.append(transport.close)
    return here.made[key]


def erp() -> Erp:
    """The configured ERPNext. Raises NotConfiguredError when none is configured, or not usably."""
    try:
        settings = ErpSettings.current()
    except ValidationError as error:
        raise NotConfiguredError(mistakes(error), system="erp") from None
    if settings.url is None or settings.api_key is None or settings.api_secret is None:
        missing = "CPE_ERP_URL" if settings.url is None else "CPE_ERP_API_KEY or its secret"
        raise NotConfiguredError(f"{missing} is not set", system="erp")
    api_key, secret = settings.api_key.get_secret_value(), settings.api_secret.get_secret_value()
    key = ("erp", settings.model_dump_json(), api_key, secret)
    here = shelf()
    if key not in here.made:
        frappe = Frappe(settings.url, api_key, secret, timeout_s=settings.timeout_s)
        names = erp_names(settings)
        here.made[key] = Erp(frappe, names, Equipment(frappe, names), Work(frappe, names))
        here.closers.append(frappe.close)
    return here.made[key]


def erp_names(settings: ErpSettings) -> ErpNames:
    """What the operator's ERPNext calls things."""
    return ErpNames(
        equipment=settings.equipment_doctype,
        serial=settings.serial_field,
        status=settings.status_field,
        customer=settings.customer_field,
        kind=settings.type_field,
        task=settings.task_doctype,
        idem=settings.idem_field,
        move_customer=settings.move_customer,
        time_zone=settings.time_zone,
    )


def _secret(settings: AcsSettings) -> str | None:
    return settings.token.get_secret_value() if settings.token is not None else None


async def bridge() -> ModemBridge:
    """The configured way to admin UIs. Raises NotConfiguredError when there is none, or no browser.

    A browser is started by the first session, not here.
    """
    settings = BridgeSettings.current()
    password = settings.password.get_secret_value() if settings.password is not None else None
    token = settings.service_token.get_secret_value() if settings.service_token is not None else ""
    key = ("bridge", settings.model_dump_json(), password, token)
    here = shelf()
    if key not in here.made:
        login = Login(settings.user, password) if password is not None else None
        here.made[key] = made = _bridge(settings, login, token or None)
        here.closers.append(made.close)
    return here.made[key]


async def settle_bridges() -> None:
    """Wait for sessions on modems that were left: a run's process may end right after the run."""
    for key, made in list(shelf().made.items()):
        if key[0] == "bridge":
            await made.settle()


def _bridge(settings: BridgeSettings, login: Login | None, token: str | None) -> ModemBridge:
    if settings.service is not None:
        from cpe.access.bridge.service import ServiceBridge  # noqa: PLC0415 - only who needs it

        return ServiceBridge(settings.service, login=login, token=token)
    if login is None:
        raise NotConfiguredError("CPE_BRIDGE_PASSWORD is not set", system="bridge")
    from cpe.access.bridge.find import find_browser  # noqa: PLC0415 - only who needs it

    browser = find_browser(settings.browser)
    # Playwright takes 0.2 s to import; most diagnoses never need it.
    from cpe.access.bridge.browser import WarmBrowser  # noqa: PLC0415
    from cpe.access.bridge.chromium import ChromiumBridge  # noqa: PLC0415
    from cpe.access.bridge.refusals import Refusals  # noqa: PLC0415
    from cpe.profiles.bridge_profile import bridge_profile  # noqa: PLC0415

    return ChromiumBridge(
        WarmBrowser(browser), login, bridge_profile(), Refusals(home() / "bridge")
    )


async def store() -> Store:
    """Our database, migrated. Raises StoreError, also when its settings cannot be used."""
    try:
        url = StoreSettings.current().plain_url()
    except ValidationError as error:
        raise StoreError(mistakes(error)) from None
    key = ("store", url)
    here = shelf()
    async with here.opening:
        if key not in here.made:
            opened = Store.open(url)
            try:
                await opened.migrate()
            except BaseException:
                await opened.close()
                raise
            here.made[key] = opened
            here.closers.append(opened.close)
        return here.made[key]


async def flush() -> None:
    """Let what this loop holds back be written."""
    for write in shelf().flushers:
        await write()


async def close_clients() -> None:
    """Close everything this loop opened, for commands that end."""
    await flush()
    held = _shelves.pop(asyncio.get_running_loop(), None)
    for close in held.closers if held is not None else ():
        with contextlib.suppress(OSError):
            await close()

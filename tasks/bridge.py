"""Conversations with the boxes' own admin UI."""

from __future__ import annotations

from collections.abc import Collection

from prefect import task

from cpe.access.bridge.interface import SYSTEM, Modem, modem_url
from cpe.access.bridge.report import ask_modem
from cpe.domain.errors import NotSupportedError
from cpe.domain.snapshot import BridgeReport, Device
from cpe.profiles.bridge_profile import bridge_profile
from cpe.settings import BridgeSettings
from tasks import clients
from tasks.policy import ONCE, teller


@task(name="bridge: read modem", task_run_name="bridge: read {serial}", timeout_seconds=90, **ONCE)
async def read_modem(serial: str, device: Device, lacking: Collection[str]) -> BridgeReport:
    """What the box's admin UI knows of the quantities that are lacking.

    `serial` names the run. One session, one login at most, bounded by CPE_BRIDGE_SESSION_S. Raises
    AccessError.
    """
    settings, profile = BridgeSettings.current(), bridge_profile()
    if profile.has_other_ui(device.model):
        raise NotSupportedError(
            f"a {device.model} has another admin UI (/cgi-bin/luci), not read by the bridge",
            system=SYSTEM,
            target=serial,
        )
    modem = Modem(modem_url(settings.url, device.ip, serial=serial), serial)
    bridge = await clients.bridge()
    teller()(f"asking the box's own admin UI for {', '.join(sorted(lacking))}")
    return await ask_modem(bridge, modem, device, profile, lacking, bound_s=settings.session_s)

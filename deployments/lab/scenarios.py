"""What can befall a box: one table. `changes` are fields of Conditions, `expected` a verdict code.

`needs` says what a diagnosis must have besides one look: `history` (two looks, minutes apart),
`speedtest` (asked for), `measured` (a speed test and the customer's own figure of 20 Mbit/s),
`bridge` (a browser).
`ask_by` is `gpon_serial` where the TR-069 serial leads nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from deployments.lab.truth import (
    Caller,
    Knowledge,
    Link,
    Optics,
    PonEvent,
    Vendor,
)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One named state of a box."""

    id: str
    fr: str
    en: str
    expected: str
    changes: Mapping[str, object] = field(default_factory=dict[str, object])
    pon: PonEvent | None = None
    needs: str = ""
    ask_by: str = "serial"
    tplink_only: bool = False
    olts: frozenset[Vendor] = frozenset(Vendor)
    dead: bool = False
    """The box cannot be talked to; began some minutes ago when set before the lab starts."""

    def as_json(self) -> dict[str, object]:
        """What `GET /lab/scenarios` says."""
        return {
            "id": self.id,
            "title": {"fr": self.fr, "en": self.en},
            "expected": self.expected,
            "needs": self.needs,
            "ask_by": self.ask_by,
            "tplink_only": self.tplink_only,
            "olts": sorted(self.olts),
        }


def _s(id_: str, fr: str, en: str, expected: str, **rest: object) -> Scenario:
    special = {"pon", "needs", "ask_by", "tplink_only", "olts", "dead"}
    changes = {name: value for name, value in rest.items() if name not in special}
    options = {name: value for name, value in rest.items() if name in special}
    return Scenario(id_, fr, en, expected, changes, **options)  # type: ignore[arg-type]


_TP: Final = {"tplink_only": True}
_TIMED: Final = frozenset({Vendor.HUAWEI, Vendor.ZTE})
_CROWD: Final = ((6, -48.0), (7, -61.0), (1, -77.0), (44, -52.0), (36, -58.0), (157, -86.0))
_WEAK: Final = {"rx_dbm": -27.4, "olt_rx_dbm": -29.6}

_ALL: Final = (
    _s("healthy", "tout va bien, lectures fraîches", "all is well, readings fresh", "healthy",
       knowledge=Knowledge.EACH_INFORM, inform_interval_s=20.0),
    _s("healthy-stale", "tout va bien, lectures anciennes", "all is well, readings stale",
       "healthy"),
    _s("operator-firmware", "micrologiciel de l’opérateur (SignalRxPower)",
       "the operator's firmware (SignalRxPower)", "healthy", operator_firmware=True, **_TP),
    _s("never-read", "connu de l’ACS par ses Inform seulement",
       "the ACS knows only what an Inform carries", "healthy", knowledge=Knowledge.INFORM_ONLY),
    _s("weak-fibre", "lumière trop faible", "light too weak", "fibre_weak", **_WEAK),
    _s("overload", "lumière trop forte", "too much light", "fibre_overload",
       rx_dbm=-5.2, olt_rx_dbm=-6.4),
    _s("rx-boundary-25", "exactement −25,0 dBm", "exactly −25.0 dBm", "healthy",
       rx_dbm=-25.0, olt_rx_dbm=-26.1, operator_firmware=True, **_TP),
    _s("rx-boundary-8", "exactement −8,0 dBm", "exactly −8.0 dBm", "healthy",
       rx_dbm=-8.0, olt_rx_dbm=-9.3, operator_firmware=True, **_TP),
    _s("fibre-cut", "fibre coupée vers ce seul client", "fibre cut to this customer alone",
       "fibre_cut", link=Link.LOS, dead=True),
    _s("power-off", "courant coupé chez le client", "no power at the customer's", "power_off",
       link=Link.DYING_GASP, dead=True),
    _s("pon-outage", "artère coupée, tout le PON est mort", "feeder cut, the whole PON is dead",
       "pon_outage", pon=PonEvent.FEEDER_CUT, dead=True),
    _s("area-power-cut", "panne de secteur, tout le PON a crié", "area power cut, the PON gasped",
       "power_off", pon=PonEvent.POWER_CUT, dead=True),
    _s("churned-neighbours", "fibre coupée parmi d’anciens abonnés éteints depuis un mois",
       "fibre cut among former subscribers dark for a month", "fibre_cut",
       link=Link.LOS, pon=PonEvent.CHURN, olts=_TIMED, dead=True),
    _s("wifi-congested", "canal Wi-Fi saturé", "WiFi channel saturated", "wifi_interference",
       utilisation_5_pct=91.0, utilisation_24_pct=88.0, radio_errors=91_000,
       neighbours=_CROWD, **_TP),
    _s("wifi-noise", "bruit radio", "radio noise", "wifi_interference",
       noise_24_dbm=-71.0, noise_5_dbm=-76.0, **_TP),
    _s("mesh-weak-backhaul", "liaison maillée trop faible", "mesh backhaul too weak",
       "mesh_backhaul", satellites=2, backhaul_rssi_dbm=-84.0, backhaul_rate_mbps=39,
       backhaul_utilisation_pct=88.0, **_TP),
    _s("mesh-node-down", "un satellite est éteint", "a mesh satellite is down", "mesh_backhaul",
       satellites=2, satellite_active=False, **_TP),
    _s("client-weak", "un seul appareil capte mal", "one station alone is weak", "client_device",
       station_rssi_dbm=(-52.0, -58.0, -86.0), **_TP),
    _s("client-retries", "un seul appareil réémet sans cesse", "one station alone retries a lot",
       "client_device", station_retries_pct=44.0, **_TP),
    _s("qoe-disagrees", "la boîte se note mal sans raison mesurée",
       "the box scores itself badly for no reason that can be measured", "healthy",
       score_air=1.2, **_TP),
    _s("silent", "en ligne à l’OLT, muet pour l’ACS", "online at the OLT, silent to the ACS",
       "management_silent", caller=Caller.HANGS, inform_interval_s=0.0),
    _s("silent-refused", "refuse les identifiants de l’ACS", "refuses the ACS's credentials",
       "management_silent", caller=Caller.REFUSES_LOGIN),
    _s("cr-no-inform", "accepte l’appel mais ne vient pas", "accepts the call, never informs",
       "management_silent", caller=Caller.NO_INFORM, inform_interval_s=0.0),
    _s("slow-inform", "vient six secondes après l’appel", "informs six seconds after the call",
       "healthy", inform_delay_s=6.0),
    _s("slow-session", "répond en trois secondes par requête", "three seconds an RPC", "healthy",
       rpc_s=3.0),
    _s("task-faulted", "la boîte refuse les lectures", "the box faults every read", "healthy",
       fault_code="9002"),
    _s("one-bad-parameter", "un seul paramètre que la boîte refuse", "the box faults one parameter",
       "healthy", refuses="X_TP_GPON_Config.BiasCurrent", **_TP),
    _s("no-effect", "session réussie, rien de lu", "a clean session without effect", "healthy",
       answers_nothing=True),
    _s("missing-optics", "sans puissance reçue à l’ACS", "no receive power in the ACS", "healthy",
       optics=Optics.MISSING),
    _s("sentinel-optics", "puissance reçue factice à l’ACS", "placeholder receive power",
       "healthy", optics=Optics.SENTINEL),
    _s("optics-at-bridge", "lumière trop faible, que seule la boîte sait",
       "light too weak, and only the box's own admin UI knows", "fibre_weak",
       optics=Optics.MISSING, olt_optics=False, needs="bridge", **_TP, **_WEAK),
    _s("reboot-loop", "redémarre sans cesse", "reboots over and over", "hardware_fault",
       reboot_every_s=200.0, needs="history"),
    _s("radio-down", "radio 5 GHz morte", "5 GHz radio dead", "hardware_fault", radio_5_up=False,
       **_TP),
    _s("laser-out-of-class", "laser hors classe", "laser out of class", "hardware_fault",
       tx_dbm=-1.6, bias_ma=42.0),
    _s("hot-transceiver", "émetteur trop chaud", "transceiver too hot", "hardware_fault",
       temperature_c=83.0, operator_firmware=False, **_TP),
    _s("rogue-ont", "émet hors de son tour", "transmits out of turn", "hardware_fault",
       link=Link.ROGUE, olts=frozenset({Vendor.HUAWEI}), dead=True),
    _s("wan-down", "sans session Internet", "no Internet session", "inconclusive", wan_up=False),
    _s("optical-errors-growing", "erreurs optiques croissantes", "optical errors growing",
       "healthy", optical_errors_per_s=900.0, operator_firmware=True, needs="history", **_TP),
    _s("duplicate-serial", "deux boîtes pour un numéro", "two boxes with one serial", "healthy",
       twin=True),
    _s("unknown-to-acs", "inconnue de l’ACS, en ligne à l’OLT", "unknown to the ACS, online",
       "management_silent", known_to_acs=False, ask_by="gpon_serial"),
    _s("unknown-everywhere", "connue de personne", "known to nobody", "not_found",
       known_to_acs=False, known_to_olt=False),
    _s("deactivated", "désactivée à l’OLT", "deactivated at the OLT", "inconclusive",
       link=Link.DEACTIVATED, dead=True),
    _s("access-slow", "accès lent, bonne lumière", "slow access, good light", "access_slow",
       line_mbps=4.1, needs="speedtest"),
    _s("client-slow", "accès rapide, client lent", "fast access, slow customer", "client_device",
       needs="measured"),
)  # fmt: skip

SCENARIOS: Final[dict[str, Scenario]] = {scenario.id: scenario for scenario in _ALL}
DEFAULT: Final = "healthy-stale"
BACKGROUND: Final = (
    "weak-fibre", "overload", "fibre-cut", "power-off", "silent", "wifi-congested", "radio-down",
    "laser-out-of-class", "never-read", "deactivated", "client-weak", "missing-optics",
)  # fmt: skip
"""What a share of a large fleet suffers from, when asked for."""


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop of the demo's tour."""

    serial: str
    scenario: str
    expected: str


_TOUR: Final = (
    (0, "healthy"), (1, "weak-fibre"), (2, "overload"), (3, "fibre-cut"), (13, "power-off"),
    (40, "pon-outage"), (14, "wifi-congested"), (15, "mesh-weak-backhaul"), (16, "client-weak"),
    (4, "silent"), (5, "laser-out-of-class"), (11, "operator-firmware"), (17, "wan-down"),
)  # fmt: skip
TOUR_INDICES: Final = tuple((index, SCENARIOS[name]) for index, name in _TOUR)

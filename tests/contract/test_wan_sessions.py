"""WAN sessions as boxes instance and name them: found anywhere, the Internet's known or doubted."""

import json

import pytest

from cpe.access.genieacs import lookup
from cpe.access.genieacs.nbi import in_parts
from cpe.access.genieacs.plan import projection
from cpe.access.genieacs.rows import further_paths
from cpe.answer.document import document
from cpe.domain.casebook import Casebook
from cpe.domain.redaction import is_secret_name
from cpe.domain.snapshot import Request
from cpe.profiles.cpe_profile import profiles
from cpe.profiles.thresholds import load_thresholds
from cpe.rules.judge import judge
from tests.support.boxes import GENERIC, NOW, box
from tests.support.own_nbi import Cpe, OwnNbi
from tests.support.trees import document as tree

RULE = "wan.session_is_up"
IGD = "InternetGatewayDevice"
WANS = f"{IGD}.WANDevice.1.WANConnectionDevice"
OPTICS = {
    "ZTE": {f"{IGD}.WANDevice.1.X_ZTE-COM_WANPONInterfaceConfig.RXPower": 100},
    "Huawei": {f"{IGD}.WANDevice.1.X_GponInterafceConfig.RXPower": -19},
    "Nokia": {f"{IGD}.X_ALU_OntOpticalParam.RXPower": "-19.4"},
    "FiberHome": {f"{IGD}.WANDevice.1.X_CT-COM_GponInterfaceConfig.RXPower": 100},
    "Acme": {f"{IGD}.WANDevice.1.X_CT-COM_GponInterfaceConfig.RXPower": 100},
}
AUTH = "ERROR_AUTHENTICATION_FAILURE"


def told(acs_document):
    seen = lookup.sighting(acs_document, now=NOW, limit_s=60)
    book = Casebook("x", Request("S1"), NOW, 60)
    book.found(seen)
    snapshot = book.close(NOW)
    judged = judge(snapshot, load_thresholds(None))
    answer = document(snapshot, judged.findings, judged.verdict, judged.ruleset, finished_at=NOW)
    answer["wan"] = next(f for f in answer["findings"] if f["rule"] == RULE)
    answer["doubted"] = RULE in [n["rule"] for n in answer["verdict"]["not_evaluable"]]
    return answer


def tr098(maker, *connections):
    """Connections as (path below WANDevice, status, columns)."""
    leaves = dict(OPTICS[maker])
    for path, status, columns in connections:
        row = path if path.startswith(IGD) else f"{WANS}.{path}"
        leaves |= {f"{row}.ConnectionStatus": status}
        leaves |= {f"{row}.{name}": value for name, value in columns.items()}
    identity = {**GENERIC, "_Manufacturer": maker}
    return told(box(leaves, identity=identity, root=IGD))


def tr181(leaves):
    rx = {"Device.Optical.Interface.1.Stats.SignalRxPower": "-19.5"}
    return told(box({**rx, **leaves}, identity=GENERIC))


# --- found wherever they are instanced ---


@pytest.mark.parametrize("maker", list(OPTICS))
@pytest.mark.parametrize(
    "path",
    [
        "1.WANPPPConnection.2", "3.WANPPPConnection.7", "12.WANIPConnection.1",
        f"{IGD}.WANDevice.3.WANConnectionDevice.2.WANPPPConnection.4",
    ],
)  # fmt: skip
def test_an_internet_session_that_failed_is_found_under_any_number(maker, path):
    answer = tr098(
        maker,
        ("1.WANIPConnection.1", "Connected", {"X_CT-COM_ServiceList": "TR069"}),
        (path, "Disconnected", {"X_CT-COM_ServiceList": "INTERNET", "LastConnectionError": AUTH}),
    )
    assert answer["wan"]["status"] == "fault"
    assert answer["verdict"]["code"] == "inconclusive"
    assert answer["verdict"]["because"] == [RULE]
    assert answer["verdict"]["text"]["fr"].startswith("La boîte n'a pas de session Internet")
    assert "mot de passe refusé" in answer["verdict"]["text"]["fr"]
    assert answer["interface"]["wan"]["status"] == "disconnected"


@pytest.mark.parametrize("number", [2, 9, 15])
def test_a_tr181_session_is_found_under_any_number(number):
    answer = tr181(
        {
            f"Device.PPP.Interface.{number}.ConnectionStatus": "Disconnected",
            f"Device.PPP.Interface.{number}.LastConnectionError": AUTH,
        }
    )
    assert answer["wan"]["status"] == "fault"


@pytest.mark.parametrize("maker", list(OPTICS))
def test_a_family_whose_sessions_nobody_read_is_not_evaluable_and_named(maker):
    answer = tr098(maker)
    assert (answer["wan"]["status"], answer["doubted"]) == ("unknown", True)
    assert tr181({})["doubted"]


# --- the Internet's known, or doubted aloud ---

LISTS = [
    "X_CMCC_ServiceList", "X_CT-COM_ServiceList", "X_CU_ServiceList", "X_HW_SERVICELIST",
    "X_ZTE-COM_ServiceList", "X_FH_ServiceList", "X_ALU-COM_ServiceList", "X_ASB_COM_ServiceList",
    "X_D0542D_ServiceList", "X_TP_ServiceType", "ServiceList",
]  # fmt: skip


@pytest.mark.parametrize("column", LISTS)
@pytest.mark.parametrize("maker", ["ZTE", "Acme"])
def test_the_acs_own_session_is_not_the_internet_in_any_makers_words(maker, column):
    answer = tr098(
        maker,
        ("1.WANIPConnection.1", "Connected", {column: "TR069"}),
        ("2.WANPPPConnection.1", "Disconnected", {column: "INTERNET"}),
    )
    assert (answer["wan"]["status"], answer["verdict"]["code"]) == ("fault", "inconclusive")
    healthy = tr098(
        maker,
        ("1.WANIPConnection.1", "Disconnected", {column: "TR069"}),
        ("2.WANPPPConnection.1", "Connected", {column: "INTERNET"}),
    )
    assert (healthy["wan"]["status"], healthy["verdict"]["code"]) == ("ok", "healthy")


@pytest.mark.parametrize(
    ("management", "internet"),
    [
        ("1_TR069_R_VID_46", "2_INTERNET_R_VID_100"),
        ("TR-069", "HSI"),
        ("3_VOIP_R_VID_30", "4_TR069_INTERNET_R_VID_1"),
        ("mgmt", "Internet_PPPoE"),
    ],
)
def test_a_name_tells_where_no_service_list_was_read(management, internet):
    answer = tr098(
        "Acme",
        ("1.WANIPConnection.1", "Connected", {"Name": management}),
        ("2.WANPPPConnection.1", "Disconnected", {"Name": internet}),
    )
    assert answer["wan"]["status"] == "fault"


@pytest.mark.parametrize(
    "words",
    [
        ("X_FOO_ServiceList", "TR069", "INTERNET"),
        ("X_CMCC_ServiceList", "OTHER", "GAMING"),
        ("Name", "omci_ipv4_dhcp_1", "omci_ipv4_pppoe_1"),
        ("Description", "a", "b"),
    ],
)
def test_what_nobody_understands_is_doubt_named_and_not_healthy(words):
    column, up, down = words
    answer = tr098(
        "Acme",
        ("1.WANIPConnection.1", "Connected", {column: up}),
        ("2.WANPPPConnection.1", "Disconnected", {column: down}),
    )
    assert answer["doubted"]
    assert answer["verdict"]["code"] == "inconclusive"
    assert answer["verdict"]["because"] == [RULE]
    assert "incertaine" in answer["verdict"]["text"]["fr"]


def test_a_lone_session_whose_service_nobody_understands_is_named():
    answer = tr098("ZTE", ("1.WANPPPConnection.1", "Connected", {"X_CMCC_ServiceList": "OTHER"}))
    assert (answer["doubted"], answer["verdict"]["code"]) == (True, "healthy")


def test_a_service_list_that_is_empty_leaves_the_word_to_the_next():
    words = {"X_ZTE-COM_ServiceList": "", "X_CMCC_ServiceList": "INTERNET"}
    answer = tr098("ZTE", ("1.WANPPPConnection.1", "Connected", words))
    assert answer["wan"]["status"] == "ok"


def test_an_internet_connection_that_is_switched_off_is_no_session():
    off = {"X_CT-COM_ServiceList": "INTERNET", "Enable": False}
    answer = tr098(
        "Acme",
        ("1.WANIPConnection.1", "Connected", {"X_CT-COM_ServiceList": "TR069"}),
        ("2.WANPPPConnection.1", "Disconnected", off),
    )
    assert (answer["wan"]["status"], answer["verdict"]["code"]) == ("fault", "inconclusive")


def test_two_internet_sessions_that_contradict_are_doubt_until_one_has_an_address():
    refused = {"Name": "1_INTERNET_R_VID_1", "LastConnectionError": AUTH}
    up = {"Name": "2_INTERNET_R_VID_1"}
    rows = ("1.WANPPPConnection.1", "Disconnected", refused)
    doubted = tr098("Acme", rows, ("2.WANIPConnection.1", "Connected", up))
    assert (doubted["doubted"], doubted["verdict"]["code"]) == (True, "inconclusive")
    up["ExternalIPAddress"] = "100.64.1.9"
    seen = tr098("Acme", rows, ("2.WANIPConnection.1", "Connected", up))
    assert (seen["wan"]["status"], seen["verdict"]["code"]) == ("degraded", "healthy")
    assert "mot de passe refusé" in seen["verdict"]["text"]["fr"]


@pytest.mark.parametrize(
    ("more", "code", "doubted"),
    [
        ({}, "inconclusive", True),
        ({"X_HW_IPv6Enable": True}, "healthy", False),
        ({"X_CT-COM_IPv6ConnStatus": "Connected"}, "healthy", False),
        ({"ConnectionType": "PPPoE_Bridged"}, "healthy", True),
    ],
    ids=["no address", "IPv6 alone", "DS-Lite", "bridged"],
)
def test_a_session_that_is_connected_without_an_address_is_doubt(more, code, doubted):
    columns = {"X_CT-COM_ServiceList": "INTERNET", "ExternalIPAddress": "0.0.0.0", **more}
    answer = tr098("Acme", ("1.WANPPPConnection.1", "Connected", columns))
    assert (answer["verdict"]["code"], answer["doubted"]) == (code, doubted)


@pytest.mark.parametrize("address", ["", "0.0.0.0"])
def test_a_ppp_session_that_got_no_address_is_doubt(address):
    row = "Device.PPP.Interface.3"
    leaves = {f"{row}.ConnectionStatus": "Connected", f"{row}.IPCP.LocalIPAddress": address}
    assert tr181(leaves)["verdict"]["code"] == "inconclusive"


def test_the_default_connection_is_the_internets():
    path = f"{WANS}.2.WANPPPConnection.1"
    rows = [("1.WANIPConnection.1", "Connected", {}), (path, "Disconnected", {})]
    default = {f"{IGD}.Layer3Forwarding.DefaultConnectionService": path}
    leaves = dict(OPTICS["Acme"]) | default
    for row, status, _ in rows:
        full = row if row.startswith(IGD) else f"{WANS}.{row}"
        leaves[f"{full}.ConnectionStatus"] = status
    answer = told(box(leaves, identity={**GENERIC, "_Manufacturer": "Acme"}, root=IGD))
    assert answer["wan"]["status"] == "fault"


# --- TR-181: a PPP interface, an IP interface on top of it, and VLANs beside ---

PPP, VLAN = "Device.PPP.Interface.1", "Device.IP.Interface.4"
CONNECTING = {
    f"{PPP}.ConnectionStatus": "Connecting", f"{PPP}.LastConnectionError": "ERROR_NONE",
    f"{VLAN}.Name": "eth0.50", f"{VLAN}.Status": "Up",
}  # fmt: skip


def test_an_unnamed_vlan_that_is_up_does_not_stand_for_a_session_that_is_connecting():
    answer = tr181(CONNECTING)
    assert (answer["doubted"], answer["verdict"]["code"]) == (True, "inconclusive")
    assert answer["interface"]["wan"]["status"] == "connecting"


@pytest.mark.parametrize("name", ["eth0.50", "veip0.46", "", None])
@pytest.mark.parametrize("state", ["Authenticating", "Disconnected", "Unconfigured"])
def test_no_name_of_a_vlan_and_no_state_short_of_connected_is_a_session(name, state):
    leaves = {**CONNECTING, f"{PPP}.ConnectionStatus": state, f"{VLAN}.Name": name}
    if name is None:
        del leaves[f"{VLAN}.Name"]
    answer = tr181(leaves)
    assert (answer["doubted"], answer["verdict"]["code"]) == (True, "inconclusive")


@pytest.mark.parametrize("service", ["TR069", "VoIP", "IPTV"])
def test_a_vlan_for_something_else_leaves_no_session(service):
    answer = tr181({**CONNECTING, f"{VLAN}.X_TP_ServiceType": service})
    assert (answer["wan"]["status"], answer["verdict"]["code"]) == ("fault", "inconclusive")


def test_an_ip_interface_on_a_session_that_is_down_is_that_session():
    leaves = {
        **CONNECTING,
        f"{VLAN}.LowerLayers": f"{PPP}.",
        f"{VLAN}.X_TP_ServiceType": "Internet",
    }
    assert tr181(leaves)["wan"]["status"] == "fault"


def route(interface, status="Enabled", destination=""):
    row = "Device.Routing.Router.1.IPv4Forwarding.3"
    return {
        f"{row}.Interface": f"{interface}.", f"{row}.Status": status,
        f"{row}.DestIPAddress": destination,
    }  # fmt: skip


def test_the_default_route_tells_which_session_is_the_internets():
    idle = {**CONNECTING, f"{PPP}.ConnectionStatus": "Disconnected"}
    assert tr181({**idle, **route(VLAN)})["wan"]["status"] == "ok"
    assert tr181({**idle, **route(PPP)})["wan"]["status"] == "fault"
    for other in (route(VLAN, "Disabled"), route(VLAN, destination="10.1.0.0")):
        assert tr181({**idle, **other})["doubted"]


def test_a_modem_in_the_usb_port_is_no_session_of_the_fibre():
    leaves = {
        f"{PPP}.ConnectionStatus": "Disconnected", f"{PPP}.LowerLayers": "Device.USB.Interface.1.",
        f"{VLAN}.Name": "ppp0", f"{VLAN}.Status": "Up",
        f"{VLAN}.IPv4Address.1.IPAddress": "100.64.3.4",
    }  # fmt: skip
    assert tr181(leaves)["wan"]["status"] == "ok"


def test_a_state_that_is_stale_is_no_session():
    rx = {"Device.Optical.Interface.1.Stats.SignalRxPower": "-19.5"}
    leaves = {f"{PPP}.ConnectionStatus": "Connected"}
    old = box({**rx, **leaves}, identity=GENERIC, ages_s={f"{PPP}.ConnectionStatus": 900})
    assert told(old)["doubted"]


# --- real boxes ---


def test_the_real_boxes_have_a_session():
    tplink = tree(
        "tplink_xx230v_1.0.csv",
        {"_Manufacturer": "TP-Link", "_ProductClass": "Device2", "_SerialNumber": "S1"}, NOW,
    )  # fmt: skip
    assert told(tplink)["wan"]["status"] == "ok"
    assert told(tplink)["interface"]["wan"]["ip"] == "192.168.89.137"
    huawei = tree(
        "huawei_eg8145v5.csv",
        {"_Manufacturer": "Huawei Technologies Co., Ltd", "_SerialNumber": "48575443A9419001"}, NOW,
    )  # fmt: skip
    assert told(huawei)["wan"]["status"] == "degraded"
    assert "mot de passe refusé" in told(huawei)["wan"]["text"]["fr"]
    assert told(huawei)["interface"]["wan"]["ip"] == "192.168.88.59"


# --- read level by level ---


@pytest.mark.parametrize("family", [p.id for p in profiles()])
def test_the_markers_of_every_family_fit_in_two_requests_and_name_no_secret(family):
    paths = projection(family)
    assert len(in_parts(paths)) <= 2
    names = {path.rsplit(".", 1)[-1] for path in paths} - {"ConnectionRequestURL"}
    assert not any(is_secret_name(name) for name in names)


async def test_only_rows_that_there_are_are_read_and_no_password_of_theirs():
    leaves = dict(OPTICS["ZTE"])
    rows = [f"{WANS}.{n}" for n in ("1.WANIPConnection.1", "4.WANPPPConnection.2")]
    rows.append(f"{IGD}.WANDevice.2.WANConnectionDevice.1.WANIPConnection.1")
    for row in rows:
        leaves |= {f"{row}.ConnectionStatus": "Connected", f"{row}.Password": "CANARY"}
    held = box(leaves, identity={**GENERIC, "_Manufacturer": "ZTE"}, root=IGD)
    acs = OwnNbi()
    acs.add(held, Cpe({}))
    nbi = acs.client()
    try:
        read = await lookup.read(nbi, held)
    finally:
        await nbi.transport.close()
    assert read is not None
    assert "CANARY" not in json.dumps(read)
    seen = lookup.sighting(read, now=NOW, limit_s=60)
    found = {m.subject for m in seen.measurements if m.name == "wan.status"}
    assert found == {f"wan:{row}" for row in rows}
    zte = next(p for p in profiles() if p.id == "zte")
    assert [len(in_parts(further_paths(held, zte, reads))) for reads in (1, 2, 3)] == [1, 1, 0]

"""Laws of the verdict over documents: nothing unread is healthy, nothing unread heals."""

from hypothesis import given, settings
from hypothesis import strategies as st

from cpe.access.genieacs.lookup import sighting
from cpe.domain.finding import Status
from cpe.domain.verdict import Code
from cpe.profiles.thresholds import load_thresholds
from cpe.rules.judge import judge
from tests.support.boxes import GENERIC, NOW, UNREAD, box
from tests.support.cases import snapshot

RX = "Device.Optical.Interface.1.Stats.SignalRxPower"
GOOD = {
    RX: "-18.69",
    "Device.Optical.Interface.1.Stats.SignalTxPower": "2.3",
    "Device.DeviceInfo.UpTime": 90_000,
    "Device.WiFi.Radio.1.OperatingFrequencyBand": "2.4GHz",
    "Device.WiFi.Radio.1.Enable": True,
    "Device.WiFi.Radio.1.Status": "Up",
    "Device.PPP.Interface.1.Enable": True,
    "Device.PPP.Interface.1.ConnectionStatus": "Connected",
}

NODE = "Device.WiFi.MultiAP.APDevice.9"
PHONE = "Device.WiFi.AccessPoint.1.AssociatedDevice.77"
UNREAD_ROWS = (
    {f"{NODE}.MACAddress": UNREAD, f"{NODE}.BackhaulSignalStrength": UNREAD},
    {f"{NODE}.MACAddress": "1C:61:B4:00:00:99", f"{NODE}.X_TP_Active": UNREAD},
    {f"{PHONE}.MACAddress": UNREAD, f"{PHONE}.SignalStrength": UNREAD},
    {f"{PHONE}.MACAddress": "3E:00:00:00:00:77", f"{PHONE}.SignalStrength": UNREAD},
    {"Device.WiFi.Radio.4.Status": UNREAD, "Device.WiFi.Radio.4.Enable": UNREAD},
    {"Device.PPP.Interface.9.ConnectionStatus": UNREAD, "Device.PPP.Interface.9.Enable": UNREAD},
    {"Device.Optical.Interface.2.Stats.SignalRxPower": UNREAD},
)
FLAWS = (
    {},
    {"Device.Optical.Interface.1.Stats.SignalRxPower": "-27.9"},
    {"Device.Optical.Interface.1.Stats.SignalRxPower": "-5.0"},
    {"Device.WiFi.Radio.1.Status": "Down"},
    {"Device.PPP.Interface.1.ConnectionStatus": "Disconnected"},
)
MATTERS = ("management.box_is_online", "optical.rx_power_in_band")


def judged(leaves):
    seen = sighting(box(leaves, identity=GENERIC), now=NOW, limit_s=60)
    shot = snapshot(
        *seen.measurements,
        device=seen.device,
        tables_read=seen.tables_read,
        cannot_report=seen.cannot_report,
        without=("optical.rx_dbm", "optical.tx_dbm", "optical.temperature_c", "wan.status"),
    )
    return judge(shot, load_thresholds())


def test_the_good_document_of_these_laws_is_healthy():
    assert judged(GOOD).verdict.code is Code.HEALTHY


@settings(max_examples=60, deadline=None)
@given(flaw=st.sampled_from(FLAWS), rows=st.lists(st.sampled_from(UNREAD_ROWS), max_size=3))
def test_a_row_that_nobody_read_never_improves_a_verdict(flaw, rows):
    leaves = {**GOOD, **flaw}
    before = judged(leaves).verdict
    after = judged({**leaves, **{k: v for row in rows for k, v in row.items()}}).verdict
    if before.code is not Code.HEALTHY:
        assert after.code is not Code.HEALTHY
    named = {n.rule for n in after.not_evaluable} | set(after.because)
    assert {n.rule for n in before.not_evaluable} <= named


@settings(max_examples=80, deadline=None)
@given(
    missing=st.sets(st.sampled_from(sorted(GOOD)), max_size=6),
    unread=st.booleans(),
    flaw=st.sampled_from(FLAWS),
)
def test_healthy_implies_evidence_for_each_rule_that_matters(missing, unread, flaw):
    leaves = {**GOOD, **flaw}
    for path in missing:
        if unread:
            leaves[path] = UNREAD
        else:
            leaves.pop(path, None)
    said = judged(leaves)
    if said.verdict.code is Code.HEALTHY:
        findings = {f.rule: f for f in said.findings}
        for rule in MATTERS:
            assert findings[rule].status is Status.OK
            assert findings[rule].evidence
        assert not [f.rule for f in said.findings if f.status is Status.FAULT]
        assert leaves.get(RX, UNREAD) is not UNREAD

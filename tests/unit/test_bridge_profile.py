"""The bridge's data file says what may be asked; a file that says too much does not load."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from cpe.access.bridge.interface import Harvest, Modem
from cpe.access.bridge.meaning import Answerer, measured, who_answered
from cpe.access.bridge.report import ask_modem, wanted_reads
from cpe.domain.errors import ProfileError, UnexpectedAnswerError
from cpe.domain.observation import Quality
from cpe.domain.snapshot import Device
from cpe.profiles.bridge_profile import PROFILE_FOLDER, bridge_profile

FILE = PROFILE_FOLDER / "tplink-json.yaml"
NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)


def changed(tmp_path: Path, change) -> Path:
    content = yaml.safe_load(FILE.read_text())
    change(content)
    made = tmp_path / "changed.yaml"
    made.write_text(yaml.safe_dump(content))
    return made


def read(content, oid):
    return next(r for r in content["reads"] if r["oid"] == oid)


WRONG = {
    "a secret attribute": (
        lambda c: read(c, "DEV2_ADT_WAN")["plain"].append("PPPPassword"), "holds a secret",
    ),
    "a user name": (
        lambda c: read(c, "DEV2_ADT_WAN")["plain"].append("PPPUserName"), "holds a secret",
    ),
    "a write": (lambda c: c["allowed"]["verbs"].append("so"), "allowed.verbs"),
    "a read that is never allowed": (
        lambda c: c["reads"].append({"oid": "DEV2_USER_CFG", "verb": "gl", "plain": ["x"]}),
        "not allowed",
    ),
    "an operation that is not listed": (
        lambda c: read(c, "DEV2_WIFI_APDEV").update(after="ACT_REBOOT"), "not an allowed action",
    ),
    "an unknown key": (lambda c: c.update(retries=9), "retries"),
    "a unit that is not physical": (
        lambda c: read(c, "DEV2_OPTC_GPON_CFG")["quantities"]["optical.rx_dbm"][1].update(
            conversion="identity"
        ),
        "outside",
    ),
    "a path for an attribute": (
        lambda c: read(c, "DEV2_WIFI_APDEV")["quantities"]["node.mac"][0].update(path="a.b"),
        "not an attribute",
    ),
    "a reason to log in that nothing gives": (
        lambda c: c["worth"].append("wifi.noise_dbm"), "no read gives",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_profile_that_allows_too_much_does_not_load(tmp_path, name):
    change, said = WRONG[name]
    with pytest.raises(ProfileError, match=said):
        bridge_profile(changed(tmp_path, change))


def test_no_listed_attribute_is_a_secret_and_no_action_changes_anything():
    profile = bridge_profile()
    assert set(profile.allowed.actions) == {"ACT_UPDATE_MAPINFO", "ACT_WIFI_UPDATE_ALLASSOC"}
    assert set(profile.allowed.calls) == {"/cgi/login", "/cgi/logout", "/cgi/clearBusy"}
    attributes = {a for r in (profile.identity, *profile.reads) for a in r.attributes}
    leaks = {"PPPUserName", "PPPPassword", "primaryPSK", "guestPSK", "adminPwd", "primarySSID"}
    assert not attributes & leaks


@pytest.mark.parametrize(
    ("maker", "model", "fits", "other"),
    [
        ("TP-Link", "XX230v", True, False), ("TP-LINK", "XX530v", True, False),
        ("TP Link", "EX920", True, False), ("TP-Link", "Deco X20", False, True),
        ("TP-Link", "XE75", False, True), ("TP-Link", "X55", False, True),
        ("Huawei Technologies Co., Ltd", "EG8145V5", False, False), ("TP-Link", None, False, False),
        (None, "XX230v", False, False),
    ],
)  # fmt: skip
def test_families_are_told_by_maker_and_model(maker, model, fits, other):
    profile = bridge_profile()
    assert profile.fits(maker, model) is fits
    assert profile.has_other_ui(model) is other


def test_only_the_objects_that_give_what_is_lacking_are_read():
    profile = bridge_profile()
    oids = [r.oid for r in wanted_reads(profile, {"optical.rx_dbm", "node.backhaul_rssi_dbm"})]
    assert oids == ["DEV2_OPTC_GPON_CFG", "DEV2_WIFI_APDEV"]


# -- rows to measurements


def meaning(oid, *rows):
    reads = bridge_profile().reads
    return measured(Harvest({oid: rows}), reads, at=NOW)


def values(oid, *rows):
    return {(m.name, m.subject): (m.value, m.quality) for m in meaning(oid, *rows).measurements}


@pytest.mark.parametrize(
    ("raw", "value", "quality"),
    [
        ("5624", -2.5, Quality.OK), ("0", None, Quality.SENTINEL),
        ("", None, Quality.UNPARSABLE), ("-185", None, Quality.IMPLAUSIBLE),
        ("-18.50 dBm", -18.5, Quality.OK), ("5624 dBm", None, Quality.IMPLAUSIBLE),
        ("-40 dBm", None, Quality.SENTINEL), ("N/A", None, Quality.UNPARSABLE),
    ],
)  # fmt: skip
def test_a_power_is_taken_by_its_unit_or_not_at_all(raw, value, quality):
    assert values("DEV2_OPTC_GPON_CFG", {"RXPower": raw})["optical.rx_dbm", ""] == (value, quality)


def test_the_unit_that_no_real_device_has_confirmed_is_marked():
    found = meaning("DEV2_OPTC_GPON_CFG", {"RXPower": "272"}).measurements[0]
    assert (found.value, found.raw, found.path) == (-15.65, "272", "DEV2_OPTC_GPON_CFG.RXPower")
    assert found.note == "unit of the TR-069 twin, not confirmed on this UI"


def test_a_mac_is_written_as_every_other_source_writes_it():
    row = {"MACAddress": "1c-61-b4-d0-07-45", "signalStrength": "100", "stack": "1,2,2,1,0,0"}
    found = values("DEV2_WIFI_APDEV_ASSOCDEV", row)
    assert found["station.rssi_dbm", "station:1C:61:B4:D0:07:45"] == (-60.0, Quality.OK)
    assert found["station.band", "station:1C:61:B4:D0:07:45"] == ("5", Quality.OK)


def test_a_row_nobody_can_name_is_announced_and_not_guessed():
    said = meaning("DEV2_ADT_WIFI_COMMON", {"band": "60GHz", "channel": "2"})
    assert said.measurements == ()
    assert said.strange == ("DEV2_ADT_WIFI_COMMON: a row of unknown wifi.band",)


def test_a_second_optical_row_is_announced():
    said = meaning("DEV2_OPTC_GPON_CFG", {"RXPower": "272"}, {"RXPower": "5624"})
    assert [m.value for m in said.measurements] == [-15.65]
    assert said.strange == ("DEV2_OPTC_GPON_CFG: more than one row",)


def test_a_missing_attribute_is_no_reading():
    assert values("DEV2_OPTC_GPON_CFG", {"TXPower": "14880"}) == {
        ("optical.tx_dbm", ""): (1.73, Quality.OK)
    }


BOX = Device(serial="22275A7009001", gpon_serial="TPLGB4D00744", mac="1C:61:B4:D0:07:45")


def answerer(rows, device=BOX):
    return who_answered(rows, bridge_profile(), device)


@pytest.mark.parametrize(
    ("said", "who"),
    [
        ("22275A7009001", Answerer.MEANT), ("22275a7009001", Answerer.MEANT),
        ("54504C47B4D00744", Answerer.MEANT), ("TPLGB4D00744", Answerer.MEANT),
        ("99999", Answerer.ANOTHER), ("", Answerer.UNKNOWN), ("  ", Answerer.UNKNOWN),
    ],
)  # fmt: skip
def test_who_answers_is_held_against_who_was_meant(said, who):
    assert answerer({"DEV2_DEV_INFO": [{"serialNumber": said}]}) is who


@pytest.mark.parametrize(
    "rows", [{}, {"DEV2_DEV_INFO": []}, {"DEV2_DEV_INFO": [{"modelName": "XX230v"}]}]
)
def test_a_box_that_does_not_tell_its_serial_is_not_taken_for_the_one_that_was_meant(rows):
    assert answerer(rows) is Answerer.UNKNOWN


@pytest.mark.parametrize(
    ("rows", "who"),
    [
        ({"DEV2_ADT_WAN": [{"MACAddr": ""}, {"MACAddr": "1c-61-b4-d0-07-45"}]}, Answerer.MEANT),
        ({"DEV2_ADT_WAN": [{"MACAddr": "1C:61:B4:D0:07:46"}]}, Answerer.MEANT),  # same GPON serial
        ({"DEV2_ADT_WAN": [{"MACAddr": "1C:61:B4:72:EA:A5"}]}, Answerer.UNKNOWN),
        (
            {"DEV2_WIFI_APDEV": [{"MACAddress": "1C61B4D00745", "X_TP_IsController": "1"}]},
            Answerer.MEANT,
        ),
        (
            {"DEV2_WIFI_APDEV": [{"MACAddress": "1C61B4D00745", "X_TP_IsController": "0"}]},
            Answerer.UNKNOWN,
        ),
    ],
)
def test_its_mac_proves_a_box_that_does_not_tell_its_serial(rows, who):
    assert answerer(rows) is who
    told = {"DEV2_DEV_INFO": [{"serialNumber": "99999"}]}
    assert answerer({**rows, **told}) is Answerer.ANOTHER


def test_nothing_proves_a_box_of_which_nothing_is_known():
    rows = {"DEV2_DEV_INFO": [{"serialNumber": "S"}], "DEV2_ADT_WAN": [{"MACAddr": ""}]}
    assert answerer(rows, Device()) is Answerer.UNKNOWN


class Answering:
    """A bridge that gives one harvest."""

    def __init__(self, rows, **others):
        self.harvest = Harvest(rows, **others)

    async def read(self, modem, reads, *, bound_s):
        del modem, reads, bound_s
        return self.harvest


async def asked(rows, **others):
    return await ask_modem(
        Answering(rows, **others), Modem("http://192.0.2.7", "S1"), BOX, bridge_profile(),
        {"optical.rx_dbm", "wan.status"}, bound_s=1,
    )  # fmt: skip


OPTICS = {"DEV2_OPTC_GPON_CFG": [{"RXPower": "272"}]}


async def test_the_readings_of_a_box_that_is_not_proved_to_be_the_one_are_not_judged():
    with pytest.raises(UnexpectedAnswerError, match=r"not proved.*DEV2_DEV_INFO: code 9003"):
        await asked(OPTICS, failed={"DEV2_DEV_INFO": "code 9003"})
    report = await asked({**OPTICS, "DEV2_DEV_INFO": [{}]}, lost=True)
    assert (report.measurements, report.lost) == ((), True)
    assert "not proved" in report.detail


async def test_what_a_proved_box_told_before_somebody_else_logged_in_is_judged():
    told = {"DEV2_DEV_INFO": [{"serialNumber": BOX.serial}]}
    report = await asked({**OPTICS, **told}, lost=True)
    assert [m.value for m in report.measurements] == [-15.65]
    by_mac = await asked({**OPTICS, "DEV2_ADT_WAN": [{"name": "x", "MACAddr": BOX.mac}]})
    assert [m.value for m in by_mac.measurements] == [-15.65]


async def test_a_session_that_was_lost_before_anything_was_read_says_only_that():
    assert (await asked({}, lost=True)).detail == "somebody else logged in half-way"

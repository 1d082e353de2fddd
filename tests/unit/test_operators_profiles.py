"""The operator's profiles, laid over the shipped ones: what they teach, and what is refused."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from typer.testing import CliRunner

import cpe.settings as _  # noqa: F401 - says where the operator's profiles are
from cpe.access.genieacs.family import choose_family, identify
from cpe.access.genieacs.lookup import sighting
from cpe.access.genieacs.plan import identity_projection, projection
from cpe.access.genieacs.sweep.plan import family_plan, sweep_projection
from cpe.access.genieacs.sweep.reader import FleetPart, FleetReader
from cpe.access.olt.inventory import load_inventory
from cpe.access.olt.probe import choose_profile
from cpe.answer.markdown import page
from cpe.domain.errors import ProfileError
from cpe.domain.observation import Quality
from cpe.domain.snapshot import AcsFault, Device
from cpe.profiles.cpe_profile import profiles
from cpe.profiles.olt_profile import olt_profiles
from cpe.profiles.thresholds import load_thresholds
from cpe.profiles.wording import wording
from cpe.rules.judge import judge
from cpe.store.codec import decode_snapshot, encode_snapshot
from deployments.cli import app
from flows.diagnose_cpe import diagnose_cpe
from flows.request import DiagnosisRequest
from tests.support.boxes import GENERIC, NOW, TPLINK, box
from tests.support.cases import snapshot

EXAMPLE = Path(__file__).parents[2] / "deployments" / "profiles-example"
RX = "optical.rx_dbm"
VIRTUAL = "VirtualParameters.RXPower"
TR181 = f"""
id: tr181
extends: tr181
quantities:
  optical.rx_dbm: [{{path: {VIRTUAL}, typical: -21.9}}]
"""
NEW = """
id: acme
extends: tr181
title: Acme
match: {root: Device, manufacturer: "(?i)acme"}
evidence: a box on our bench
"""
HUAWEI_BOX = {"_Manufacturer": "Huawei", "_ProductClass": "EG8145V5", "_SerialNumber": "S1"}


class Folder:
    """The operator's files; a process reads a folder once, so each change is another folder."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path, self._patch, self._changes = path, monkeypatch, 0
        for kind in ("cpe", "olt"):
            (path / kind).mkdir(parents=True)
        self.changed()

    def changed(self) -> Path:
        self._changes += 1
        alias = self.path.with_name(f"profiles-{self._changes}")
        alias.symlink_to(self.path)
        self._patch.setenv("CPE_PROFILES", str(alias))
        return alias

    def write(self, text: str, name: str) -> Path:
        (self.path / name).write_text(text, encoding="utf-8")
        return self.changed() / name


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    return Folder(tmp_path / "profiles", monkeypatch)


def write(folder: Folder, text: str, name: str = "mine.yaml", kind: str = "cpe") -> Path:
    return folder.write(text, f"{kind}/{name}")


def by_id():
    return {profile.id: profile for profile in profiles()}


def rx(document):
    readings = sighting(document, now=NOW, limit_s=60).measurements
    return next(m for m in readings if m.name == RX)


def refused(folder: Folder, text: str, kind: str = "cpe") -> str:
    file = write(folder, text, kind=kind)
    with pytest.raises(ProfileError) as caught:
        profiles() if kind == "cpe" else olt_profiles()
    said = str(caught.value)
    assert str(file) in said
    assert "\n" not in said
    return said


# -- what they teach


def test_a_virtual_parameter_is_a_path_like_any_other(folder):
    document = box({VIRTUAL: "-27.9"}, identity=GENERIC)
    assert rx(document).quality is Quality.NOT_READ
    write(folder, TR181)
    reading = rx(document)
    assert (reading.value, reading.path, reading.quality) == (-27.9, VIRTUAL, Quality.OK)
    assert VIRTUAL in projection("tr181")
    assert VIRTUAL in sighting(document, now=NOW, limit_s=60).refresh_paths


@pytest.mark.parametrize("raw", [-27.9, "-27.9", "-27.9 dBm", " -27.90 "])
def test_a_virtual_parameter_is_read_however_its_script_writes_it(folder, raw):
    write(folder, TR181)
    assert rx(box({VIRTUAL: raw}, identity=GENERIC)).value == -27.9


@pytest.mark.parametrize("raw", ["N/A", "", "-2790", "0", 12.0])
def test_a_virtual_parameter_that_is_no_reading_is_none(folder, raw):
    write(folder, TR181.replace("typical: -21.9", "typical: -21.9, sentinels: [0]"))
    reading = rx(box({VIRTUAL: raw}, identity=GENERIC))
    assert reading.value is None
    assert reading.quality not in (Quality.OK, Quality.STALE)


def test_the_operators_candidates_stand_before_the_shipped_ones_which_stay(folder):
    shipped = [c.path for c in by_id()["tr181"].quantities[RX]]
    write(folder, TR181)
    assert [c.path for c in by_id()["tr181"].quantities[RX]] == [VIRTUAL, *shipped]


def test_what_is_to_be_replaced_is_not_read_any_more(folder):
    write(folder, TR181 + "replaces: [optical.rx_dbm]\n")
    assert [c.path for c in by_id()["tr181"].quantities[RX]] == [VIRTUAL]
    assert len(by_id()["tr181"].quantities) > 5


def test_what_extends_a_profile_gets_what_the_operator_added_to_it(folder):
    write(folder, TR181.replace("tr181", "tr098"))
    huawei = [c.path for c in by_id()["huawei"].quantities[RX]]
    assert huawei[0] == VIRTUAL
    assert huawei[1].endswith("X_GponInterafceConfig.RXPower")
    assert [c.path for c in by_id()["tr181"].quantities[RX]].count(VIRTUAL) == 0


def test_a_shipped_path_in_another_unit_takes_the_shipped_ones_place(folder):
    path = "Device.Optical.Interface.*.OpticalSignalLevel"
    write(folder, TR181.replace(VIRTUAL, path).replace("-21.9", "-2150, conversion: hundredth"))
    ours = [c for c in by_id()["tr181"].quantities[RX] if c.path == path]
    assert [c.conversion for c in ours] == ["hundredth"]
    document = box({"Device.Optical.Interface.1.OpticalSignalLevel": -2790}, identity=GENERIC)
    assert rx(document).value == -27.9


def test_a_file_that_extends_nothing_replaces_the_shipped_one(folder):
    write(
        folder,
        f"id: tr181\ntitle: Ours\nmatch: {{root: Device, fallback: true}}\nidentity: {{}}\n"
        f"evidence: our own boxes\nquantities: {{{RX}: [{{path: {VIRTUAL}, typical: -20}}]}}\n",
    )
    assert set(by_id()["tr181"].quantities) == {RX}


def test_a_column_of_a_table_stands_before_the_shipped_ones_too(folder):
    write(
        folder,
        "id: tr181\nextends: tr181\ntables:\n  - name: station\n"
        "    rows: Device.WiFi.AccessPoint.*.AssociatedDevice.*\n    columns:\n"
        "      station.rssi_dbm: [{path: X_ACME_Rssi, typical: -60}]\n",
    )
    row = "Device.WiFi.AccessPoint.1.AssociatedDevice.1"
    leaves = {f"{row}.MACAddress": "AA:BB:CC:00:11:22", f"{row}.X_ACME_Rssi": -84}
    told = sighting(box(leaves, identity=GENERIC), now=NOW, limit_s=60)
    assert [m.value for m in told.measurements if m.name == "station.rssi_dbm"] == [-84]


def test_what_an_operator_can_read_is_not_what_the_family_cannot_report(folder):
    assert "wifi.noise_dbm" in by_id()["tr098"].cannot_report
    write(
        folder,
        "id: tr098\nextends: tr098\ntables:\n  - name: radio\n"
        "    rows: InternetGatewayDevice.LANDevice.1.WLANConfiguration.*\n    columns:\n"
        "      wifi.noise_dbm: [{path: X_ACME_Noise, typical: -92}]\n",
    )
    assert "wifi.noise_dbm" not in by_id()["tr098"].cannot_report
    assert "wifi.utilisation_pct" in by_id()["tr098"].cannot_report


def test_the_fleet_is_swept_by_the_operators_paths_too(folder):
    write(folder, TR181)
    assert VIRTUAL in sweep_projection()
    part = FleetPart()
    FleetReader(now=NOW, limit_s=86_400).read(box({VIRTUAL: "-27.9"}, identity=GENERIC), part)
    assert part.boxes["rx_dbm"] == [-27.9]


def test_without_the_folder_everything_is_as_it_ships(folder, monkeypatch):
    shipped = (profiles, sweep_projection, identity_projection)
    monkeypatch.delenv("CPE_PROFILES")
    before = [ask() for ask in shipped]
    write(folder, NEW + f"quantities: {{{RX}: [{{path: {VIRTUAL}, typical: -20}}]}}\n")
    assert "acme" in by_id()
    assert family_plan("acme").profile.id == "acme"
    monkeypatch.delenv("CPE_PROFILES")
    assert [ask() for ask in shipped] == before


# -- which family


def test_a_new_family_is_tried_before_what_would_take_any_box(folder):
    acme = {**GENERIC, "_Manufacturer": "ACME Corp"}
    document = box({"Device.DeviceInfo.ModelName": "AX1"}, identity=acme)
    assert choose_family(document).id == "tr181"
    write(folder, NEW)
    assert choose_family(document).id == "acme"
    assert choose_family(box({"Device.DeviceInfo.ModelName": "AX1"}, identity=GENERIC)).id == (
        "tr181"
    )


def test_a_new_family_of_one_model_leaves_the_makers_other_boxes_alone(folder):
    write(
        folder,
        NEW.replace('manufacturer: "(?i)acme"', 'manufacturer: "(?i)tp-?link", model: "^EX9"'),
    )
    assert choose_family(box({"Device.DeviceInfo.ModelName": "EX920"}, identity=TPLINK)).id == (
        "acme"
    )
    assert choose_family(box({"Device.DeviceInfo.ModelName": "XX230v"}, identity=TPLINK)).id == (
        "tplink"
    )


def test_a_new_family_may_be_known_by_its_model_alone(folder):
    write(folder, NEW.replace('manufacturer: "(?i)acme"', 'model: "^F53"'))
    assert choose_family(box({"Device.DeviceInfo.ModelName": "x"}, identity=GENERIC)).id == "acme"
    assert choose_family(box({"Device.DeviceInfo.ModelName": "x"}, identity=TPLINK)).id == "tplink"


def test_of_two_new_families_the_one_that_asks_more_is_tried_first(folder):
    write(folder, NEW)
    narrower = NEW.replace("id: acme", "id: zz").replace('acme"}', 'acme", model: "^AX"}')
    write(folder, narrower, "narrower.yaml")
    acme = {**GENERIC, "_Manufacturer": "Acme"}
    assert choose_family(box({"Device.DeviceInfo.ModelName": "AX1"}, identity=acme)).id == "zz"
    assert choose_family(box({"Device.DeviceInfo.ModelName": "BX1"}, identity=acme)).id == "acme"


def test_a_family_may_be_known_by_a_virtual_parameter(folder):
    write(folder, NEW.replace('manufacturer: "(?i)acme"', "has: [VirtualParameters.Acme]"))
    assert "VirtualParameters.Acme" in identity_projection()
    ours = box(
        {"Device.DeviceInfo.ModelName": "x", "VirtualParameters.Acme": "1"}, identity=GENERIC
    )
    assert choose_family(ours).id == "acme"
    assert choose_family(box({"Device.DeviceInfo.ModelName": "x"}, identity=GENERIC)).id == "tr181"


def test_who_a_box_is_may_be_a_virtual_parameter(folder):
    write(folder, "id: tr181\nextends: tr181\nidentity: {gpon_serial: [VirtualParameters.PonSn]}\n")
    document = box({"VirtualParameters.PonSn": "HWTC12345678"}, identity=GENERIC)
    family = choose_family(document)
    assert identify(document, family, None).gpon_serial == "HWTC12345678"
    # The shipped ways to read it are still there.
    assert len(family.identity.gpon_serial) > 1


# -- a preferred virtual parameter is asked for


def test_a_preferred_virtual_parameter_that_was_never_read_is_asked_for(folder):
    document = box({"Device.Optical.Interface.1.Stats.SignalRxPower": "-18.0"}, identity=GENERIC)
    assert VIRTUAL not in sighting(document, now=NOW, limit_s=60).refresh_paths
    write(folder, TR181)
    assert VIRTUAL in sighting(document, now=NOW, limit_s=60).refresh_paths


# -- what is refused

HEAD = "id: tr181\nextends: tr181\n"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (f"quantities: {{{RX}: [{{path: {VIRTUAL}}}]}}", [RX, "typical"]),
        (f"quantities: {{{RX}: [{{path: {VIRTUAL}, typical: -2790}}]}}", [RX, "outside"]),
        (f"quantities: {{{RX}: [{{path: VirtualParameter.RX, typical: -20}}]}}", [RX, "begin"]),
        (f"quantities: {{{RX}: [{{path: RXPower, typical: -20}}]}}", [RX, "begin"]),
        (f"quantities: {{{RX}: [{{path: VirtualParameters.a.b, typical: -20}}]}}", ["named alone"]),
        (f"quantities: {{{RX}: [{{path: 'VirtualParameters.*', typical: -20}}]}}", ["named alone"]),
        ("quantities: {wan.ip: [{path: VirtualParameters.WlanPassword}]}", ["secret"]),
        ("quantities: {wan.ip: [{path: VirtualParameters.pppoeUsername}]}", ["secret"]),
        ("identity: {model: [VirtualParameters.WlanPassword]}", ["identity.model", "secret"]),
        ("whole: [VirtualParameters]", ["whole", "begin"]),
        ("replaces: [optical.rx_dbn]", ["replaces", "optical.rx_dbn"]),
        ("replaces: []", ["replaces"]),
        (f"quantities: {{{RX}: []}}", [RX, "at least 1"]),
        ("extra: 1", ["extra"]),
        ("match: {root: Device, model: '('}", ["match", "model", "regular expression"]),
        ("id: [", ["parsing"]),
        (
            f"quantities: {{{RX}: [{{path: Device.X.Power, typical: -20}}],"
            " optical.tx_dbm: [{path: Device.X.Power.Tx, typical: 2}]}",
            ["Device.X.Power is an object"],
        ),
    ],
)
def test_a_broken_file_is_named_with_its_field(folder, body, words):
    said = refused(folder, HEAD + body)
    assert [word for word in words if word not in said] == []


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("- 1", "mapping"),
        ("title: x", "id: is missing"),
        ("id: acme\nextends: nobody\n", "no profile 'nobody'"),
        ("id: acme\nextends: acme\n", "no profile 'acme'"),
        ("id: acme\nextends: tr181\n", "match: is missing"),
        ("id: acme\nextends: tr181\nmatch: {root: Device}\n", "match: no box"),
        ("id: Acme!\nextends: tr181\nmatch: {root: Device, model: x}\n", "id"),
    ],
)
def test_a_file_that_says_too_little_is_refused(folder, text, word):
    assert word in refused(folder, text)


def test_two_files_of_one_id_are_refused(folder):
    first = write(folder, TR181)
    second = write(folder, TR181, "zz.yaml")
    with pytest.raises(ProfileError, match="given twice") as caught:
        profiles()
    assert first.name in str(caught.value)
    assert str(second) in str(caught.value)


def test_files_that_extend_each_other_are_refused(folder):
    write(folder, NEW.replace("extends: tr181", "extends: other"), "acme.yaml")
    write(folder, NEW.replace("id: acme\nextends: tr181", "id: other\nextends: acme"), "other.yaml")
    with pytest.raises(ProfileError, match="circular"):
        profiles()


@pytest.mark.parametrize("name", ["cpe/acme.yml", "acme.yaml", "olt/acme.YAML"])
def test_a_file_that_would_not_be_read_is_refused(folder, name):
    folder.write(NEW, name)
    with pytest.raises(ProfileError, match="is not read"):
        profiles()


def test_a_folder_that_is_not_there_or_holds_neither_kind_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("CPE_PROFILES", str(tmp_path / "nowhere"))
    with pytest.raises(ProfileError, match=r"CPE_PROFILES.*no folder"):
        profiles()
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("CPE_PROFILES", str(tmp_path / "empty"))
    with pytest.raises(ProfileError, match="neither"):
        olt_profiles()


def test_a_file_that_is_mended_loads_without_a_new_process(folder):
    file = write(folder, "id: [")
    with pytest.raises(ProfileError):
        profiles()
    file.write_text(TR181, encoding="utf-8")
    assert by_id()["tr181"].quantities[RX][0].path == VIRTUAL


# -- OLTs


def test_an_olt_family_of_the_operator_can_be_named_in_the_inventory(folder, tmp_path):
    inventory = tmp_path / "olts.toml"
    inventory.write_text(
        '[[olt]]\nname = "a"\nhost = "192.0.2.1"\nprofile = "acme"\ncommunity = "c"\n'
    )
    with pytest.raises(ProfileError, match="profile: unknown"):
        load_inventory(inventory)
    write(folder, (EXAMPLE / "olt" / "acme.yaml").read_text(encoding="utf-8"), "acme.yaml", "olt")
    assert load_inventory(inventory)[0].profile == "acme"


def test_an_olt_profile_may_say_only_what_differs(folder):
    shipped = olt_profiles()["huawei"]
    write(
        folder,
        "id: huawei\nextends: huawei\nlimits: {max_repetitions: 3}\n"
        "columns:\n  ont_rx:\n    oid: 1.3.6.1.4.1.2011.6.128.1.1.2.51.1.4\n    decode: int\n"
        "    mul: 0.001\n    invalid: [0]\n    typical: -21500\n",
        kind="olt",
    )
    ours = olt_profiles()["huawei"]
    assert (ours.limits.max_repetitions, ours.own) == (3, True)
    assert ours.limits.max_rows == shipped.limits.max_rows
    assert ours.columns["ont_rx"].mul == 0.001
    assert set(ours.columns) == set(shipped.columns)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("id: huawei\nextends: huawei\nlimits: {max_repetitions: 900}\n", "limits.max_repetitions"),
        ("id: huawei\nextends: nobody\n", "no profile"),
        ("id: auto\nextends: huawei\n", "auto"),
        ("id: acme\nextends: huawei\ncommunity: x\n", "community"),
    ],
)
def test_a_broken_olt_profile_is_named_with_its_field(folder, text, word):
    assert word in refused(folder, text, kind="olt")


def test_a_broken_olt_profile_is_not_the_inventorys_mistake(folder, tmp_path):
    file = write(folder, "id: auto\nextends: huawei\n", kind="olt")
    inventory = tmp_path / "olts.toml"
    inventory.write_text('[[olt]]\nname = "a"\nhost = "192.0.2.1"\ncommunity = "c"\n')
    with pytest.raises(ProfileError) as caught:
        load_inventory(inventory)
    assert str(caught.value).startswith(str(file))


class OltThatIs:
    """An OLT of one sysObjectID at which every probe stays inside its column."""

    target = SimpleNamespace(name="olt-a")

    def __init__(self, object_id: str) -> None:
        self._object_id = object_id

    async def get(self, oids, _patience, *, following: bool = False):
        return {oid: self._object_id.encode() for oid in oids}


async def test_auto_takes_the_operators_family_where_a_shipped_one_fits_as_well(folder):
    olt: Any = OltThatIs("1.3.6.1.4.1.2011.2.299")
    assert (await choose_profile(olt)).id == "huawei"
    write(folder, "id: huawei-mx\nextends: huawei\ntitle: Ours\n", kind="olt")
    assert (await choose_profile(olt)).id == "huawei-mx"


# -- the example


def test_the_example_loads_and_teaches_what_it_says(monkeypatch):
    monkeypatch.setenv("CPE_PROFILES", str(EXAMPLE))
    assert by_id()["tr098"].quantities[RX][0].path == VIRTUAL
    assert by_id()["huawei"].quantities[RX][0].path == VIRTUAL
    acme = {**GENERIC, "_Manufacturer": "Acme", "_ProductClass": "AX3000"}
    assert rx(box({"Device.X_ACME_PON.RxLevel": -2790}, identity=acme)).value == -27.9
    assert not olt_profiles()["acme"].verified


@pytest.mark.parametrize(
    "arguments",
    [
        ("diagnose", "X1234"),
        ("doctor", "--serial", "X1234"),
        ("sweep",),
        ("worker",),
        ("hub",),
        ("up",),
        ("swap", "start", "swap_diagnostic", "X1234", "Y1234", "--by", "ann"),
    ],
)
def test_nothing_begins_with_a_profile_that_cannot_be_used(folder, monkeypatch, arguments):
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    bad = write(folder, f"id: tplink\nextends: tplink\nquantities: {{{RX}: []}}\n")
    done = CliRunner().invoke(app, list(arguments))
    assert (done.exit_code, done.stdout) == (2, "")
    [line] = done.stderr.strip().splitlines()
    assert str(bad) in line
    assert RX in line


async def test_a_run_in_prefect_fails_in_the_words_of_the_file(folder):
    bad = write(folder, "id: [")
    state = await diagnose_cpe.fn(DiagnosisRequest(serial="X1234", requested_by="a"))
    assert (state.type.value, state.name) == ("FAILED", "unusable")
    assert str(bad) in state.message
    assert "\n" not in state.message


# -- what the ACS says besides


def test_a_tag_that_holds_a_secret_is_not_shown():
    document = {**box({}, identity=TPLINK), "_tags": ["vip", "password=hunter2", 7]}
    tags = sighting(document, now=NOW, limit_s=60).device.tags
    assert tags == ("vip", "password=***")


def test_tags_and_faults_are_on_the_page_and_what_was_not_read_is_said():
    device = Device(acs_id="X", tags=("vip", "a|b"), acs_faults=(AcsFault("cwmp.9002", "no", NOW),))
    assert "`vip` · `a¦b`" in page_of(device)
    assert "- `cwmp.9002` no (2026-11-23T20:00:00.000Z)" in page_of(device)
    assert "could not be read" in page_of(Device(acs_id="X"))
    nothing = page_of(Device(acs_id="X", tags=(), acs_faults=()))
    assert "Tags" not in nothing
    assert "stand at the ACS" not in nothing


def page_of(device: Device) -> str:
    shot = snapshot(device=device)
    judgement = judge(shot, load_thresholds())
    return page(shot, judgement.findings, judgement.verdict, wording(), load_thresholds())


def test_a_snapshot_keeps_tags_and_faults_and_what_was_kept_before_them_loads():
    device = Device(acs_id="X", tags=("vip",), acs_faults=(AcsFault("script.Error", "x", NOW),))
    shot = snapshot(device=device)
    assert decode_snapshot(encode_snapshot(shot)) == shot
    old = cast("dict[str, Any]", encode_snapshot(shot))
    del old["device"]["tags"], old["device"]["acs_faults"]
    assert decode_snapshot(old).device == Device(acs_id="X")

"""Data files: what ships loads, what is wrong does not and says where."""

from pathlib import Path

import pytest

from cpe.access.genieacs.nbi import in_parts
from cpe.access.genieacs.plan import identity_projection, projection
from cpe.domain.errors import ProfileError
from cpe.domain.redaction import is_secret_name
from cpe.profiles import cpe_profile, thresholds, wording
from cpe.profiles.loading import read_yaml
from cpe.profiles.quantities import quantities

FAMILIES = {"tplink", "tr181", "tr098", "huawei", "zte", "nokia"}


def test_every_shipped_family_loads_and_generic_ones_come_last():
    loaded = cpe_profile.profiles()
    assert {p.id for p in loaded} == FAMILIES
    assert [p.match.fallback for p in loaded] == sorted(p.match.fallback for p in loaded)


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_a_projection_names_no_secret_and_fits_a_request_line(family):
    paths = projection(family)
    parts = in_parts(paths)
    assert [path for part in parts for path in part] == list(paths)
    assert max(len(",".join(part)) for part in parts) < 8_190 - 300  # nginx, Apache: 8 kB a line
    assert len(parts) <= 2
    last_steps = [p.rsplit(".", 1)[-1] for p in paths]
    assert [s for s in last_steps if is_secret_name(s)] in ([], ["ConnectionRequestURL"])


def test_the_operators_own_boxes_are_read_in_one_request():
    assert len(in_parts(projection("tplink"))) == 1


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_no_path_of_a_projection_lies_under_another(family):
    paths = projection(family)
    assert not [(a, b) for a in paths for b in paths if b.startswith(f"{a}.")]


def test_looking_a_box_up_reads_little():
    assert len(identity_projection()) < 40


def wrong(tmp_path: Path, text: str) -> str:
    (tmp_path / "tr181.yaml").write_text(
        (cpe_profile.PROFILE_FOLDER / "tr181.yaml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    file = tmp_path / "bad.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ProfileError) as caught:
        cpe_profile.load_profile(file)
    assert str(file) in str(caught.value)
    return str(caught.value)


HEAD = "id: bad\ntitle: Bad\nmatch: {root: Device}\nidentity: {}\nevidence: seen nowhere\n"


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ("optical.rx_dbm: [{path: A.B, typical: 5624}]", "outside -45.0..10.0"),
        ("optical.rx_dbm: [{path: A.B, conversion: milli, typical: -215000}]", "outside"),
        ("optical.rx_dbm: [{path: A.B, conversion: u8_to_pct, typical: 3}]", "does not give dBm"),
        ("optical.rx_dbm: [{path: A.B, conversion: magic, typical: 3}]", "magic"),
        ("optical.rx_dbm: [{path: A.B}]", "typical"),
        ("optical.rx_dbm: [{path: 'A..B', typical: -20}]", "not a path"),
        ("optical.rx_dbm: [{path: A.B, typical: -20, plausible: [-160, 0]}]", "wider"),
        ("optical.rx_dbm: []", "at least 1"),
        ("optical.rx_watts: [{path: A.B, typical: 1}]", "quantities.yaml"),
        ("wan.ip: [{path: A.Password}]", "secret"),
        ("optical.rx_dbm: [{path: A.B, typical: -20, scale: 3}]", "Extra inputs"),
    ],
)
def test_a_profile_that_is_not_physical_does_not_load(tmp_path, body, word):
    assert word in wrong(tmp_path, f"{HEAD}quantities:\n  {body}\n")


def test_a_key_given_twice_is_refused(tmp_path):
    body = "quantities:\n  optical.rx_dbm: [{path: A.B, typical: -20}]\n  optical.rx_dbm: []\n"
    assert "twice" in wrong(tmp_path, HEAD + body)


def test_a_family_cannot_extend_itself(tmp_path):
    assert "circular" in wrong(tmp_path, "id: bad\nextends: bad\n")


def test_a_child_overrides_a_quantity_and_keeps_the_rest():
    by_id = {p.id: p for p in cpe_profile.profiles()}
    first = by_id["tplink"].quantities["optical.rx_dbm"][0]
    assert first.path.endswith("X_TP_GPON_Config.RXPower")
    assert (
        by_id["tplink"].quantities["device.uptime_s"]
        == (by_id["tr181"].quantities["device.uptime_s"])
    )


def test_thresholds_can_be_changed_key_by_key(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("optical: {rx_min_dbm: -27}\n")
    mine, shipped = thresholds.load_thresholds(file), thresholds.load_thresholds()
    assert mine.optical.rx_min_dbm == -27
    assert mine.optical.rx_max_dbm == shipped.optical.rx_max_dbm
    assert mine.ruleset != shipped.ruleset


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("optical: {rx_min_dbm: -160}", "rx_min_dbm"),
        ("optical: {rx_min_dbm: -5}", "below"),
        ("wifi: {utilisation_watch_pct: 80}", "below"),
        ("wifi: {noise_watch_dbm: {'5': -92}}", "bands"),
        ("optics: {}", "optics"),
        ("- 1", "mapping"),
        ("optical: {rx_min_dbm: [", "while parsing"),
    ],
)
def test_thresholds_that_are_not_physical_do_not_load(tmp_path, text, word):
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(ProfileError) as caught:
        thresholds.load_thresholds(file)
    assert word in str(caught.value)
    assert str(file) in str(caught.value)


def test_a_missing_thresholds_file_is_said_clearly(tmp_path):
    with pytest.raises(ProfileError, match="cannot be read"):
        thresholds.load_thresholds(tmp_path / "none.yaml")


def test_every_quantity_is_read_by_some_family():
    read = set()
    for profile in cpe_profile.profiles():
        read |= set(profile.quantities)
        for table in profile.tables:
            read |= set(table.columns)
    assert read == set(quantities())


def test_people_have_a_word_for_every_quantity():
    assert set(quantities()) <= set(wording.wording().quantities)


def test_numbers_are_written_as_each_language_writes_them():
    phrase = wording.Phrase(fr="{rx} dBm", en="{rx} dBm")
    text = phrase.fill(rx=-27.349)
    assert (text.fr, text.en) == ("−27,35 dBm", "−27.35 dBm")


def test_languages_with_different_placeholders_are_refused():
    with pytest.raises(ValueError, match="placeholders"):
        wording.Phrase(fr="{a}", en="{b}")


def test_the_thresholds_file_of_the_repository_is_what_the_design_says():
    shipped = read_yaml(thresholds.SHIPPED)
    assert (shipped["optical"]["rx_min_dbm"], shipped["optical"]["rx_max_dbm"]) == (-25.0, -8.0)
    assert shipped["line"] == {
        "outage_min_down": 3,
        "outage_min_share": 0.5,
        "outage_window_s": 600.0,
        "churned_days": 7,
    }


TABLE = (
    "tables:\n  - {{name: radio, rows: A.*, key: wifi.band,"
    " columns: {{wifi.band: [{{path: B{more}}}]}}{rest}}}\n"
)


@pytest.mark.parametrize(
    ("more", "rest", "word"),
    [
        (", values: {5GHz: '5', 5-ghz: '6'}", "", "spelled like another"),
        ("", ", channel: 'A..B'", "not a path"),
        ("", ", bssids: [X.*.KeyPassphrase]", "secret"),
        ("", ", also_read: [X.*.PreSharedKey]", "secret"),
    ],
)
def test_a_table_that_cannot_be_read_does_not_load(tmp_path, more, rest, word):
    body = TABLE.format(more=more, rest=rest)
    assert word in wrong(tmp_path, f"{HEAD}quantities: {{}}\n{body}")

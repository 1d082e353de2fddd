"""OLT profiles: the shipped ones load and are physical, the wrong ones are refused by name."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from cpe.access.olt import decode
from cpe.domain.errors import ProfileError
from cpe.domain.observation import Quality
from cpe.profiles.olt_columns import (
    QUANTITIES,
    BitmaskColumn,
    ColumnName,
    EnumColumn,
    FloatTextColumn,
    IntColumn,
    NumberColumn,
    TextEnumColumn,
)
from cpe.profiles.olt_profile import (
    PROFILE_FOLDER,
    PROFILE_IDS,
    REFUSED_OIDS,
    load_profile,
    olt_profiles,
)

PROFILES = olt_profiles()
NUMBERS = [
    (profile, name)
    for profile, loaded in PROFILES.items()
    for name, column in loaded.columns.items()
    if name in QUANTITIES and isinstance(column, NumberColumn)
]


def test_every_family_of_the_contract_is_shipped():
    assert set(PROFILES) == set(PROFILE_IDS)
    assert len(PROFILE_IDS) == 12


def test_only_families_recorded_from_a_real_device_are_verified():
    verified = {name for name, profile in PROFILES.items() if profile.verified}
    assert verified == {"huawei", "calix-axos", "ufiber"}
    for profile in PROFILES.values():
        if not profile.verified:
            assert "record" in profile.evidence, profile.id


def test_no_profile_reads_what_may_not_be_read():
    for path in PROFILE_FOLDER.glob("*.yaml"):
        for loaded in (load_profile(path),):
            for column in (*loaded.serial, *loaded.columns.values(), *loaded.guards):
                assert not any(
                    f"{column.oid}.".startswith(f"{refused}.") for refused in REFUSED_OIDS
                )


@pytest.mark.parametrize(("profile", "name"), NUMBERS)
def test_a_typical_reading_is_physical_and_every_sentinel_is_none(profile: str, name: ColumnName):
    column = PROFILES[profile].columns[name]
    assert isinstance(column, NumberColumn)
    typical: Any = column.typical
    raw = typical.encode() if isinstance(typical, str) else typical
    made = decode.number(name, column, raw)
    assert made.quality is Quality.OK
    assert isinstance(made.value, float)
    for invalid in column.invalid:
        raw = invalid.encode() if isinstance(invalid, str) else invalid
        made = decode.number(name, column, raw)
        assert (made.value, made.quality, made.raw) == (None, Quality.SENTINEL, invalid)


@pytest.mark.parametrize(("profile", "name"), NUMBERS)
def test_what_lies_outside_the_gate_is_implausible_and_keeps_its_raw_value(
    profile: str, name: ColumnName
):
    column = PROFILES[profile].columns[name]
    low, high = QUANTITIES[name].gate
    at_most = Quality.OK if high else Quality.SENTINEL  # 0 dBm is no power
    if isinstance(column, IntColumn):
        for edge, quality in (
            (low, Quality.OK),
            (high, at_most),
            (low - abs(column.mul), Quality.IMPLAUSIBLE),
            (high + abs(column.mul), Quality.IMPLAUSIBLE),
        ):
            raw = round((edge - column.add) / column.mul)
            if raw in column.invalid or (column.signed16 and not -32768 <= raw <= 32767):
                continue
            made = decode.number(name, column, raw)
            assert (made.quality, made.raw) == (quality, raw), (edge, raw)
    elif isinstance(column, FloatTextColumn):
        for edge, quality in (
            (low, Quality.OK),
            (high, at_most),
            (high + 1, Quality.IMPLAUSIBLE),
        ):
            made = decode.number(name, column, f"{edge:g}".encode())
            assert made.quality is quality, edge


def test_no_enumeration_has_a_default():
    for profile in PROFILES.values():
        for name in (ColumnName.STATE, ColumnName.CAUSE):
            column = profile.columns.get(name)
            if isinstance(column, EnumColumn):
                strange = max(column.values) + 100
                made = decode.word(column, strange)
            elif isinstance(column, TextEnumColumn):
                strange = "a stranger"
                made = decode.word(column, b"a stranger")
            elif isinstance(column, BitmaskColumn):
                strange = 1 << 30
                made = decode.word(column, 1 << 30)
            else:
                continue
            assert made.value is None
            assert made.quality is Quality.UNKNOWN_VALUE
            assert made.raw == strange


def test_working_is_three_in_one_zte_tree_and_four_in_the_other():
    old, new = (PROFILES[name].columns[ColumnName.STATE] for name in ("zte-1012", "zte-1082"))
    assert isinstance(old, EnumColumn)
    assert isinstance(new, EnumColumn)
    assert (old.values[3], old.values[4]) == ("online", "dying_gasp")
    assert (new.values[3], new.values[4], new.values[5]) == ("registering", "online", "dying_gasp")


HUAWEI: dict[str, Any] = yaml.safe_load((PROFILE_FOLDER / "huawei.yaml").read_text())


def changed(*path: Any, to: Any) -> dict[str, Any]:
    content = copy.deepcopy(HUAWEI)
    at: Any = content
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = to
    return content


RX = "1.3.6.1.4.1.2011.6.128.1.1.2.51.1.4"
WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("tenths taken for hundredths", changed("columns", "ont_rx", "mul", to=0.1), "becomes -141.4"),
    ("no scale at all", changed("columns", "olt_rx", "add", to=0), r"columns\.olt_rx"),
    ("kelvin", changed("columns", "temperature", "add", to=273), r"columns\.temperature"),
    ("an OID twice", changed("columns", "ont_tx", "oid", to=RX), "two columns have the OID"),
    (
        "a default",
        changed("columns", "state", "values", to={1: "online", "default": "down"}),
        "state",
    ),
    ("a default key", changed("columns", "state", "default", to="down"), r"state\.enum\.default"),
    ("a made-up state", changed("columns", "state", "values", to={1: "fine"}), "'fine'"),
    ("a state as cause", changed("columns", "cause", "values", to={1: "los"}), "'los'"),
    ("a write", changed("columns", "state", "set", to=1), r"columns\.state\.enum\.set"),
    ("a writable profile", changed("set", to={"1.3.6.1": 1}), "set: Extra inputs"),
    ("no typical", changed("columns", "ont_rx", to={"oid": RX, "decode": "int"}), "typical"),
    (
        "no state",
        changed("columns", to={"cause": HUAWEI["columns"]["cause"]}),
        "`state` is missing",
    ),
    ("no serial", changed("serial", to=[]), "serial: no column"),
    ("a text as power", changed("columns", "ont_rx", to={"oid": RX, "decode": "text"}), "a number"),
    (
        "another tree",
        changed("columns", "ont_rx", "oid", to="1.3.6.1.4.1.6527.3.1"),
        "an invented tree",
    ),
    (
        "subscribers' credentials",
        changed("columns", "ont_rx", "oid", to="1.3.6.1.4.1.17409.2.8.4.3.1.13"),
        "WAN credentials",
    ),
    (
        "subscribers' credentials by probe",
        changed("match", "probe", to="1.3.6.1.4.1.17409.2.8.4.3.1.14.1"),
        "WAN credentials",
    ),
    ("a name for an OID", changed("columns", "ont_rx", "oid", to="ifDescr"), r"ont_rx\.int\.oid"),
    ("an unknown index", changed("columns", "ont_rx", "index", to="other"), "no index 'other'"),
    (
        "overlapping bits",
        changed("indexes", "main", "parts", 0, "fields", 1, "width", to=9),
        "bits are taken",
    ),
    ("no ONT in the index", changed("indexes", "main", "parts", 1, "name", to="onu"), "`ont`"),
    ("a label of nothing", changed("indexes", "main", "pon", to="{shelf}"), "unknown fields"),
    ("a third PDU", changed("limits", "max_varbinds", to=4), "must fit two PDUs"),
    ("no patience", changed("limits", "state_timeout_s", to=0), "state_timeout_s"),
    ("another id", changed("id", to="zte-1012"), "not the file's name"),
    ("a made-up id", changed("id", to="acme"), "id"),
    ("a secret", changed("community", to="public"), "community"),
    ("neighbours' optics", changed("neighbours", to=["state", "ont_rx"]), "neighbours"),
    ("optics by GETNEXT in part", changed("columns", "ont_rx", "suffix", to="next"), "all optics"),
    ("state by GETNEXT", changed("columns", "cause", "suffix", to="next"), "suffix"),
]


@pytest.mark.parametrize(
    ("content", "says"), [(c, s) for _, c, s in WRONG], ids=[n for n, *_ in WRONG]
)
def test_a_wrong_profile_is_refused_naming_file_and_key(
    content: dict[str, Any], says: str, tmp_path: Path
):
    path = tmp_path / "huawei.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(ProfileError, match=says) as caught:
        load_profile(path)
    assert "huawei.yaml" in str(caught.value)


def test_the_untouched_profile_loads_from_a_copy(tmp_path: Path):
    path = tmp_path / "huawei.yaml"
    path.write_text(yaml.safe_dump(HUAWEI), encoding="utf-8")
    assert load_profile(path) == PROFILES["huawei"]

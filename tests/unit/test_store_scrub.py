"""Nothing that looks like a secret is written, whoever let it through."""

from __future__ import annotations

import shutil
from dataclasses import replace

from cpe.domain.finding import Evidence
from cpe.domain.observation import Outcome, Source, SourceReport
from cpe.domain.snapshot import OltReport
from cpe.store.repository import Store
from cpe.store.rows import without_secrets
from cpe.store.scrub import scrub
from tests.support.store import samples

CANARIES = [f"canary{letter}9f3" for letter in "abcdefgh"]


def test_a_clean_diagnosis_is_kept_as_it_is():
    kept = samples.kept(samples.snapshot(olt=samples.sighting()))
    assert without_secrets(kept) == kept


def test_the_value_read_at_a_secret_path_is_hidden_and_the_path_stays():
    path = "Device.WiFi.AccessPoint.1.Security.KeyPassphrase"
    tree = {"name": "wifi.key", "path": path, "raw": "hunter2", "value": None, "unit": "1"}
    assert scrub(tree) == {**tree, "raw": "***"}


def test_a_missing_secret_stays_missing():
    assert scrub({"password": None}) == {"password": None}


def test_a_field_named_as_a_secret_is_hidden_whatever_it_holds():
    assert scrub({"snmp": {"community": ["a", {"b": 1}], "port": 161}}) == {
        "snmp": {"community": "***", "port": 161}
    }


def test_an_olt_whose_name_looks_like_a_secrets_still_says_why_it_failed():
    tree = {"failed": {"olt-community-centre": "no answer in 3 s", "b": "community=private"}}
    assert scrub(tree) == {
        "failed": {"olt-community-centre": "no answer in 3 s", "b": "community=***"}
    }


async def test_no_canary_reaches_the_file(tmp_path):
    a, b, c, d, e, f, g, h = CANARIES
    key = samples.reading(
        "wifi.key", a, raw=b, path="InternetGatewayDevice.LANDevice.1.PreSharedKey", note=f"psk={c}"
    )
    detail = f"GET http://cpe:{d}@10.0.0.1/ refused"
    seen = samples.snapshot(
        measurements=(samples.reading(), key),
        sources=(SourceReport(Source.BRIDGE, Outcome.REFUSED, 1, detail),),
        olt=OltReport(None, asked=("n",), failed={"n": f"community: {e}"}),
    )
    evidence = Evidence("key", f, "-", None, None, None, path="X.Security.KeyPassphrase")
    kept = samples.kept(
        seen,
        findings=(samples.finding(evidence=(evidence,), reason=f"password={g}"),),
        document={"device": {"ppp_user": h, "note": f"Authorization: Bearer {a}"}},
    )
    async with Store.open(f"sqlite:///{tmp_path}/cpe.db") as store:
        await store.migrate()
        await store.keep(kept)
        await store.learn(samples.identity(equipment=f"token={a}"))
        loaded = await store.load(kept.id)
        shutil.copytree(tmp_path, tmp_path / "copy")  # with the write-ahead log still there
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("cpe.db*"))
    assert loaded.snapshot.measurements[0] == kept.snapshot.measurements[0]
    assert loaded.snapshot.measurements[1] == replace(key, value="***", raw="***", note="psk=***")
    assert samples.SERIAL.encode() in written
    assert [canary for canary in CANARIES if canary.encode() in written] == []

"""The locks, the Makefile and CI say the same as pyproject.toml, and name no registry."""

from __future__ import annotations

import re
import subprocess
import tomllib

import pytest

from tests.support.tools import ROOT

LOCKS = {name: ROOT / "requirements" / f"{name}.txt" for name in ("runtime", "dev")}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def _pinned(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9.\-]+)==(\S+)", LOCKS[name].read_text(), re.MULTILINE))


def _names(requirements: list[str]) -> set[str]:
    return {
        re.split(r"[\[<>=;, ]", line)[0].lower().replace("_", "-").replace(".", "-")
        for line in requirements
    }


def test_everything_pyproject_asks_for_is_locked():
    assert _names(PROJECT["dependencies"]) <= set(_pinned("runtime"))
    assert _names(PROJECT["optional-dependencies"]["dev"]) <= set(_pinned("dev"))
    assert "hatchling" in _pinned("runtime"), "our own package is built without network"


def test_what_is_tested_is_what_runs():
    dev = _pinned("dev")
    assert {name: dev.get(name) for name in _pinned("runtime")} == _pinned("runtime")


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_registry_and_every_pin_has_its_hashes(name):
    text = LOCKS[name].read_text()
    assert "://" not in text
    assert "index-url" not in text
    entries = re.split(r"\n(?=[a-z0-9])", text[text.index("\n") :])
    assert all("--hash=sha256:" in entry for entry in entries if "==" in entry)


@pytest.mark.parametrize("target", ["help", "check", "test", "demo", "lock", "clean"])
def test_make_knows_its_targets(target):
    done = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", target],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "script", [".ci/run", "deployments/setup/lock.sh", "deployments/setup/system-packages.sh"]
)
def test_a_script_is_well_formed_and_may_be_run(script):
    path = ROOT / script
    assert path.stat().st_mode & 0o111
    shell = "bash" if "bash" in path.read_text().splitlines()[0] else "sh"
    assert subprocess.run([shell, "-n", str(path)], check=False).returncode == 0

"""The compose file, read as Docker would: no engine runs where these tests do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from cpe import settings as ours
from deployments.cli import app
from deployments.server.deploy import PREFECT_FILE
from deployments.server.settings import default_settings, required_settings
from tests.support.tools import ROOT

FOLDER = ROOT / "deployments" / "compose"
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


def test_every_service_restarts_and_bounds_its_log():
    for name, service in SERVICES.items():
        assert service["restart"], name
        assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}, name


def test_nothing_is_published_beyond_loopback():
    for service in SERVICES.values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_every_dependency_is_a_service_that_can_meet_its_condition():
    for name, service in SERVICES.items():
        for other, wanted in service.get("depends_on", {}).items():
            assert other in SERVICES, f"{name} waits for {other}"
            if wanted["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[other], f"{other} never becomes healthy"


def test_prefects_server_is_set_as_the_embedded_one():
    environment = SERVICES["prefect"]["environment"]
    folder = Path("/var/lib/cpe/prefect")
    required = required_settings(folder=folder, database_url="", port=0, light=False, migrate=True)
    # Leases that die with the server leave slots taken for ever: of an OLT, of those who adopt.
    lasting = {name: required[name] for name in ("home", "server.concurrency.lease_storage")}
    for accessor, value in {**default_settings(folder=folder, light=False), **lasting}.items():
        said = environment["PREFECT_" + accessor.replace(".", "_").upper()]
        if isinstance(value, set):
            assert set(said.split(",")) == value
        else:
            assert said == str(value)


@pytest.mark.parametrize(
    "name", [n for n, s in SERVICES.items() if s.get("command", [""])[0] == "cpe"]
)
def test_every_cpe_command_exists_and_takes_its_options(name):
    _, command, *options = SERVICES[name]["command"]
    known = typer.main.get_command(app).commands[command]  # type: ignore[attr-defined]
    taken = {text for parameter in known.params for text in parameter.opts}
    assert {option for option in options if option.startswith("--")} <= taken


def test_every_pool_of_prefect_yaml_has_a_worker():
    pools = {
        d["work_pool"]["name"] for d in yaml.safe_load(PREFECT_FILE.read_text())["deployments"]
    }
    served = {"cpe"} if SERVICES["worker"]["command"] == ["cpe", "worker"] else set()
    for service in SERVICES.values():
        command = service.get("command", [])
        if "--pool" in command:
            served.add(command[command.index("--pool") + 1])
    assert pools <= served


def test_the_example_names_only_variables_that_are_read():
    text = (FOLDER / "cpe.env.example").read_text(encoding="utf-8")
    named = set(re.findall(r"^([A-Z_]+)=", text, re.MULTILINE))
    source = (ROOT / "cpe" / "settings.py").read_text(encoding="utf-8")
    known = set(re.findall(r"CPE_[A-Z_]+", source))
    for model in vars(ours).values():
        config = getattr(model, "model_config", None)
        if isinstance(model, type) and config and config.get("env_prefix", "").startswith("CPE_"):
            known |= {f"{config['env_prefix']}{field}".upper() for field in model.model_fields}
    assert named <= known


def test_no_secret_has_a_value_in_what_is_committed():
    for file in ("compose.yaml", "cpe.env.example"):
        for name, value in re.findall(
            r"^\s*(\w*(?:PASSWORD|SECRET|KEY))[=:] *(\S*)",
            (FOLDER / file).read_text(encoding="utf-8"),
            re.MULTILINE,
        ):
            assert value.startswith("${") or not value, f"{file}: {name}"


def test_what_the_image_copies_is_there():
    text = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
    for line in re.findall(r"^COPY (.+)$", text, re.MULTILINE):
        *sources, _ = line.split()
        assert all((ROOT / source).exists() for source in sources), line

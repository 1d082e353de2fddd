"""Marked tests are skipped without their tool, and fail in CI."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.support import tools


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    monkeypatch.setattr(tools, "postgres_bin", lambda: None)
    return SimpleNamespace(iter_markers=lambda: [SimpleNamespace(name="postgres")])


def test_a_missing_tool_skips_the_test_on_a_developers_machine(marked, monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="initdb is not installed"):
        tools.require(marked)


def test_a_missing_tool_fails_the_test_in_ci(marked, monkeypatch):
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="initdb is not installed"):
        tools.require(marked)


def test_an_unmarked_test_needs_nothing(monkeypatch):
    monkeypatch.setattr(tools, "postgres_bin", lambda: None)
    tools.require(SimpleNamespace(iter_markers=list))
    assert tools.missing("prefect") is None

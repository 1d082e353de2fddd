"""What a worker makes of modules that it did not write."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from deployments.warm.catalogue import CannotServeError, Catalogue


@pytest.mark.parametrize("said", ["raise SystemExit(2)", "raise RuntimeError('no')", "def ("])
async def test_a_module_that_cannot_be_imported_is_the_runs_trouble_and_no_others(
    tmp_path: Path, said: str
):
    module = tmp_path / "theirs.py"
    module.write_text(f"{said}\n", encoding="utf-8")
    with pytest.raises(CannotServeError, match=r"theirs\.py:flow cannot be loaded"):
        await Catalogue(cast("Any", None)).load(f"{module}:flow")


async def test_what_a_module_says_of_its_secrets_is_not_told_in_the_runs_state(tmp_path: Path):
    module = tmp_path / "theirs.py"
    module.write_text("raise RuntimeError('postgresql://cpe:CANARY@db/cpe')\n", encoding="utf-8")
    with pytest.raises(CannotServeError) as caught:
        await Catalogue(cast("Any", None)).load(f"{module}:flow")
    assert "CANARY" not in str(caught.value)

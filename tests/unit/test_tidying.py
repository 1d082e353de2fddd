"""Old result files go; young ones, links and what cannot be deleted stay."""

from __future__ import annotations

import os
import time

import pytest
from pydantic import ValidationError

from cpe.settings import StoreSettings
from tasks.tidying import DAY_S, prune_files


def aged(path, days):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}")
    then = time.time() - days * DAY_S
    os.utime(path, (then, then))
    return path


def test_only_files_older_than_the_limit_go_at_any_depth(tmp_path):
    old, deep = aged(tmp_path / "a", 11), aged(tmp_path / "x" / "y" / "b", 400)
    young = aged(tmp_path / "x" / "c", 9)
    assert prune_files(tmp_path, older_than_s=10 * DAY_S) == 2
    assert (old.exists(), deep.exists(), young.exists()) == (False, False, True)
    assert deep.parent.is_dir(), "folders stay: another process may be about to write there"


def test_a_link_and_what_it_points_at_are_left_alone(tmp_path):
    outside = aged(tmp_path / "elsewhere" / "precious", 400)
    folder = tmp_path / "storage"
    folder.mkdir()
    (folder / "link").symlink_to(outside)
    (folder / "folder").symlink_to(outside.parent, target_is_directory=True)
    assert prune_files(folder, older_than_s=DAY_S) == 0
    assert outside.exists()


def test_a_folder_that_is_not_there_is_empty(tmp_path):
    assert prune_files(tmp_path / "none", older_than_s=DAY_S) == 0


@pytest.mark.parametrize(("days", "usable"), [("30", False), ("31", True), ("3651", False)])
def test_nothing_is_forgotten_that_a_baseline_needs(monkeypatch, days, usable):
    monkeypatch.setenv("CPE_KEEP_DAYS", days)
    if usable:
        assert StoreSettings().keep_days == int(days)
    else:
        with pytest.raises(ValidationError):
            StoreSettings()

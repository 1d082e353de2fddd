"""A swap on the terminal, whatever people wrote."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from rich.console import Console

from cpe.answer.swap_document import swap_document
from cpe.answer.swap_report import report_document
from cpe.domain.swap_case import SwapFile
from cpe.domain.swap_ledger import ledger
from deployments.commands.swap_show import show_many, show_one, show_report
from tests.unit.test_swap_timer import NOW, a_case


@pytest.mark.parametrize("by", ["Luc [equipe]", "Luc [/equipe]", "Luc [bold]"])
def test_a_name_in_brackets_is_a_name_and_breaks_no_list(by):
    """One such name made `cpe swap list` fail for everybody."""
    console = Console(file=io.StringIO(), width=220)
    file = SwapFile(a_case(requested_by=by, customer=f"Client {by}"))
    show_one(console, swap_document(file), "fr")
    show_many(console, [swap_document(file)], "fr")
    found = ledger([file], NOW + timedelta(days=8))
    show_report(console, report_document(found, at=NOW, since=None), "fr")
    said = console.file.getvalue()
    assert said.count(by) == 6, said

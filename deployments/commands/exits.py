"""Exit codes of the design."""

from __future__ import annotations

from typing import Final

import typer

DONE: Final = 0
BAD_INPUT: Final = 2
NOT_FOUND: Final = 3
UNREACHABLE: Final = 4
REFUSED: Final = 5


class Exit(typer.Exit):
    """Leave with a code."""

    def __init__(self, code: int) -> None:
        super().__init__(code=code)

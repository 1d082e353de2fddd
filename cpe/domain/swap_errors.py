"""Why a swap was not done, in one family.

SwapError                  base
├─ SwapRefusedError        not done, nothing written; `reason` is a code, `accepted` what would be
│  └─ TransitionRefusedError   a pair that is not in the tables
├─ SwapNotFoundError       no swap of that id
├─ SwapRaceError           somebody else was first; `winner` says who and with what
└─ SwapUnavailableError    a system that had to be asked did not answer; nothing written
"""

from __future__ import annotations


class SwapError(Exception):
    """The message is one line for people, French first."""


class SwapRefusedError(SwapError):
    """Refused at the door. `reason` is one of `REASONS`, `accepted` what would have passed."""

    def __init__(self, message: str, *, reason: str, accepted: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message, self.reason, self.accepted = message, reason, tuple(accepted)

    def __reduce__(self) -> tuple[object, ...]:
        # Prefect pickles exceptions into states; keyword-only arguments need help.
        return (_refused, (self.message, self.reason, self.accepted))


REASONS = (
    "same_unit",
    "unknown_serial",
    "ambiguous_serial",
    "unit_in_swap",
    "not_in_stock",
    "wrong_status",
    "other_customer",
    "no_diagnostic_swap",
    "not_accepted",
    "not_configured",
)
"""Every code a SwapRefusedError may carry."""


def _refused(message: str, reason: str, accepted: tuple[str, ...]) -> SwapRefusedError:
    return SwapRefusedError(message, reason=reason, accepted=accepted)


class TransitionRefusedError(SwapRefusedError):
    """This cannot happen to a swap or a unit that stands there."""

    def __init__(self, *, subject: str, state: str, event: str, accepted: tuple[str, ...]) -> None:
        options = ", ".join(accepted) or "–"
        super().__init__(
            f"« {event} » est refusé : {subject} est à « {state} » ; accepté : {options} "
            f"· {event!r} is refused: {subject} stands at {state!r}; accepted: {options}",
            reason="not_accepted",
            accepted=accepted,
        )
        self.subject, self.state, self.event = subject, state, event

    def __reduce__(self) -> tuple[object, ...]:
        return (_transition, (self.subject, self.state, self.event, self.accepted))


def _transition(
    subject: str, state: str, event: str, accepted: tuple[str, ...]
) -> TransitionRefusedError:
    return TransitionRefusedError(subject=subject, state=state, event=event, accepted=accepted)


class SwapNotFoundError(SwapError):
    """No swap of that id is kept."""


class SwapRaceError(SwapError):
    """Somebody else was first. `winner` is what they said (`by`, `result`, `at`), or empty."""

    def __init__(self, message: str, winner: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.winner = winner or {}

    def __reduce__(self) -> tuple[object, ...]:
        return (SwapRaceError, (str(self), self.winner))


class SwapUnavailableError(SwapError):
    """ERPNext or our database did not answer; nothing was written. Trying again can help."""

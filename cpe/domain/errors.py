"""The only exceptions that leave an adapter.

AccessError                 base; `transient` says whether trying again can help
├─ UnreachableError         transient   nothing answered in time, connection refused or cut
├─ BusyError                transient   429, 5xx, "in session", one session at a time
│  └─ OccupiedError                     somebody else is using what only one may use
├─ CutOffError              transient   an answer began and did not end
├─ LoginRefusedError                    401/403, wrong community/key/password: never tried again
├─ DeclinedError                        understood, and not done: a fault, no effect
│  ├─ StaleWriteError                   somebody else wrote first; read again
│  ├─ DuplicateError                    what was to be made is there already; read it
│  └─ FieldUnknownError                 the record has no such field, or dropped it
├─ NotSupportedError                    this system, model or firmware cannot answer that
│  └─ NotConfiguredError                what asking takes is not set or not installed
└─ UnexpectedAnswerError                the parser met a stranger
InputRefusedError           what a caller asked for may not be sent at all
ProfileError                a data file is wrong; names file and key
StoreError                  our own database did not take or give something
└─ AlreadyRunningError      somebody else is doing what only one may do at a time
"""

from __future__ import annotations

from typing import ClassVar


class AccessError(Exception):
    """An outside system did not give what was asked.

    `system` is one of `acs olt bridge erp`, `target` the device, host or serial, never a secret.
    """

    transient: ClassVar[bool] = False
    outcome: ClassVar[str] = "error"

    def __init__(self, message: str, *, system: str, target: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.system = system
        self.target = target

    def __reduce__(self) -> tuple[object, ...]:
        # Prefect pickles exceptions into states; keyword-only arguments need help.
        return (_rebuild, (type(self), self.message, self.system, self.target))

    def __str__(self) -> str:
        where = f"{self.system} {self.target}".strip()
        return f"{where}: {self.message}"


def _rebuild(kind: type[AccessError], message: str, system: str, target: str) -> AccessError:
    return kind(message, system=system, target=target)


class UnreachableError(AccessError):
    """The connection was refused, reset or closed."""

    transient = True
    outcome = "unreachable"


class BusyError(AccessError):
    """The system answered that it cannot now: 429, 5xx, a session in progress."""

    transient = True
    outcome = "unreachable"


class OccupiedError(BusyError):
    """Somebody else is using what only one may use at a time; it takes longer than we wait."""

    transient = False
    outcome = "busy"


class CutOffError(UnreachableError):
    """An answer began and did not end: truncated body, missing rows."""


class TimedOutError(UnreachableError):
    """Nothing came in the whole time allowed. Not tried again: somebody is on the phone."""

    transient = False


class LoginRefusedError(AccessError):
    """The credentials were refused. Final: devices lock people out."""

    outcome = "refused"


class DeclinedError(AccessError):
    """The device took part and did not do it: it answered a fault, or nothing came of it."""

    outcome = "refused"


class StaleWriteError(DeclinedError):
    """The record was changed after it was read."""


class DuplicateError(DeclinedError):
    """A record with that key or name is there already."""


class FieldUnknownError(DeclinedError):
    """The record has no such field, or the server dropped it without a word."""


class NotSupportedError(AccessError):
    """This system, model or firmware cannot answer that."""

    outcome = "unsupported"


class NotConfiguredError(NotSupportedError):
    """A setting or a program that asking takes is missing; the message says which."""


class UnexpectedAnswerError(AccessError):
    """The answer was not of the documented shape; the message holds a short redacted excerpt."""


class InputRefusedError(ValueError):
    """The caller's input may not be sent to any system. The message is one line for people."""


class ProfileError(ValueError):
    """A profile, threshold or wording file is wrong; the message names file and key."""


class StoreError(Exception):
    """Our own database did not take or give something."""


class AlreadyRunningError(StoreError):
    """Somebody else is doing what only one may do at a time."""

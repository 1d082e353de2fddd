"""What one modem remembers: who is logged in, who failed to, and what mischief it is up to."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field, fields
from typing import Any, Final

from deployments.lab.box_state import LabRefusedError
from deployments.lab.modem.cipher import SessionKey, Variant

USER: Final = "user"
PASSWORD: Final = "modem-CANARY-login"  # noqa: S105 - a canary
LOCKED_AFTER: Final = 5
LOCKED_S: Final = 300.0
IDLE_S: Final = 600.0


@dataclass(slots=True)
class Mischief:
    """How a modem misbehaves; a test or `POST /lab/devices/{serial}/modem` sets it.

    `storm` answers so many operations with 406, `flaky` so many key requests without parameters,
    `closes` cuts so many off; `html` answers operations with a clear-text page; `evicts_after` lets
    somebody else log in after so many operations; `slow_s` delays every operation and
    `slow_login_s` every login; `hangs` never
    answers one; `mute_busy` answers getBusy with 406; `human` has somebody logged in; `renamed` has
    a page that encrypts under another name; `login_code` is answered to every login.
    """

    variant: str = Variant.CBC.value
    logout: str = "ret"
    """`empty`, `ret` or `json`."""
    storm: int = 0
    flaky: int = 0
    closes: int = 0
    html: bool = False
    evicts_after: int | None = None
    slow_s: float = 0.0
    slow_login_s: float = 0.0
    hangs: bool = False
    mute_busy: bool = False
    renamed: bool = False
    login_code: int = 0
    human: bool = False
    refuses: dict[str, int] = field(default_factory=dict[str, int])
    """OID → the error code that it answers."""

    def change(self, changes: dict[str, Any]) -> None:
        """Set fields by name. Raises LabRefusedError for one that does not exist."""
        known = {f.name for f in fields(self)}
        if strange := set(changes) - known:
            said = ", ".join(sorted(strange))
            raise LabRefusedError(f"no mischief {said}; there are {', '.join(sorted(known))}")
        if "variant" in changes and changes["variant"] not in set(Variant):
            raise LabRefusedError(f"no variant {changes['variant']!r}")
        for name, value in changes.items():
            setattr(self, name, value)


@dataclass(slots=True)
class AdminSession:
    """The one session there is."""

    cookie: str
    token: str
    key: SessionKey
    hash: str
    seen_at: float
    operations: int = 0
    mapped: bool = False
    """Whether the mesh map was brought up to date in this session."""


@dataclass(slots=True)
class ModemState:
    """One modem's memory."""

    seq: int
    mischief: Mischief = field(default_factory=Mischief)
    session: AdminSession | None = None
    logins: int = 0
    logouts: int = 0
    evictions: int = 0
    failures: int = 0
    locked_until: float = 0.0
    writes: list[str] = field(default_factory=list[str])
    """Every write that reached the modem: `so DEV2_ADT_WAN`, `op ACT_REBOOT`."""
    reads: list[str] = field(default_factory=list[str])

    def alive(self, now: float) -> AdminSession | None:
        """The session, unless it idled out."""
        if self.session is not None and now - self.session.seen_at > IDLE_S:
            self.session = None
        return self.session

    def login(self, key: SessionKey, hash_: str, now: float) -> AdminSession:
        """A new session; whoever was logged in is not told."""
        self.evictions += self.alive(now) is not None
        self.logins += 1
        self.failures = 0
        self.session = AdminSession(secrets.token_hex(15), secrets.token_hex(15), key, hash_, now)
        return self.session

    def evict(self, now: float) -> None:
        """Somebody else logs in."""
        key = self.session.key if self.session is not None else None
        if key is not None:
            self.login(key, "0" * 32, now)

    def fail(self, now: float) -> None:
        """A wrong password; five of them lock everybody out for five minutes."""
        self.failures += 1
        if self.failures >= LOCKED_AFTER:
            self.locked_until = now + LOCKED_S

    def as_json(self, now: float) -> dict[str, object]:
        """What the lab's own API says of it."""
        return {
            "logged_in": self.alive(now) is not None, "logins": self.logins,
            "logouts": self.logouts, "evictions": self.evictions, "failures": self.failures,
            "locked": now < self.locked_until, "writes": self.writes, "reads": len(self.reads),
        }  # fmt: skip


def login_hash(user: str, password: str) -> str:
    """MD5 of user and password, as the page makes it."""
    return hashlib.md5((user + password).encode(), usedforsecurity=False).hexdigest()

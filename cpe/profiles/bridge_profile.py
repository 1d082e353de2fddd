"""Admin UIs as data: which objects hold which quantity, and all that a session may do.

What is not listed cannot be asked for: the page's guard is made of `allowed`, and only the
attributes that a quantity names ever leave the page.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal, cast

from pydantic import Field, model_validator

from cpe.domain.redaction import is_secret_name
from cpe.profiles.cpe_profile import Candidate, Strict, check_quantity
from cpe.profiles.loading import check, read_yaml
from cpe.profiles.quantities import FOLDER, quantities

PROFILE_FOLDER: Final = FOLDER / "bridge"
Selectors = Annotated[tuple[str, ...], Field(min_length=1)]
Milliseconds = Annotated[int, Field(ge=0, le=30_000)]
ObjectName = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]+$")]
_ATTRIBUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
METHODS: Final = {"go": "get", "gl": "getList", "gs": "getSubList", "op": "op", "cgi": "cgi"}
"""The page's function of each verb of the wire."""


class Attribute(Candidate):
    """A candidate whose `path` is an attribute of a row.

    `part` takes one item of a comma list (`stack`), `says` only accepts a text that contains it.
    """

    part: Annotated[int, Field(ge=0, le=5)] | None = None
    says: str = ""

    @model_validator(mode="after")
    def _is_an_attribute(self) -> Attribute:
        if not _ATTRIBUTE.fullmatch(self.path):
            raise ValueError(f"{self.path!r} is not an attribute")
        return self


Attributes = Annotated[tuple[Attribute, ...], Field(min_length=1)]


class Read(Strict):
    """One object. Its first row is the box itself, or its `rows` are of a kind named by `key`.

    `after` is an operation that brings it up to date and changes nothing.
    """

    oid: ObjectName
    verb: Literal["go", "gl", "gs"]
    after: ObjectName | None = None
    rows: Literal["radio", "station", "node", "wan"] | None = None
    key: str | None = None
    quantities: dict[str, Attributes] = Field(default_factory=dict)
    plain: tuple[str, ...] = ()
    """Attributes that identify the box; they become no measurement."""

    @model_validator(mode="after")
    def _complete(self) -> Read:
        if (self.rows is None) != (self.key is None):
            raise ValueError("rows and key belong together")
        if self.key is not None and self.key not in self.quantities and self.key not in self.plain:
            raise ValueError(f"key {self.key!r} is not read")
        for name in self.attributes:
            if is_secret_name(name):
                raise ValueError(f"{name} holds a secret and may not be read")
        known = quantities()
        for name, candidates in self.quantities.items():
            check_quantity(name, candidates, known)
        return self

    @property
    def attributes(self) -> tuple[str, ...]:
        """Every attribute that leaves the page."""
        named = (a.path for candidates in self.quantities.values() for a in candidates)
        return tuple(dict.fromkeys((*named, *self.plain)))


class OwnMac(Strict):
    """An attribute that holds a MAC of the box itself: in all rows, or where `where` is true."""

    oid: ObjectName
    path: str
    where: str | None = None


class Page(Strict):
    """Where the page has what a person would use; each list is tried as one selector."""

    path: str
    password: Selectors
    user: tuple[str, ...] = ()
    submit: Selectors
    preempt: Selectors
    refused: Selectors
    logged_in: Selectors


class Pace(Strict):
    """How gently a modem is treated."""

    settle_ms: Milliseconds
    spacing_ms: Milliseconds
    back_off_ms: Milliseconds
    retries: Annotated[int, Field(ge=0, le=3)]
    read_ms: Milliseconds
    logout_ms: Milliseconds


class Allowed(Strict):
    """All that may leave the browser; `never` wins over `verbs`.

    `sealed` are the addresses of encrypted requests, which are judged by what is in them; `open`
    those of requests without content.
    """

    verbs: tuple[Literal["go", "gl", "gs"], ...]
    actions: tuple[ObjectName, ...]
    calls: tuple[str, ...]
    never: tuple[ObjectName, ...]
    sealed: tuple[str, ...]
    open: tuple[str, ...]


class Family(Strict):
    """Whose admin UI this is: expressions on manufacturer and model. `other_ui` are models of the
    maker that have another one."""

    manufacturer: str
    model: str
    other_ui: str


class BridgeProfile(Strict):
    """One admin UI."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9\-]+$")]
    title: str
    evidence: Annotated[str, Field(min_length=10)]
    match: Family
    page: Page
    pace: Pace
    allowed: Allowed
    refused_codes: tuple[int, ...]
    identity: Read
    own_macs: tuple[OwnMac, ...]
    """They prove a box that does not tell its serial, where they are read anyway."""
    worth: tuple[str, ...]
    """Quantities whose lack is reason enough to log in."""
    reads: Annotated[tuple[Read, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> BridgeProfile:
        given = {name for read in self.reads for name in read.quantities}
        if lost := set(self.worth) - given:
            raise ValueError(f"worth: no read gives {', '.join(sorted(lost))}")
        for read in (self.identity, *self.reads):
            if read.verb not in self.allowed.verbs or read.oid in self.allowed.never:
                raise ValueError(f"reads: {read.verb} {read.oid} is not allowed")
            if read.after is not None and read.after not in self.allowed.actions:
                raise ValueError(f"reads: {read.after} is not an allowed action")
        told = {(read.oid, name) for read in self.reads for name in read.attributes}
        for mac in self.own_macs:
            if not {(mac.oid, name) for name in (mac.path, mac.where) if name} <= told:
                raise ValueError(f"own_macs: {mac.oid} is not read for {mac.path} and {mac.where}")
        return self

    def fits(self, manufacturer: str | None, model: str | None) -> bool:
        """Whether a box of this maker and model has this UI."""
        return self.is_made_by(manufacturer) and bool(model and re.match(self.match.model, model))

    def is_made_by(self, manufacturer: str | None) -> bool:
        """Whether the box is of the maker at all."""
        return bool(manufacturer and re.search(self.match.manufacturer, manufacturer))

    def has_other_ui(self, model: str | None) -> bool:
        """Whether the model is known to have another UI."""
        return bool(model and re.match(self.match.other_ui, model))


@cache
def bridge_profile(path: Path = PROFILE_FOLDER / "tplink-json.yaml") -> BridgeProfile:
    """The shipped profile. Raises ProfileError."""
    return check(BridgeProfile, cast("object", read_yaml(path)), path)

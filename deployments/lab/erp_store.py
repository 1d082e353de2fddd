"""The records of an ERPNext-like site: doctypes, rules of a field, and the errors Frappe raises."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any, Final

from deployments.lab.identity import Identity
from deployments.lab.plant import Plant

Doc = dict[str, Any]

_STANDARD: Final = ("name", "owner", "creation", "modified", "modified_by", "docstatus", "idx")
_MAX_DATA: Final = 140


class FrappeError(Exception):
    """What Frappe raises: HTTP status, `exc_type`, a message for people (French site, HTML)."""

    def __init__(self, status: int, exc_type: str, message: str, *, title: str = "Message") -> None:
        super().__init__(message)
        self.status, self.exc_type, self.message, self.title = status, exc_type, message, title


@dataclass(frozen=True, slots=True)
class Doctype:
    """Fields by kind. `selects` list the options; the first is the default."""

    name: str
    series: str
    label: str
    data: frozenset[str]
    required: tuple[tuple[str, str], ...] = ()
    """(fieldname, label)."""
    unique: tuple[tuple[str, str], ...] = ()
    selects: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    dates: frozenset[str] = frozenset()
    defaults: dict[str, Any] = field(default_factory=dict[str, Any])
    autoname: str = ""
    """A template of the document's own fields; empty: the series names it."""

    @property
    def fields(self) -> frozenset[str]:
        """Every field that may be read or filtered."""
        return self.data | self.dates | frozenset(self.selects) | frozenset(_STANDARD)


EQUIPMENT: Final = Doctype(
    "Service Equipment", "EQP-{number:05d}", "Équipement",
    frozenset({"serial_number", "customer", "mac_address", "location", "notes"}),
    required=(("serial_number", "Numéro de série"),),
    unique=(("serial_number", "Numéro de série"),),
    selects={
        "status": ("En inventaire", "Actif", "En diagnostic", "Défectueux", "Retourné"),
        "equipment_type": ("ONT", "Modem", "Router", "TV Box", "IP Phone"),
    },
)  # fmt: skip
TASK: Final = Doctype(
    "Task", "TASK-{year}-{number:05d}", "Tâche",
    frozenset({"subject", "project", "issue", "type", "description", "completed_by", "progress",
               "parent_task", "department", "company", "custom_idem_key", "custom_equipment",
               "custom_swap"}),
    required=(("subject", "Sujet"),),
    unique=(("custom_idem_key", "Clé d’idempotence"),),
    selects={
        "status": ("Open", "Working", "Pending Review", "Overdue", "Template", "Completed",
                   "Cancelled"),
        "priority": ("Low", "Medium", "High", "Urgent"),
    },
    dates=frozenset({"exp_start_date", "exp_end_date", "completed_on"}),
    defaults={"is_group": 0, "is_template": 0, "progress": 0.0},
)  # fmt: skip
COMMENT: Final = Doctype(
    "Comment", "c{number:09d}", "Commentaire",
    frozenset({"comment_type", "reference_doctype", "reference_name", "content", "comment_email"}),
)  # fmt: skip
CUSTOM_FIELD: Final = Doctype(
    "Custom Field", "", "Champ personnalisé",
    frozenset({"dt", "fieldname", "label", "fieldtype", "unique", "read_only", "no_copy",
               "insert_after"}),
    required=(("dt", "Document"), ("fieldname", "Nom du champ")),
    autoname="{dt}-{fieldname}",
)  # fmt: skip
_LONG: Final = frozenset({"description", "notes", "content"})
_SCRIPT: Final = re.compile(r"<(/?script\b[^>]*)>", re.IGNORECASE)
_STATUS_IN_STOCK: Final = "En inventaire"


def stamp(epoch_s: float) -> str:
    """A Frappe datetime: site time, microseconds, no zone."""
    return datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def _sanitised(value: Any) -> Any:
    """Frappe escapes scripts and keeps other HTML."""
    return _SCRIPT.sub(r"&lt;\1&gt;", value) if isinstance(value, str) else value


class Table:
    """The records of one doctype. Equipment of untouched boxes is made on demand."""

    def __init__(self, doctype: Doctype, plant: Plant, *, seeded: bool) -> None:
        self.doctype, self._plant = doctype, plant
        self._docs: dict[str, Doc | None] = {}
        self._seeded = len(plant.identities) if seeded else 0
        self._next = self._seeded + 1
        self._last = 0.0
        self._taken: dict[tuple[str, Any], str] = {}

    # -- reading

    def get(self, name: str) -> Doc:
        """The record. Raises FrappeError 404."""
        doc = self._find(name)
        if doc is None:
            raise FrappeError(404, "DoesNotExistError", f"{self.doctype.name} {name} introuvable")
        return doc

    def _find(self, name: str) -> Doc | None:
        if name in self._docs:
            return self._docs[name]
        number = re.fullmatch(r"EQP-(\d{5,})", name) if self._seeded else None
        if number is None or not 1 <= int(number[1]) <= self._seeded:
            return None
        return self._equipment(self._plant.identities[int(number[1]) - 1])

    def _equipment(self, who: Identity) -> Doc:
        installed = who.index < self._plant.devices
        created = stamp(self._plant.started_at - 86_400 * (30 + who.index % 300))
        doc = self._standard(f"EQP-{who.index + 1:05d}", created)
        return doc | {
            "serial_number": who.serial, "equipment_type": "ONT", "mac_address": who.mac,
            "status": "Actif" if installed else _STATUS_IN_STOCK,
            "customer": f"CUST-{who.index + 1:05d}" if installed else None,
            "location": None, "notes": None, "doctype": self.doctype.name,
        }  # fmt: skip

    def _standard(self, name: str, when: str) -> Doc:
        user = "erp@operateur.invalid"
        return {
            "name": name, "owner": user, "creation": when, "modified": when, "modified_by": user,
            "docstatus": 0, "idx": 0,
        }  # fmt: skip

    def all(
        self, *, serials: Sequence[str] | None = None, names: Sequence[str] | None = None
    ) -> list[Doc]:
        """Every record, or the few that may carry one of these serial numbers or names."""
        made = [doc for doc in self._docs.values() if doc is not None]
        if names is not None:
            found = [self._find(name) for name in dict.fromkeys(names)]
            return [doc for doc in found if doc is not None]
        if serials is not None and self._seeded:
            indices = (self._plant.find(serial) for serial in serials)
            wanted = list(dict.fromkeys(index for index in indices if index is not None))
        else:
            wanted = list(range(self._seeded))
        names = [f"EQP-{index + 1:05d}" for index in wanted]
        fresh = [self._find(key) for key in names if key not in self._docs]
        return made + [doc for doc in fresh if doc is not None]

    # -- writing

    def insert(self, given: Doc) -> Doc:
        """A new record; a name chosen by the client is ignored, unknown fields are dropped."""
        name = self._name_for(given)
        doc = self._standard(name, self._now())
        doc |= {field_name: options[0] for field_name, options in self._selects()}
        doc |= self.doctype.defaults | self._known(given) | {"doctype": self.doctype.name}
        self._check(doc, name)
        self._next += 1
        self._claim(doc)
        self._docs[name] = doc
        return doc

    def _name_for(self, given: Doc) -> str:
        if not self.doctype.autoname:
            return self.doctype.series.format(number=self._next, year=self._year())
        name = self.doctype.autoname.format(**{f: given.get(f, "") for f in self.doctype.data})
        if self._docs.get(name) is not None:
            raise FrappeError(
                409, "DuplicateEntryError",
                f"{self.doctype.label} <strong>{name}</strong> existe déjà", title="Nom en double",
            )  # fmt: skip
        return name

    def extend(self, name: str, label: str, *, unique: bool) -> None:
        """The doctype gains a Data field, or an existing one becomes unique."""
        kind = self.doctype
        ruled = tuple(rule for rule in kind.unique if rule[0] != name)
        rules = (*ruled, (name, label)) if unique else ruled
        self.doctype = replace(kind, data=kind.data | {name}, unique=rules)

    def curtail(self, name: str) -> None:
        """The doctype loses a field; what was in it is not shown any more."""
        kind = self.doctype
        ruled = tuple(rule for rule in kind.unique if rule[0] != name)
        self.doctype = replace(kind, data=kind.data - {name}, unique=ruled)

    def update(self, name: str, given: Doc) -> Doc:
        """Change fields; a `modified` in the body is an optimistic lock."""
        old = self.get(name)
        if "modified" in given and given["modified"] != old["modified"]:
            raise FrappeError(
                417, "TimestampMismatchError",
                "Erreur : le document a été modifié après que vous l’avez ouvert "
                f"({given['modified']}, {old['modified']}). Veuillez actualiser.",
            )  # fmt: skip
        doc = old | self._known(given)
        doc["modified"] = self._now()
        self._check(doc, name)
        for key in [key for key, owner in self._taken.items() if owner == name]:
            del self._taken[key]
        self._claim(doc)
        self._docs[name] = doc
        return doc

    def delete(self, name: str) -> None:
        """Remove a record."""
        self.get(name)
        self._docs[name] = None
        for key in [key for key, owner in self._taken.items() if owner == name]:
            del self._taken[key]

    def _selects(self) -> list[tuple[str, tuple[str, ...]]]:
        return list(self.doctype.selects.items())

    def _known(self, given: Doc) -> Doc:
        allowed = self.doctype.fields - set(_STANDARD)
        return {key: _sanitised(value) for key, value in given.items() if key in allowed}

    def _now(self) -> str:
        # Two writes never share a `modified`, or the optimistic lock would have a hole.
        self._last = max(self._plant.clock(), self._last + 1e-6)
        return stamp(self._last)

    def _year(self) -> int:
        return datetime.fromtimestamp(self._plant.clock(), UTC).year

    def _claim(self, doc: Doc) -> None:
        for field_name, _ in self.doctype.unique:
            if doc.get(field_name):
                self._taken[field_name, doc[field_name]] = doc["name"]

    def _owner(self, field_name: str, value: object) -> str | None:
        owner = self._taken.get((field_name, value))
        if owner is None and self._seeded and field_name == "serial_number":
            index = self._plant.find(str(value))
            name = f"EQP-{index + 1:05d}" if index is not None else ""
            if name not in self._docs and self._plant.identities[index or 0].serial == value:
                owner = name
        return owner

    def _check(self, doc: Doc, name: str) -> None:
        kind = self.doctype
        for field_name, label in kind.required:
            if not doc.get(field_name):
                raise FrappeError(
                    417, "MandatoryError", f"Erreur : valeur manquante pour {kind.name} : {label}"
                )
        for field_name, options in kind.selects.items():
            if doc.get(field_name) not in {None, "", *options}:
                listed = ", ".join(f'"{option}"' for option in options)
                raise FrappeError(
                    417, "ValidationError",
                    f'{field_name} ne peut pas être "{doc[field_name]}". '
                    f"Il devrait être l’un de {listed}",
                )  # fmt: skip
        self._check_dates(doc)
        for field_name in kind.data - _LONG:
            if isinstance(doc.get(field_name), str) and len(doc[field_name]) > _MAX_DATA:
                raise FrappeError(
                    417, "CharacterLengthExceededError",
                    f"{kind.name} {name} : '<strong>{field_name}</strong>' sera tronqué, "
                    f"le maximum est {_MAX_DATA}",
                )  # fmt: skip
        for field_name, label in kind.unique:
            owner = self._owner(field_name, doc.get(field_name)) if doc.get(field_name) else None
            if owner is not None and owner != name:
                raise FrappeError(417, "UniqueValidationError", f"{label} doit être unique")

    def _check_dates(self, doc: Doc) -> None:
        for field_name in self.doctype.dates:
            value = doc.get(field_name)
            if value is None:
                continue
            try:
                date.fromisoformat(str(value)[:10])
            except ValueError:
                raise FrappeError(500, "OperationalError", "") from None
            if "T" in str(value) or str(value).endswith("Z"):
                raise FrappeError(500, "OperationalError", "")
        start, end = doc.get("exp_start_date"), doc.get("exp_end_date")
        if start and end and str(end) < str(start):
            raise FrappeError(
                417, "InvalidDates",
                "<strong>Date de fin prévue</strong> doit suivre la <strong>date de début</strong>",
            )  # fmt: skip

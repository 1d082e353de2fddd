"""Tasks and their comments in ERPNext: made once by key, changed under the lock, read back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from cpe.access.erpnext.frappe import Doc, Frappe
from cpe.access.erpnext.names import ErpNames
from cpe.access.erpnext.patience import patiently, statuses
from cpe.access.erpnext.record import STALE_TRIES, compare, is_so, must_read, never_still, put
from cpe.access.erpnext.text import escaped
from cpe.domain.errors import DuplicateError, StaleWriteError

SUBJECT_LENGTH: Final = 140
ENDED: Final = ("Completed", "Cancelled")
DUE: Final = "exp_end_date"


@dataclass(frozen=True, slots=True)
class Written:
    """A record after a write. `changed` False: it was so already."""

    name: str
    before: dict[str, object]
    after: dict[str, object]
    changed: bool


class Work:
    """The Tasks of one site."""

    def __init__(self, frappe: Frappe, names: ErpNames) -> None:
        self._frappe, self._names = frappe, names

    def site_date(self, moment: datetime) -> date:
        """The date at the site: Frappe's dates and times have no zone but the site's."""
        return moment.astimezone(ZoneInfo(self._names.time_zone)).date()

    async def open_task(
        self, key: str, *, subject: str, description: str, due: date, priority: str
    ) -> Written:
        """The Task of that key, made when it is not there. Texts are plain; HTML is escaped.

        Asks for the key first, so that a site without the key field refuses before it writes
        (FieldUnknownError). Raises AccessError.
        """

        async def once() -> tuple[Doc, bool]:
            if (found := await self._by_key(key)) is not None:
                return found, False
            fields = {
                "subject": escaped(subject, limit=SUBJECT_LENGTH),
                "description": _paragraphs(description),
                DUE: due.isoformat(),
                "priority": priority,
                "status": "Open",
                self._names.idem: key,
            }
            try:
                kept = await self._frappe.insert(self._names.task, fields)
            except DuplicateError:
                if (found := await self._by_key(key)) is None:
                    raise  # another unique field is in the way
                return found, False
            after = await must_read(self._frappe, self._names.task, str(kept["name"]))
            asked = (DUE, "priority", self._names.idem)
            kept = after | {DUE: _day(after)}
            compare(self._frappe, kept, {name: fields[name] for name in asked})
            return after, True

        task, changed = await patiently(once)
        if _ends_at_midnight(task):  # before the day has begun: overdue all day long
            evening = {DUE: f"{_day(task)} 23:59:59"}
            await self.change_task(str(task["name"]), evening, unless_ended=True)
        return self._task(task, changed=changed)

    async def change_task(
        self, name: str, wanted: Mapping[str, object], *, unless_ended: bool = False
    ) -> Written:
        """Bring fields of a Task to these values. `unless_ended`: a Task that somebody has
        completed or cancelled is left alone. Raises AccessError."""

        async def once() -> Written:
            for _ in range(STALE_TRIES):
                doc = await must_read(self._frappe, self._names.task, name)
                before: dict[str, object] = {field: doc.get(field) for field in wanted}
                if is_so(doc, wanted) or (unless_ended and doc.get("status") in ENDED):
                    return Written(name, before, before, changed=False)
                try:
                    after = await put(self._frappe, self._names.task, doc, wanted)
                except StaleWriteError:
                    continue
                kept: dict[str, object] = {field: after.get(field) for field in wanted}
                return Written(name, before, kept, changed=True)
            raise never_still(self._frappe, name)

        return await patiently(once)

    async def complete_task(self, name: str, on: date) -> Written:
        """Completed, with its date; a Task that somebody ended already stays as it is."""
        wanted = {"status": "Completed", "completed_on": on.isoformat()}
        return await self.change_task(name, wanted, unless_ended=True)

    async def comment(self, task: str, key: str, text: str) -> Written:
        """A comment of that key on a Task, made once: the key ends its text and is looked for
        first, for Comment has no field of ours. Raises AccessError."""

        async def once() -> Written:
            about = [
                ("reference_doctype", "=", self._names.task),
                ("reference_name", "=", task),
                ("content", "like", f"%[{key}]%"),
            ]
            found = await self._frappe.rows("Comment", about, ["name"], limit=1)
            if found:
                return Written(str(found[0]["name"]), {}, {"key": key}, changed=False)
            fields = {
                "comment_type": "Comment",
                "reference_doctype": self._names.task,
                "reference_name": task,
                "content": f"{_paragraphs(text)}<p>[{key}]</p>",
            }
            kept = await self._frappe.insert("Comment", fields)
            return Written(str(kept["name"]), {}, {"key": key}, changed=True)

        return await patiently(once)

    async def read_task(self, name: str) -> Doc | None:
        """The Task, None when it is gone."""
        return await patiently(lambda: self._frappe.read(self._names.task, name))

    async def statuses(self, names: Iterable[str]) -> dict[str, str]:
        """Name → status of these Tasks; one that is gone is missing."""
        return await statuses(self._frappe, self._names.task, "status", names)

    async def _by_key(self, key: str) -> Doc | None:
        fields = ["name", "status", "priority", DUE, self._names.idem]
        rows = await self._frappe.rows(self._names.task, [(self._names.idem, "=", key)], fields)
        # MariaDB's = disregards case and trailing spaces.
        exact = [row for row in rows if row.get(self._names.idem) == key]
        return exact[0] if exact else None

    def _task(self, doc: Doc, *, changed: bool) -> Written:
        after: dict[str, object] = {field: doc.get(field) for field in ("status", "priority")}
        after[DUE] = _day(doc)
        return Written(str(doc["name"]), {}, after, changed=changed)


def _day(task: Doc) -> str | None:
    """The day it is due: the field is a Date in ERPNext 15 and a Datetime since 16 (midnight)."""
    kept = task.get(DUE)
    return str(kept)[: len("2026-12-04")] if kept else None


def _ends_at_midnight(task: Doc) -> bool:
    return str(task.get(DUE)).partition(".")[0].endswith(" 00:00:00")


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{escaped(line)}</p>" for line in text.splitlines() if line.strip())

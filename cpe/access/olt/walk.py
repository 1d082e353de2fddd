"""A guarded walk of several columns at once with GETBULK.

The library's own walk follows an agent that goes in circles for ever, counts PDUs as rows and goes
on after a timeout. Here: every OID must be below its column and rise (an agent that repeats a row
is asked once more, beside it, so that what is learned does not depend on which row it repeats);
rows and time are capped; each column goes on from its own last OID, since an answer may be cut in
the middle of a row. The last PDU of a column also reads into the next one, which may be slow: after
a timeout the same place is asked again with one repetition before the walk gives up.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from cpe.access.olt.failures import GEN_ERR, NO_SUCH_NAME, TOO_BIG, from_status
from cpe.access.olt.session import Session
from cpe.access.olt.wire import Deadline, Missing, Oid, Response, Value, inside, oid_text
from cpe.domain.errors import AccessError, CutOffError, UnreachableError

ROWS_PER_PDU: Final = 42
"""1472 bytes of a datagram / ~35 bytes a varbind."""


MAX_SUB_ID: Final = 0xFFFF_FFFF
MAX_STEPS_ASIDE: Final = 512
"""How often a walk gets past an agent that repeats a row, one row an answer: four full PONs."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Rows whose index starts with `prefix` and goes on with low..high (None: anything)."""

    prefix: Oid = ()
    low: int | None = None
    high: int | None = None

    def start(self, column: Oid) -> Oid:
        """The OID just before the first row."""
        base = column + self.prefix
        if self.low is None or self.low == 0:
            return base
        return (*base, self.low - 1, MAX_SUB_ID)

    def holds(self, index: Oid) -> bool:
        """Whether a row's index is inside."""
        if not inside(index, self.prefix):
            return False
        own = index[len(self.prefix)]
        return (self.low is None or own >= self.low) and (self.high is None or own <= self.high)


@dataclass(slots=True)
class Walked:
    """What a walk read: per column, values by index. `failure` says why it is not all of it."""

    columns: dict[Oid, dict[Oid, Value]]
    failure: AccessError | None = None

    @property
    def complete(self) -> bool:
        """Every column was read to the end of its scope."""
        return self.failure is None


@dataclass(slots=True)
class _Pace:
    """How many rows to ask for: halved for good by trouble, growing back below that."""

    ceiling: int
    now: int = field(init=False)

    def __post_init__(self) -> None:
        self.now = self.ceiling

    def trouble(self) -> bool:
        """Ask for one row; False when that is what failed."""
        if self.now == 1:
            return False
        self.ceiling = max(1, self.now // 2)
        self.now = 1
        return True

    def smooth(self) -> None:
        """An answer came."""
        self.now = min(self.ceiling, self.now * 2)


async def walk(
    session: Session,
    columns: tuple[Oid, ...],
    *,
    scope: Scope,
    repetitions: int,
    max_rows: int,
    timeout_s: float,
) -> Walked:
    """Read the columns inside the scope. Never raises AccessError: see `Walked.failure`."""
    table = TableWalk(session, columns, scope, repetitions, max_rows, timeout_s)
    await table.go_on()
    return Walked(table.rows, table.failure)


class TableWalk:
    """A walk that can be left and gone on with: each column knows its own last OID."""

    def __init__(
        self,
        session: Session,
        columns: tuple[Oid, ...],
        scope: Scope,
        repetitions: int,
        max_rows: int,
        timeout_s: float,
    ) -> None:
        self._session = session
        self._scope = scope
        self._pace = _Pace(max(1, min(repetitions, ROWS_PER_PDU // len(columns))))
        self._timeout_s = timeout_s
        self._left = max_rows * len(columns)
        self.rows: dict[Oid, dict[Oid, Value]] = {column: {} for column in columns}
        self.last = {column: scope.start(column) for column in columns}
        self.failure: AccessError | None = None
        self._aside: dict[Oid, Oid] = {}
        self._steps_aside = 0
        self._indexes: dict[Oid, Oid] = {}

    @property
    def ended(self) -> bool:
        """Every column was read to the end of its scope, or the walk failed."""
        return not self.last or self.failure is not None

    async def go_on(self, until: Deadline | None = None) -> None:
        """Read on to the end, or for as long as `until` says. Never raises AccessError."""
        while not self.ended and (until is None or until.left_s() > 0):
            asked = tuple(self.last.items())
            try:
                oids = tuple(self._ask_after(column, oid) for column, oid in asked)
                response = await self._session.bulk(oids, self._pace.now, self._timeout_s)
            except UnreachableError as error:
                if self._session.deadline.left_s() <= 0 or not self._pace.trouble():
                    self.failure = error
                continue
            except AccessError as error:
                self.failure = error
                continue
            if response.error_status == 0:
                self.take([column for column, _ in asked], response)
                self._pace.smooth()
            else:
                self.error([column for column, _ in asked], response, self._pace)

    def _ask_after(self, column: Oid, last: Oid) -> Oid:
        """The OID to go on from: beside the last row's where the agent repeats that one.

        No row is between the two, and an agent that answers what it was asked does not have it.
        """
        return (*last, 0) if self._aside.get(column) == last else last

    def forgive(self) -> None:
        """Forget a failure: the next leg asks again where this one stopped."""
        self.failure = None

    def leave(self, column: Oid) -> None:
        """Go on without a column, what failed included; what was read of it stays."""
        self.last.pop(column, None)
        self.failure = None

    def take(self, asked: list[Oid], response: Response) -> None:
        """Sort an answer's varbinds into their columns."""
        if not response.varbinds:
            self.failure = self._session.stranger("an empty answer in the middle of a table")
        stuck: set[Oid] = set()
        for position, (oid, value) in enumerate(response.varbinds):
            column = asked[position % len(asked)]
            if column not in self.last or column in stuck:
                continue  # the rest of a column that has ended: the next one's rows
            if value is not Missing.END and oid <= self.last[column] and self._step_aside(column):
                stuck.add(column)
                continue
            self._take_one(column, oid, value)
            if self.failure is not None:
                return

    def _step_aside(self, column: Oid) -> bool:
        """Whether to ask once more, beside a row after which the agent does not go on."""
        last = self.last[column]
        if self._aside.get(column) == last or self._steps_aside == MAX_STEPS_ASIDE:
            return False
        self._aside[column] = last
        self._steps_aside += 1
        self._pace.now = self._pace.ceiling = 1
        return True

    def _take_one(self, column: Oid, oid: Oid, value: Value) -> None:
        if value is Missing.END:
            del self.last[column]
        elif oid <= self.last[column]:
            self.failure = self._session.stranger(
                f"its OIDs do not increase: {oid_text(oid)} after {oid_text(self.last[column])}"
            )
        elif not inside(oid, column) or not self._scope.holds(oid[len(column) :]):
            del self.last[column]
        elif self._left == 0:
            self.failure = CutOffError(
                "more rows than the profile's limit",
                system="olt",
                target=self._session.target.name,
            )
        else:
            self._left -= 1
            self.last[column] = oid
            index = oid[len(column) :]
            # One tuple for all columns of a row: 25 OLTs at once are 100,000 rows in memory.
            self.rows[column][self._indexes.setdefault(index, index)] = value

    def error(self, asked: list[Oid], response: Response, pace: _Pace) -> None:
        """An error-status: a v1-minded agent's end of a column, or ask for less, or give up."""
        index = response.error_index if len(asked) > 1 else 1
        if response.error_status == NO_SUCH_NAME and 1 <= index <= len(asked):
            del self.last[asked[index - 1]]
        elif response.error_status not in (TOO_BIG, GEN_ERR) or not pace.trouble():
            name = self._session.target.name
            self.failure = from_status(response.error_status, "a walk", olt=name)

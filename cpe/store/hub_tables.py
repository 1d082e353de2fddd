"""Tables of the hub: which question is being answered, who asked, the steps seen, what to push."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, Table

from cpe.store.columns import PACKED_JSON, PlainText, UtcDateTime
from cpe.store.tables import metadata

flights: Final = Table(
    "hub_flights",
    metadata,
    Column("question", PlainText, primary_key=True),
    Column("ticket", PlainText, nullable=False),
    Column("run_id", PlainText),
    Column("opened_at", UtcDateTime, nullable=False),
)
"""One row per question that is being answered. `ticket` is the idempotency key its run is created
with, `run_id` null until it is."""

asks: Final = Table(
    "hub_asks",
    metadata,
    Column("id", PlainText, primary_key=True),
    Column("run_id", PlainText, nullable=False),
    Column("serial", PlainText, nullable=False),
    Column("requested_by", PlainText, nullable=False),
    Column("token", PlainText, nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Index(None, "run_id"),
    Index(None, "asked_at"),
)
"""Everybody who asked, also those who shared a run. `token` is the bearer token's name."""

steps: Final = Table(
    "hub_steps",
    metadata,
    Column("run_id", PlainText, primary_key=True),
    Column("at_us", BigInteger, primary_key=True),
    Column("step", PlainText, nullable=False),
    Index(None, "at_us"),
)
"""`at_us`: microseconds since 1970, by the clock of the machine that runs the diagnosis."""

outbox: Final = Table(
    "hub_outbox",
    metadata,
    Column("id", PlainText, primary_key=True),
    Column("kind", PlainText, nullable=False),
    Column("subject", PlainText, nullable=False),
    Column("body", PACKED_JSON),
    Column("created_at", UtcDateTime, nullable=False),
    Column("next_at", UtcDateTime),
    Column("attempts", Integer, nullable=False),
    Column("last_error", PlainText, nullable=False),
    Column("delivered_at", UtcDateTime),
    Index(None, "next_at"),
    Index(None, "created_at"),
)
"""Calls back to be made. `next_at` null: delivered, or given up (then `delivered_at` is null too).
`body` null: the diagnosis `subject`, read when it is sent."""

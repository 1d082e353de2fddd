"""The fleet's tables: its boxes as last seen, a row a box and day, and the sweeps themselves.

Powers are hundredths of a dBm, times milliseconds of Unix time: 100,000 boxes a day are 5 MB.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    UniqueConstraint,
)

from cpe.store.columns import NUMBER, PACKED_JSON, PlainText, UtcDateTime
from cpe.store.tables import metadata

fleet_boxes: Final = Table(
    "fleet_boxes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", PlainText, nullable=False),
    Column("acs_id", PlainText, index=True),
    Column("serial", PlainText, index=True),
    Column("gpon_serial", PlainText, index=True),
    Column("model", PlainText),
    Column("firmware", PlainText),
    Column("firmware_since", BigInteger),
    Column("firmware_before", PlainText),
    Column("olt", PlainText),
    Column("pon", PlainText),
    Column("ont", PlainText),
    Column("placed_at", BigInteger),
    Column("state", PlainText),
    Column("in_acs", Boolean, nullable=False),
    Column("on_olt", Boolean, nullable=False),
    Column("last_inform", BigInteger),
    Column("last_boot", BigInteger),
    Column("rx_cdbm", SmallInteger),
    Column("rx_at", BigInteger),
    Column("olt_rx_cdbm", SmallInteger),
    Column("delta_cdb", SmallInteger),
    Column("verdict", PlainText, nullable=False),
    Column("score", NUMBER, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    UniqueConstraint("key"),
    Index(None, "olt", "pon"),
    Index(None, "score"),
    sqlite_autoincrement=True,
)
"""`placed_at` is when a sweep first met it on this PON, null as long as it was met on no other.
`key` is `acs:<ACS id>`, or `olt:<GPON serial>` for what only an OLT shows. Ids are never used
again: the days of a box that is gone must not become another's."""

fleet_days: Final = Table(
    "fleet_days",
    metadata,
    Column("day", Integer, primary_key=True),
    Column("box", Integer, primary_key=True),
    Column("rx_cdbm", SmallInteger),
    Column("rx_at", BigInteger),
    Column("ont_rx_cdbm", SmallInteger),
    Column("olt_rx_cdbm", SmallInteger),
    Column("walked_at", BigInteger),
    Column("down_at", BigInteger),
    Column("boot_at", BigInteger),
    Column("verdict", SmallInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""`day` counts days of Unix time. `rx_cdbm` is null on a day without a new reading."""

fleet_weeks: Final = Table(
    "fleet_weeks",
    metadata,
    Column("week", Integer, primary_key=True),
    Column("box", Integer, primary_key=True),
    Column("rx_cdbm", SmallInteger),
    Column("olt_rx_cdbm", SmallInteger),
    Column("readings", SmallInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Means of seven days, by the first of them; what is left of `fleet_days` after some weeks."""

fleet_sweeps: Final = Table(
    "fleet_sweeps",
    metadata,
    Column("id", PlainText, primary_key=True),
    Column("started_at", UtcDateTime, nullable=False, index=True),
    Column("finished_at", UtcDateTime),
    Column("state", PlainText, nullable=False),
    Column("ruleset", PlainText, nullable=False),
    Column("flow_run_id", PlainText),
    Column("requested_by", PlainText, nullable=False),
    Column("owner", PlainText, nullable=False),
    Column("beat_at", UtcDateTime, nullable=False),
    Column("coverage", PACKED_JSON, nullable=False),
    Column("summary", PACKED_JSON, nullable=False),
)

fleet_parts: Final = Table(
    "fleet_parts",
    metadata,
    Column("sweep", PlainText, primary_key=True),
    Column("kind", PlainText, primary_key=True),
    Column("name", PlainText, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("rows", Integer, nullable=False),
    Column("whole", Boolean, nullable=False),
    Column("last_key", PlainText, nullable=False),
    Column("detail", PlainText, nullable=False),
    Column("data_1", LargeBinary),
    Column("data_2", LargeBinary),
    Column("data_3", LargeBinary),
)
"""What a running sweep has read, as Parquet, so that another process can go on."""

"""The tables as the code uses them; `migrations/` makes them (a test holds the two together).

`diagnoses` keeps everything needed to replay; `measurements` and `findings` are projections of it
for questions across diagnoses.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    UniqueConstraint,
    text,
)

from cpe.store.columns import NUMBER, PACKED_JSON, PlainText, UtcDateTime

metadata: Final = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

diagnoses: Final = Table(
    "diagnoses",
    metadata,
    Column("id", PlainText, primary_key=True),
    Column("serial", PlainText, nullable=False),
    Column("asked", PlainText, nullable=False),
    Column("acs_id", PlainText),
    Column("gpon_serial", PlainText),
    Column("model", PlainText),
    Column("firmware", PlainText),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime, nullable=False),
    Column("duration_ms", BigInteger, nullable=False),
    Column("verdict_code", PlainText, nullable=False),
    Column("verdict_status", PlainText, nullable=False),
    Column("rx_dbm", NUMBER),
    Column("freshness_outcome", PlainText),
    Column("requested_by", PlainText, nullable=False),
    Column("ruleset", PlainText, nullable=False),
    Column("flow_run_id", PlainText),
    Column("snapshot", PACKED_JSON, nullable=False),
    Column("findings", PACKED_JSON, nullable=False),
    Column("verdict", PACKED_JSON, nullable=False),
    Column("document", PACKED_JSON, nullable=False),
    Index(None, "serial", "requested_at"),
    Index(None, "asked", "requested_at"),
    Index(None, "acs_id", "requested_at"),
    Index(None, "gpon_serial", "requested_at"),
    Index(None, "requested_at"),
)
"""`serial` is the box's own when known, else `asked`, which is what the person typed."""

measurements: Final = Table(
    "measurements",
    metadata,
    Column(
        "diagnosis_id",
        PlainText,
        ForeignKey("diagnoses.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("position", Integer, primary_key=True),
    Column("name", PlainText, nullable=False),
    Column("subject", PlainText, nullable=False),
    Column("value_num", NUMBER),
    Column("value_text", PlainText),
    Column("unit", PlainText),
    Column("quality", PlainText, nullable=False),
    Column("source", PlainText, nullable=False),
    Column("measured_at", UtcDateTime),
)
"""`value_num` holds numbers, `value_text` text and `true`/`false`; both null: no value."""

findings: Final = Table(
    "findings",
    metadata,
    Column(
        "diagnosis_id",
        PlainText,
        ForeignKey("diagnoses.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("position", Integer, primary_key=True),
    Column("rule", PlainText, nullable=False),
    Column("status", PlainText, nullable=False),
    Column("cause", PlainText),
)

identities: Final = Table(
    "identities",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("tr069_serial", PlainText, index=True),
    Column("acs_id", PlainText),
    Column("gpon_serial", PlainText, index=True),
    Column("mac", PlainText, index=True),
    Column("olt", PlainText),
    Column("pon", PlainText),
    Column("ont", PlainText),
    Column("ont_index", PlainText),
    Column("equipment", PlainText),
    Column("model", PlainText),
    Column("first_seen", UtcDateTime, nullable=False),
    Column("last_seen", UtcDateTime, nullable=False),
    Column("source", PlainText, nullable=False),
    UniqueConstraint("acs_id"),
    Index(
        "uq_identities_gpon_serial_without_acs",
        "gpon_serial",
        unique=True,
        sqlite_where=text("acs_id IS NULL"),
        postgresql_where=text("acs_id IS NULL"),
    ),
)
"""One row per box the ACS knows, and one per GPON serial that only OLTs know."""

ont_index: Final = Table(
    "ont_index",
    metadata,
    Column("olt", PlainText, primary_key=True),
    Column("gpon_serial", PlainText, primary_key=True),
    Column("ont_index", PlainText, primary_key=True),
    Column("seen_at", UtcDateTime, nullable=False),
    Index(None, "gpon_serial"),
)

boots: Final = Table(
    "boots",
    metadata,
    Column("box", PlainText, primary_key=True),
    Column("booted_at", UtcDateTime, primary_key=True),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("firmware", PlainText),
)
"""`box` is the ACS id, else the serial."""

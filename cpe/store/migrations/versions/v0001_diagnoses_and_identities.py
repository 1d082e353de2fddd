"""Diagnoses, what they measured and found, who the boxes are, where their ONTs are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from cpe.store.columns import NUMBER, PACKED_JSON, PlainText, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _diagnoses()
    _projections()
    _identities()
    op.create_table(
        "ont_index",
        sa.Column("olt", PlainText, nullable=False),
        sa.Column("gpon_serial", PlainText, nullable=False),
        sa.Column("ont_index", PlainText, nullable=False),
        sa.Column("seen_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("olt", "gpon_serial", "ont_index", name="pk_ont_index"),
    )
    op.create_index("ix_ont_index_gpon_serial", "ont_index", ["gpon_serial"])
    op.create_table(
        "boots",
        sa.Column("box", PlainText, nullable=False),
        sa.Column("booted_at", UtcDateTime, nullable=False),
        sa.Column("seen_at", UtcDateTime, nullable=False),
        sa.Column("firmware", PlainText),
        sa.PrimaryKeyConstraint("box", "booted_at", name="pk_boots"),
    )


def downgrade() -> None:
    for table in ("boots", "ont_index", "identities", "findings", "measurements", "diagnoses"):
        op.drop_table(table)


def _diagnoses() -> None:
    op.create_table(
        "diagnoses",
        sa.Column("id", PlainText, nullable=False),
        sa.Column("serial", PlainText, nullable=False),
        sa.Column("asked", PlainText, nullable=False),
        sa.Column("acs_id", PlainText),
        sa.Column("gpon_serial", PlainText),
        sa.Column("model", PlainText),
        sa.Column("firmware", PlainText),
        sa.Column("requested_at", UtcDateTime, nullable=False),
        sa.Column("finished_at", UtcDateTime, nullable=False),
        sa.Column("duration_ms", sa.BigInteger, nullable=False),
        sa.Column("verdict_code", PlainText, nullable=False),
        sa.Column("verdict_status", PlainText, nullable=False),
        sa.Column("rx_dbm", NUMBER),
        sa.Column("freshness_outcome", PlainText),
        sa.Column("requested_by", PlainText, nullable=False),
        sa.Column("ruleset", PlainText, nullable=False),
        sa.Column("flow_run_id", PlainText),
        sa.Column("snapshot", PACKED_JSON, nullable=False),
        sa.Column("findings", PACKED_JSON, nullable=False),
        sa.Column("verdict", PACKED_JSON, nullable=False),
        sa.Column("document", PACKED_JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_diagnoses"),
    )
    for column in ("serial", "asked", "acs_id", "gpon_serial"):
        name = f"ix_diagnoses_{column}_requested_at"
        op.create_index(name, "diagnoses", [column, "requested_at"])
    op.create_index("ix_diagnoses_requested_at", "diagnoses", ["requested_at"])


def _projections() -> None:
    op.create_table(
        "measurements",
        sa.Column("diagnosis_id", PlainText, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("name", PlainText, nullable=False),
        sa.Column("subject", PlainText, nullable=False),
        sa.Column("value_num", NUMBER),
        sa.Column("value_text", PlainText),
        sa.Column("unit", PlainText),
        sa.Column("quality", PlainText, nullable=False),
        sa.Column("source", PlainText, nullable=False),
        sa.Column("measured_at", UtcDateTime),
        *_part_of_a_diagnosis("measurements"),
    )
    op.create_table(
        "findings",
        sa.Column("diagnosis_id", PlainText, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("rule", PlainText, nullable=False),
        sa.Column("status", PlainText, nullable=False),
        sa.Column("cause", PlainText),
        *_part_of_a_diagnosis("findings"),
    )


def _part_of_a_diagnosis(table: str) -> tuple[sa.Constraint, ...]:
    return (
        sa.PrimaryKeyConstraint("diagnosis_id", "position", name=f"pk_{table}"),
        sa.ForeignKeyConstraint(
            ["diagnosis_id"],
            ["diagnoses.id"],
            name=f"fk_{table}_diagnosis_id",
            ondelete="CASCADE",
        ),
    )


def _identities() -> None:
    op.create_table(
        "identities",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("tr069_serial", PlainText),
        sa.Column("acs_id", PlainText),
        sa.Column("gpon_serial", PlainText),
        sa.Column("mac", PlainText),
        sa.Column("olt", PlainText),
        sa.Column("pon", PlainText),
        sa.Column("ont", PlainText),
        sa.Column("ont_index", PlainText),
        sa.Column("equipment", PlainText),
        sa.Column("model", PlainText),
        sa.Column("first_seen", UtcDateTime, nullable=False),
        sa.Column("last_seen", UtcDateTime, nullable=False),
        sa.Column("source", PlainText, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_identities"),
        sa.UniqueConstraint("acs_id", name="uq_identities_acs_id"),
    )
    for column in ("tr069_serial", "gpon_serial", "mac"):
        op.create_index(f"ix_identities_{column}", "identities", [column])
    only_olts = sa.text("acs_id IS NULL")
    op.create_index(
        "uq_identities_gpon_serial_without_acs",
        "identities",
        ["gpon_serial"],
        unique=True,
        sqlite_where=only_olts,
        postgresql_where=only_olts,
    )

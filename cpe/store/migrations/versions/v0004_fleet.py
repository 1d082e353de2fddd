"""The fleet: boxes as sweeps saw them last, their days and weeks, the sweeps and their parts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from cpe.store.columns import NUMBER, PACKED_JSON, PlainText, UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _boxes()
    _past()
    op.create_table(
        "fleet_sweeps",
        sa.Column("id", PlainText, nullable=False),
        sa.Column("started_at", UtcDateTime, nullable=False),
        sa.Column("finished_at", UtcDateTime),
        sa.Column("state", PlainText, nullable=False),
        sa.Column("ruleset", PlainText, nullable=False),
        sa.Column("flow_run_id", PlainText),
        sa.Column("requested_by", PlainText, nullable=False),
        sa.Column("owner", PlainText, nullable=False),
        sa.Column("beat_at", UtcDateTime, nullable=False),
        sa.Column("coverage", PACKED_JSON, nullable=False),
        sa.Column("summary", PACKED_JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_fleet_sweeps"),
    )
    op.create_index("ix_fleet_sweeps_started_at", "fleet_sweeps", ["started_at"])
    op.create_table(
        "fleet_parts",
        sa.Column("sweep", PlainText, nullable=False),
        sa.Column("kind", PlainText, nullable=False),
        sa.Column("name", PlainText, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("whole", sa.Boolean, nullable=False),
        sa.Column("last_key", PlainText, nullable=False),
        sa.Column("detail", PlainText, nullable=False),
        sa.Column("data_1", sa.LargeBinary),
        sa.Column("data_2", sa.LargeBinary),
        sa.Column("data_3", sa.LargeBinary),
        sa.PrimaryKeyConstraint("sweep", "kind", "name", "position", name="pk_fleet_parts"),
    )


def downgrade() -> None:
    for table in ("fleet_parts", "fleet_sweeps", "fleet_weeks", "fleet_days", "fleet_boxes"):
        op.drop_table(table)


def _boxes() -> None:
    op.create_table(
        "fleet_boxes",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("key", PlainText, nullable=False),
        sa.Column("acs_id", PlainText),
        sa.Column("serial", PlainText),
        sa.Column("gpon_serial", PlainText),
        sa.Column("model", PlainText),
        sa.Column("firmware", PlainText),
        sa.Column("firmware_since", sa.BigInteger),
        sa.Column("firmware_before", PlainText),
        sa.Column("olt", PlainText),
        sa.Column("pon", PlainText),
        sa.Column("ont", PlainText),
        sa.Column("state", PlainText),
        sa.Column("in_acs", sa.Boolean, nullable=False),
        sa.Column("on_olt", sa.Boolean, nullable=False),
        sa.Column("last_inform", sa.BigInteger),
        sa.Column("last_boot", sa.BigInteger),
        sa.Column("rx_cdbm", sa.SmallInteger),
        sa.Column("rx_at", sa.BigInteger),
        sa.Column("olt_rx_cdbm", sa.SmallInteger),
        sa.Column("delta_cdb", sa.SmallInteger),
        sa.Column("verdict", PlainText, nullable=False),
        sa.Column("score", NUMBER, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_fleet_boxes"),
        sa.UniqueConstraint("key", name="uq_fleet_boxes_key"),
        sqlite_autoincrement=True,
    )
    for column in ("acs_id", "serial", "gpon_serial", "score"):
        op.create_index(f"ix_fleet_boxes_{column}", "fleet_boxes", [column])
    op.create_index("ix_fleet_boxes_olt_pon", "fleet_boxes", ["olt", "pon"])


def _past() -> None:
    op.create_table(
        "fleet_days",
        sa.Column("day", sa.Integer, nullable=False),
        sa.Column("box", sa.Integer, nullable=False),
        sa.Column("rx_cdbm", sa.SmallInteger),
        sa.Column("rx_at", sa.BigInteger),
        sa.Column("ont_rx_cdbm", sa.SmallInteger),
        sa.Column("olt_rx_cdbm", sa.SmallInteger),
        sa.Column("walked_at", sa.BigInteger),
        sa.Column("down_at", sa.BigInteger),
        sa.Column("boot_at", sa.BigInteger),
        sa.Column("verdict", sa.SmallInteger, nullable=False),
        sa.PrimaryKeyConstraint("day", "box", name="pk_fleet_days"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "fleet_weeks",
        sa.Column("week", sa.Integer, nullable=False),
        sa.Column("box", sa.Integer, nullable=False),
        sa.Column("rx_cdbm", sa.SmallInteger),
        sa.Column("olt_rx_cdbm", sa.SmallInteger),
        sa.Column("readings", sa.SmallInteger, nullable=False),
        sa.PrimaryKeyConstraint("week", "box", name="pk_fleet_weeks"),
        sqlite_with_rowid=False,
    )

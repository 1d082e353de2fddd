"""What the hub keeps: questions in flight, who asked, the steps of a run, calls back to make."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from cpe.store.columns import PACKED_JSON, PlainText, UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "hub_flights",
        sa.Column("question", PlainText, nullable=False),
        sa.Column("ticket", PlainText, nullable=False),
        sa.Column("run_id", PlainText),
        sa.Column("opened_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("question", name="pk_hub_flights"),
    )
    op.create_table(
        "hub_asks",
        sa.Column("id", PlainText, nullable=False),
        sa.Column("run_id", PlainText, nullable=False),
        sa.Column("serial", PlainText, nullable=False),
        sa.Column("requested_by", PlainText, nullable=False),
        sa.Column("token", PlainText, nullable=False),
        sa.Column("asked_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_hub_asks"),
    )
    op.create_index("ix_hub_asks_run_id", "hub_asks", ["run_id"])
    op.create_index("ix_hub_asks_asked_at", "hub_asks", ["asked_at"])
    op.create_table(
        "hub_steps",
        sa.Column("run_id", PlainText, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("step", PlainText, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "at_us", name="pk_hub_steps"),
    )
    op.create_index("ix_hub_steps_at_us", "hub_steps", ["at_us"])
    op.create_table(
        "hub_outbox",
        sa.Column("id", PlainText, nullable=False),
        sa.Column("kind", PlainText, nullable=False),
        sa.Column("subject", PlainText, nullable=False),
        sa.Column("body", PACKED_JSON),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("next_at", UtcDateTime),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("last_error", PlainText, nullable=False),
        sa.Column("delivered_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_hub_outbox"),
    )
    op.create_index("ix_hub_outbox_next_at", "hub_outbox", ["next_at"])
    op.create_index("ix_hub_outbox_created_at", "hub_outbox", ["created_at"])


def downgrade() -> None:
    for table in ("hub_outbox", "hub_steps", "hub_asks", "hub_flights"):
        op.drop_table(table)

"""Swaps: their cases, the units they hold, what they did, how they moved, their follow-ups."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from cpe.store.columns import PACKED_JSON, PlainText, UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _swaps()
    op.create_table(
        "swap_units",
        sa.Column("equipment", PlainText, nullable=False),
        sa.Column("swap_id", PlainText, nullable=False),
        sa.PrimaryKeyConstraint("equipment", name="pk_swap_units"),
        _of_a_swap("swap_units"),
    )
    op.create_index("ix_swap_units_swap_id", "swap_units", ["swap_id"])
    op.create_table(
        "swap_steps",
        sa.Column("swap_id", PlainText, nullable=False),
        sa.Column("step", PlainText, nullable=False),
        sa.Column("actor", PlainText, nullable=False),
        sa.Column("intended_at", UtcDateTime, nullable=False),
        sa.Column("at", UtcDateTime),
        sa.Column("changed", sa.Boolean),
        sa.Column("before", PACKED_JSON, nullable=False),
        sa.Column("after", PACKED_JSON),
        sa.PrimaryKeyConstraint("swap_id", "step", name="pk_swap_steps"),
        _of_a_swap("swap_steps"),
    )
    _transitions()
    _follow_ups()


def downgrade() -> None:
    for table in ("swap_follow_ups", "swap_transitions", "swap_steps", "swap_units", "swaps"):
        op.drop_table(table)


def _of_a_swap(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["swap_id"], ["swaps.id"], name=f"fk_{table}_swap_id", ondelete="CASCADE"
    )


def _swaps() -> None:
    op.create_table(
        "swaps",
        sa.Column("id", PlainText, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("kind", PlainText, nullable=False),
        sa.Column("state", PlainText, nullable=False),
        sa.Column("outcome", PlainText),
        sa.Column("old_serial", PlainText, nullable=False),
        sa.Column("new_serial", PlainText, nullable=False),
        sa.Column("verdict", PlainText),
        sa.Column("requested_by", PlainText, nullable=False),
        sa.Column("opened_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.Column("closed_at", UtcDateTime),
        sa.Column("deadline", UtcDateTime),
        sa.Column("flow_run_id", PlainText),
        sa.Column("driver", PlainText),
        sa.Column("driver_until", UtcDateTime),
        sa.Column("body", PACKED_JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_swaps"),
    )
    for column in ("state", "old_serial", "new_serial"):
        op.create_index(f"ix_swaps_{column}_opened_at", "swaps", [column, "opened_at"])
    op.create_index("ix_swaps_opened_at", "swaps", ["opened_at"])


def _transitions() -> None:
    op.create_table(
        "swap_transitions",
        sa.Column("swap_id", PlainText, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("event", PlainText, nullable=False),
        sa.Column("was", PlainText, nullable=False),
        sa.Column("became", PlainText, nullable=False),
        sa.Column("actor", PlainText, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("detail", PlainText, nullable=False),
        sa.PrimaryKeyConstraint("swap_id", "number", name="pk_swap_transitions"),
        _of_a_swap("swap_transitions"),
    )


def _follow_ups() -> None:
    op.create_table(
        "swap_follow_ups",
        sa.Column("swap_id", PlainText, nullable=False),
        sa.Column("name", PlainText, nullable=False),
        sa.Column("due_at", UtcDateTime, nullable=False),
        sa.Column("done_at", UtcDateTime),
        sa.Column("diagnosis_id", PlainText),
        sa.Column("verdict", PlainText),
        sa.Column("says", PlainText),
        sa.Column("why", PlainText, nullable=False),
        sa.Column("flow_run_id", PlainText),
        sa.PrimaryKeyConstraint("swap_id", "name", name="pk_swap_follow_ups"),
        _of_a_swap("swap_follow_ups"),
    )
    op.create_index("ix_swap_follow_ups_done_at_due_at", "swap_follow_ups", ["done_at", "due_at"])

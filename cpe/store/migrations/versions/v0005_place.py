"""Since when a box hangs where it does: readings of another PON are no baseline."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("fleet_boxes", sa.Column("placed_at", sa.BigInteger))


def downgrade() -> None:
    op.drop_column("fleet_boxes", "placed_at")

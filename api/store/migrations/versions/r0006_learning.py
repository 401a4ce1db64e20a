"""Results of a candidate release in shadow."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of shadow results."""
    op.create_table(
        "shadow_results",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("note_id", sa.Integer, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("version", sa.String(200), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("made", sa.DateTime(timezone=True), nullable=False),
        sa.Column("codes", sa.JSON),
        sa.CheckConstraint("state IN ('scored', 'dropped', 'failed')", name=op.f("ck_shadow_results_state")),
        sa.ForeignKeyConstraint(["note_id"], ["notes.id"], name="fk_shadow_results_note_id_notes"),
        sa.PrimaryKeyConstraint("id", name="pk_shadow_results"),
        sa.UniqueConstraint("sha256", "note_id", name="uq_shadow_results_sha256_note_id"),
    )

"""Notes, suggestions, reviews, decisions, overrides and the audit trail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables, and the head of an audit trail without records."""
    op.create_table(
        "notes",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("setting", sa.String(20), nullable=False),
        sa.Column("date_of_service", sa.Date, nullable=False),
        sa.Column("specialty", sa.String(200)),
        sa.Column("record", sa.JSON, nullable=False),
        sa.Column("received", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notes"),
    )
    op.create_index("ix_notes_date_of_service", "notes", ["date_of_service"])
    op.create_table(
        "suggestions",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("note_id", sa.Integer, nullable=False),
        sa.Column("made", TIME, nullable=False),
        sa.Column("model", sa.JSON, nullable=False),
        sa.Column("terminology", sa.JSON, nullable=False),
        sa.Column("result", sa.JSON, nullable=False),
        sa.ForeignKeyConstraint(["note_id"], ["notes.id"], name="fk_suggestions_note_id_notes"),
        sa.PrimaryKeyConstraint("id", name="pk_suggestions"),
    )
    op.create_index("ix_suggestions_note_id", "suggestions", ["note_id"])
    op.create_table(
        "reviews",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("note_id", sa.Integer, nullable=False),
        sa.Column("suggestions_id", sa.Integer, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("holder", sa.String(200)),
        sa.Column("lock_until", TIME),
        sa.Column("hold_reason", sa.Text),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("submitted_by", sa.String(200)),
        sa.Column("submitted_at", TIME),
        sa.CheckConstraint("state IN ('waiting', 'open', 'held', 'submitted')", name=op.f("ck_reviews_state")),
        sa.ForeignKeyConstraint(["note_id"], ["notes.id"], name="fk_reviews_note_id_notes"),
        sa.ForeignKeyConstraint(["suggestions_id"], ["suggestions.id"], name="fk_reviews_suggestions_id_suggestions"),
        sa.PrimaryKeyConstraint("id", name="pk_reviews"),
        sa.UniqueConstraint("note_id", name="uq_reviews_note_id"),
    )
    op.create_index("ix_reviews_state_id", "reviews", ["state", "id"])
    op.create_table(
        "decisions",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("review_id", sa.Integer, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("supersedes", sa.Integer),
        sa.Column("user_name", sa.String(200), nullable=False),
        sa.Column("time", TIME, nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
        sa.ForeignKeyConstraint(["review_id"], ["reviews.id"], name="fk_decisions_review_id_reviews"),
        sa.PrimaryKeyConstraint("id", name="pk_decisions"),
        sa.UniqueConstraint("review_id", "number", name="uq_decisions_review_id_number"),
    )
    op.create_table(
        "overrides",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("review_id", sa.Integer, nullable=False),
        sa.Column("rule", sa.String(100), nullable=False),
        sa.Column("codes", sa.JSON, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("user_name", sa.String(200), nullable=False),
        sa.Column("time", TIME, nullable=False),
        sa.ForeignKeyConstraint(["review_id"], ["reviews.id"], name="fk_overrides_review_id_reviews"),
        sa.PrimaryKeyConstraint("id", name="pk_overrides"),
    )
    op.create_index("ix_overrides_review_id", "overrides", ["review_id"])
    op.create_table(
        "audit",
        sa.Column("number", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("time", TIME, nullable=False),
        sa.Column("user_name", sa.String(200), nullable=False),
        sa.Column("action", sa.String(20), nullable=False),
        sa.Column("subject", sa.String(100), nullable=False),
        sa.Column("model", sa.JSON, nullable=False),
        sa.Column("terminology", sa.JSON, nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit"),
    )
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
    )
    op.bulk_insert(head, [{"id": 1, "number": 0, "hash": "0" * 64}])

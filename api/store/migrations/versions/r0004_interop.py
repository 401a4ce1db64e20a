"""Used tokens, access tokens, launches, documents in review, cards and their feedback."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "used_tokens",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("expires", TIME, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_used_tokens"),
    )
    op.create_index("ix_used_tokens_expires", "used_tokens", ["expires"])
    op.create_table(
        "access_tokens",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("client", sa.String(200), nullable=False),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("expires", TIME, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_access_tokens"),
    )
    op.create_index("ix_access_tokens_expires", "access_tokens", ["expires"])
    op.create_table(
        "launches",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("issuer", sa.String(500), nullable=False),
        sa.Column("token_endpoint", sa.String(500), nullable=False),
        sa.Column("redirect_uri", sa.String(500), nullable=False),
        sa.Column("verifier", sa.String(128), nullable=False),
        sa.Column("expires", TIME, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_launches"),
    )
    op.create_table(
        "review_sources",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("review_id", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["review_id"], ["reviews.id"], name="fk_review_sources_review_id_reviews"),
        sa.PrimaryKeyConstraint("digest", name="pk_review_sources"),
    )
    _upgrade_cards()


def _upgrade_cards() -> None:
    op.create_table(
        "cds_cards",
        sa.Column("uuid", sa.String(36), nullable=False),
        sa.Column("service", sa.String(100), nullable=False),
        sa.Column("review_id", sa.Integer),
        sa.Column("suggestions", sa.JSON, nullable=False),
        sa.Column("made", TIME, nullable=False),
        sa.ForeignKeyConstraint(["review_id"], ["reviews.id"], name="fk_cds_cards_review_id_reviews"),
        sa.PrimaryKeyConstraint("uuid", name="pk_cds_cards"),
    )
    op.create_table(
        "cds_feedback",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("card", sa.String(36), nullable=False),
        sa.Column("service", sa.String(100), nullable=False),
        sa.Column("review_id", sa.Integer),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("codes", sa.JSON, nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
        sa.Column("user_name", sa.String(200), nullable=False),
        sa.Column("time", TIME, nullable=False),
        sa.Column("received", TIME, nullable=False),
        sa.ForeignKeyConstraint(["review_id"], ["reviews.id"], name="fk_cds_feedback_review_id_reviews"),
        sa.PrimaryKeyConstraint("id", name="pk_cds_feedback"),
    )
    op.create_index("ix_cds_feedback_review_id", "cds_feedback", ["review_id"])

"""HL7 messages, idempotency keys, events with their deliveries, and reviews that are closed without codes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
WAS = "state IN ('waiting', 'open', 'held', 'submitted')"
IS = "state IN ('waiting', 'open', 'held', 'submitted', 'closed')"


def upgrade() -> None:
    """Make the tables, and allow the state ``closed``."""
    _allow_closed()
    _make_messages()
    op.create_table(
        "idempotency_keys",
        sa.Column("user_name", sa.String(200), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("claim", sa.String(36), nullable=False),
        sa.Column("expires", TIME, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("media_type", sa.String(100)),
        sa.Column("body", sa.LargeBinary),
        sa.PrimaryKeyConstraint("user_name", "key", name="pk_idempotency_keys"),
    )
    op.create_index("ix_idempotency_keys_expires", "idempotency_keys", ["expires"])
    _make_events()


def _allow_closed() -> None:
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        op.drop_constraint(op.f("ck_reviews_state"), "reviews", type_="check")
        op.create_check_constraint(op.f("ck_reviews_state"), "reviews", IS)
        return
    # SQLite's own way to change a CHECK (sqlite.org/lang_altertable.html, section 7): the table, which decisions
    # refer to, stays as it is, and only its definition is written anew
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    connection.exec_driver_sql(
        "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = 'reviews'", (WAS, IS)
    )
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")


def _make_messages() -> None:
    op.create_table(
        "hl7_messages",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("identity", sa.String(64)),
        sa.Column("control_id", sa.String(200), nullable=False),
        sa.Column("event", sa.String(20), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("received", TIME, nullable=False),
        sa.Column("user_name", sa.String(200), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("document_key", sa.String(64)),
        sa.Column("document_id", sa.String(200)),
        sa.Column("originated", TIME),
        sa.Column("completion", sa.String(10)),
        sa.Column("text_digest", sa.String(64)),
        sa.Column("note", sa.JSON),
        sa.Column("context", sa.JSON),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("review_id", sa.Integer),
        sa.Column("flag", sa.Text),
        sa.CheckConstraint(
            "state IN ('stored', 'coded', 'unfinished', 'unchanged', 'replaced', 'cancelled', 'cancellation', "
            "'failed', 'refused')",
            name=op.f("ck_hl7_messages_state"),
        ),
        sa.ForeignKeyConstraint(["review_id"], ["reviews.id"], name="fk_hl7_messages_review_id_reviews"),
        sa.PrimaryKeyConstraint("id", name="pk_hl7_messages"),
        sa.UniqueConstraint("identity", name="uq_hl7_messages_identity"),
    )
    op.create_index("ix_hl7_messages_state_id", "hl7_messages", ["state", "id"])
    op.create_index("ix_hl7_messages_document_key", "hl7_messages", ["document_key"])
    op.create_index("ix_hl7_messages_review_id", "hl7_messages", ["review_id"])


def _make_events() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("events", sa.JSON, nullable=False),
        sa.Column("secret", sa.String(200), nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_webhooks"),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("uid", sa.String(40), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("time", TIME, nullable=False),
        sa.Column("review_id", sa.Integer, nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
        sa.Column("planned", sa.Boolean, nullable=False),
        sa.ForeignKeyConstraint(["review_id"], ["reviews.id"], name="fk_events_review_id_reviews"),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        sa.UniqueConstraint("uid", name="uq_events_uid"),
    )
    op.create_index("ix_events_planned_id", "events", ["planned", "id"])
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("event_id", sa.Integer, nullable=False),
        sa.Column("webhook_id", sa.Integer),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_attempt", TIME, nullable=False),
        sa.Column("delivered", TIME),
        sa.Column("last_error", sa.Text),
        sa.CheckConstraint("state IN ('pending', 'delivered', 'dead')", name=op.f("ck_deliveries_state")),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name="fk_deliveries_event_id_events"),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhooks.id"], name="fk_deliveries_webhook_id_webhooks"),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
    )
    op.create_index("ix_deliveries_state_next_attempt", "deliveries", ["state", "next_attempt"])
    op.create_index("ix_deliveries_webhook_id", "deliveries", ["webhook_id"])

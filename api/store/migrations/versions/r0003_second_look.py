"""What the worklist filters by beside each review, outcomes of suggestions, and second looks."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa
from alembic import op

from api.reviews.coding import coded
from api.reviews.confidence import band_of, confidence
from api.reviews.outcomes import outcomes_of

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
EPOCH = "1970-01-01"


def upgrade() -> None:
    """Add the columns and tables, and fill them from the reviews that are there."""
    _widen_reviews()
    op.create_table(
        "worklist_counts",
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("setting", sa.String(20), nullable=False),
        sa.Column("specialty", sa.String(200), nullable=False),
        sa.Column("band", sa.String(6), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("state", "setting", "specialty", "band", name="pk_worklist_counts"),
    )
    _make_outcomes()
    _make_second_looks()
    _fill()


def _widen_reviews() -> None:
    for column in (
        sa.Column("taken_from", sa.String(200)),
        sa.Column("submitted_on", sa.Date),
        sa.Column("record_id", sa.String(200), nullable=False, server_default=""),
        sa.Column("setting", sa.String(20), nullable=False, server_default="outpatient"),
        sa.Column("specialty", sa.String(200)),
        sa.Column("date_of_service", sa.Date, nullable=False, server_default=EPOCH),
        sa.Column("dated", sa.Boolean, nullable=False, server_default=sa.true()),
        sa.Column("received", TIME, nullable=False, server_default=f"{EPOCH} 00:00:00"),
        sa.Column("confidence", sa.Double, nullable=False, server_default="0"),
        sa.Column("band", sa.String(6), nullable=False, server_default="low"),
        sa.Column("priority", sa.Integer, nullable=False, server_default="5"),
        sa.Column("assigned_to", sa.String(200)),
        sa.Column("seconds", sa.Double, nullable=False, server_default="0"),
        sa.Column("seen_at", TIME),
        sa.Column("lot", sa.Double),
    ):
        op.add_column("reviews", column)
    for name, columns in (
        ("state_priority", ["state", "priority", "id"]),
        ("state_confidence", ["state", "confidence", "id"]),
        ("state_specialty", ["state", "specialty", "id"]),
        ("state_date", ["state", "date_of_service", "id"]),
        ("date", ["date_of_service", "id"]),
        ("holder", ["holder"]),
        ("assigned_to", ["assigned_to", "state", "priority", "id"]),
        ("submitted_by", ["submitted_by", "id"]),
        ("submitted_on", ["submitted_on", "id"]),
        ("lot", ["lot"]),
    ):
        op.create_index(f"ix_reviews_{name}", "reviews", columns)


def _make_outcomes() -> None:
    op.create_table(
        "outcomes",
        sa.Column("review_id", sa.Integer, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("system", sa.String(12), nullable=False),
        sa.Column("code", sa.String(20), nullable=False),
        sa.Column("outcome", sa.String(8), nullable=False),
        sa.Column("suggested", sa.Boolean, nullable=False),
        sa.Column("probability", sa.Double),
        sa.Column("coder", sa.String(200), nullable=False),
        sa.Column("submitted_on", sa.Date, nullable=False),
        sa.Column("setting", sa.String(20), nullable=False),
        sa.Column("specialty", sa.String(200)),
        sa.ForeignKeyConstraint(["review_id"], ["reviews.id"], name="fk_outcomes_review_id_reviews"),
        sa.PrimaryKeyConstraint("review_id", "number", name="pk_outcomes"),
    )
    op.create_index("ix_outcomes_submitted_on", "outcomes", ["submitted_on"])
    op.create_index("ix_outcomes_coder", "outcomes", ["coder", "submitted_on"])


def _make_second_looks() -> None:
    op.create_table(
        "second_looks",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("review_id", sa.Integer, nullable=False),
        sa.Column("coder", sa.String(200), nullable=False),
        sa.Column("auditor", sa.String(200), nullable=False),
        sa.Column("mode", sa.String(5), nullable=False),
        sa.Column("state", sa.String(9), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("opened_at", TIME, nullable=False),
        sa.Column("submitted_at", TIME),
        sa.Column("submitted_on", sa.Date),
        sa.Column("closed_at", TIME),
        sa.Column("agreed", sa.Integer),
        sa.Column("missed", sa.Integer),
        sa.Column("extra", sa.Integer),
        sa.Column("neither", sa.Integer),
        sa.Column("exact", sa.Boolean),
        sa.Column("principal_agreed", sa.Boolean),
        sa.Column("final", sa.JSON),
        sa.CheckConstraint("state IN ('open', 'submitted', 'answered', 'closed')", name=op.f("ck_second_looks_state")),
        sa.CheckConstraint("mode IN ('blind', 'open')", name=op.f("ck_second_looks_mode")),
        sa.ForeignKeyConstraint(["review_id"], ["reviews.id"], name="fk_second_looks_review_id_reviews"),
        sa.PrimaryKeyConstraint("id", name="pk_second_looks"),
        sa.UniqueConstraint("review_id", name="uq_second_looks_review_id"),
    )
    op.create_index("ix_second_looks_state_id", "second_looks", ["state", "id"])
    op.create_index("ix_second_looks_auditor", "second_looks", ["auditor", "state", "id"])
    op.create_index("ix_second_looks_coder", "second_looks", ["coder", "submitted_on"])
    op.create_index("ix_second_looks_submitted_on", "second_looks", ["submitted_on"])
    key = "second_look_id"
    op.create_table(
        "second_look_decisions",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column(key, sa.Integer, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("supersedes", sa.Integer),
        sa.Column("user_name", sa.String(200), nullable=False),
        sa.Column("time", TIME, nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
        sa.ForeignKeyConstraint([key], ["second_looks.id"], name=f"fk_second_look_decisions_{key}_second_looks"),
        sa.PrimaryKeyConstraint("id", name="pk_second_look_decisions"),
        sa.UniqueConstraint(key, "number", name=f"uq_second_look_decisions_{key}_number"),
    )
    op.create_table(
        "differences",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column(key, sa.Integer, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("system", sa.String(12), nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
        sa.Column("verdict", sa.String(8)),
        sa.Column("reason", sa.String(40)),
        sa.Column("text", sa.Text),
        sa.Column("answer", sa.String(8)),
        sa.Column("answer_text", sa.Text),
        sa.Column("answered_at", TIME),
        sa.ForeignKeyConstraint([key], ["second_looks.id"], name=f"fk_differences_{key}_second_looks"),
        sa.PrimaryKeyConstraint("id", name="pk_differences"),
        sa.UniqueConstraint(key, "number", name=f"uq_differences_{key}_number"),
    )
    op.create_table(
        "second_look_codes",
        sa.Column(key, sa.Integer, nullable=False),
        sa.Column("system", sa.String(12), nullable=False),
        sa.Column("code", sa.String(20), nullable=False),
        sa.Column("by_coder", sa.Boolean, nullable=False),
        sa.Column("by_auditor", sa.Boolean, nullable=False),
        sa.ForeignKeyConstraint([key], ["second_looks.id"], name=f"fk_second_look_codes_{key}_second_looks"),
        sa.PrimaryKeyConstraint(key, "system", "code", name="pk_second_look_codes"),
    )


def _fill() -> None:
    """What the service writes at a note's arrival and at its submission, once more from what is kept of both."""
    connection = op.get_bind()
    reviews, counts, outcomes = _table("reviews"), _table("worklist_counts"), _table("outcomes")
    numbers: Counter[tuple[str, str, str, str]] = Counter()
    for row in connection.execute(sa.text(_KEPT).columns(**_KEPT_TYPES)).all():
        value = confidence(row.result["suggestions"])
        submitted_on = None if row.submitted_at is None else row.submitted_at.date()
        values = {
            "record_id": row.record["id"],
            "setting": row.setting,
            "specialty": row.specialty,
            "date_of_service": row.date_of_service,
            "received": row.received,
            "confidence": value,
            "band": band_of(value),
            "submitted_on": submitted_on,
            "lot": None if submitted_on is None else random.random(),
        }
        connection.execute(reviews.update().where(reviews.c.id == row.id).values(**values))
        numbers[row.state, row.setting, row.specialty or "", band_of(value)] += 1
        if submitted_on is not None:
            facts = {
                "review_id": row.id,
                "coder": row.submitted_by,
                "submitted_on": submitted_on,
                "setting": row.setting,
                "specialty": row.specialty,
            }
            kept = connection.execute(sa.text(_DECIDED).columns(details=sa.JSON), {"review": row.id}).all()
            found = outcomes_of(row.result, coded(row.result, kept))
            if found:
                connection.execute(outcomes.insert(), [{**facts, **asdict(o)} for o in found])
    names = ("state", "setting", "specialty", "band")
    if numbers:
        rows = [{**dict(zip(names, key, strict=True)), "number": n} for key, n in numbers.items()]
        connection.execute(counts.insert(), rows)


def _table(name: str) -> sa.Table:
    return sa.Table(name, sa.MetaData(), autoload_with=op.get_bind(), resolve_fks=False)


_KEPT = """
    SELECT r.id, r.state, r.submitted_by, r.submitted_at, n.setting, n.specialty, n.date_of_service, n.received,
           n.record, s.result
    FROM reviews r JOIN notes n ON n.id = r.note_id JOIN suggestions s ON s.id = r.suggestions_id ORDER BY r.id
"""
_KEPT_TYPES: dict[str, Any] = {
    "submitted_at": TIME,
    "date_of_service": sa.Date,
    "received": TIME,
    "record": sa.JSON,
    "result": sa.JSON,
}
_DECIDED = "SELECT number, kind, details FROM decisions WHERE review_id = :review ORDER BY number"

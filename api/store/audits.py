"""Second looks: an auditor's own coding of a submitted review, and what came of the comparison.

Not to be confused with the audit trail, :mod:`api.store.audit`.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal, Self, get_args

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from api.store.base import Base
from api.store.reviews import ReviewRow

AuditState = Literal["open", "submitted", "answered", "closed", "abandoned"]
AUDIT_STATES: tuple[AuditState, ...] = get_args(AuditState)
Mode = Literal["blind", "open"]
DifferenceKind = Literal["missed", "extra", "different", "sequence", "poa", "modifiers", "units"]
Verdict = Literal["coder", "auditor", "both"]
Answer = Literal["agree", "rebut"]


class SecondLookDecisionRow(Base):
    """One decision of the auditor, as :class:`api.store.decisions.DecisionRow` is one of the coder."""

    __tablename__ = "second_look_decisions"
    __table_args__ = (UniqueConstraint("second_look_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    second_look_id: Mapped[int] = mapped_column(ForeignKey("second_looks.id"))
    number: Mapped[int]
    kind: Mapped[str] = mapped_column(String(20))
    supersedes: Mapped[int | None]
    user_name: Mapped[str] = mapped_column(String(200))
    time: Mapped[datetime]
    details: Mapped[dict[str, Any]]


class DifferenceRow(Base):
    """One difference between the coder's and the auditor's codes, with what both say of it."""

    __tablename__ = "differences"
    __table_args__ = (UniqueConstraint("second_look_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    second_look_id: Mapped[int] = mapped_column(ForeignKey("second_looks.id"))
    number: Mapped[int]
    kind: Mapped[DifferenceKind] = mapped_column(String(10))
    system: Mapped[str] = mapped_column(String(12))
    details: Mapped[dict[str, Any]]
    """``coder`` and ``auditor``: the code of each, or the value that each has beside ``code``."""
    verdict: Mapped[Verdict | None] = mapped_column(String(8))
    reason: Mapped[str | None] = mapped_column(String(40))
    text: Mapped[str | None] = mapped_column(Text)
    answer: Mapped[Answer | None] = mapped_column(String(8))
    answer_text: Mapped[str | None] = mapped_column(Text)
    answered_at: Mapped[datetime | None]


class SecondLookRow(Base):
    """A second look at a review: at most one each, besides those that were given up."""

    __tablename__ = "second_looks"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'submitted', 'answered', 'closed', 'abandoned')", name="state"),
        CheckConstraint("mode IN ('blind', 'open')", name="mode"),
        Index(
            "uq_second_looks_review_id",
            "review_id",
            unique=True,
            sqlite_where=text("state <> 'abandoned'"),
            postgresql_where=text("state <> 'abandoned'"),
        ),
        Index(None, "state", "id"),
        Index("ix_second_looks_auditor", "auditor", "state", "id"),
        Index("ix_second_looks_coder", "coder", "submitted_on"),
        Index("ix_second_looks_submitted_on", "submitted_on"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    review_id: Mapped[int] = mapped_column(ForeignKey("reviews.id"))
    coder: Mapped[str] = mapped_column(String(200))
    auditor: Mapped[str] = mapped_column(String(200))
    mode: Mapped[Mode] = mapped_column(String(5))
    state: Mapped[AuditState] = mapped_column(String(9))
    version: Mapped[int]
    opened_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    submitted_on: Mapped[date | None]
    closed_at: Mapped[datetime | None]
    lot: Mapped[float | None]
    """What the review had drawn: it has it again when the second look is given up."""
    agreed: Mapped[int | None]
    missed: Mapped[int | None]
    extra: Mapped[int | None]
    neither: Mapped[int | None]
    exact: Mapped[bool | None]
    principal_agreed: Mapped[bool | None]
    """Null when neither has a diagnosis."""
    final: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True))
    """The adjudicated lines, once it is closed."""

    review: Mapped[ReviewRow] = relationship()
    decisions: Mapped[list[SecondLookDecisionRow]] = relationship(order_by=SecondLookDecisionRow.number)
    differences: Mapped[list[DifferenceRow]] = relationship(order_by=DifferenceRow.number)

    def load(self) -> Self:
        """Read what belongs to the second look now, so that it is there when the transaction is over."""
        self.review.load()
        for name in ("decisions", "differences"):
            getattr(self, name)
        return self


class SecondLookCodeRow(Base):
    """A code of a second look that is submitted, and which of the two chose it: what agreement by code counts."""

    __tablename__ = "second_look_codes"

    second_look_id: Mapped[int] = mapped_column(ForeignKey("second_looks.id"), primary_key=True)
    system: Mapped[str] = mapped_column(String(12), primary_key=True)
    code: Mapped[str] = mapped_column(String(20), primary_key=True)
    by_coder: Mapped[bool]
    by_auditor: Mapped[bool]

"""Reviews: where each note stands on its way to final codes, and who has it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal, Self, get_args

from sqlalchemy import CheckConstraint, Double, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from api.store.base import Base
from api.store.decisions import DecisionRow, OverrideRow
from api.store.interop import FeedbackRow
from api.store.notes import NoteRow, SuggestionsRow

State = Literal["waiting", "open", "held", "submitted", "closed"]
STATES: tuple[State, ...] = get_args(State)
Band = Literal["low", "medium", "high"]
BANDS: tuple[Band, ...] = get_args(Band)
NORMAL = 5
"""The priority of a review that nobody has given another; 1 comes first and 9 last."""


class ReviewRow(Base):
    """One note's review. ``version`` grows with every change, so that a change to what was not seen can be refused.

    What the worklist shows and filters by stands here a second time, so that a page of it reads one table by one index.
    """

    __tablename__ = "reviews"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'open', 'held', 'submitted', 'closed')", name="state"),
        Index(None, "state", "id"),
        Index("ix_reviews_state_priority", "state", "priority", "id"),
        Index("ix_reviews_state_confidence", "state", "confidence", "id"),
        Index("ix_reviews_state_specialty", "state", "specialty", "id"),
        Index("ix_reviews_state_date", "state", "date_of_service", "id"),
        Index("ix_reviews_date", "date_of_service", "id"),
        Index("ix_reviews_holder", "holder"),
        Index("ix_reviews_assigned_to", "assigned_to", "state", "priority", "id"),
        Index("ix_reviews_submitted_by", "submitted_by", "id"),
        Index("ix_reviews_submitted_on", "submitted_on", "id"),
        Index("ix_reviews_lot", "lot"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    note_id: Mapped[int] = mapped_column(ForeignKey("notes.id"), unique=True)
    suggestions_id: Mapped[int] = mapped_column(ForeignKey("suggestions.id"))
    state: Mapped[State] = mapped_column(String(10))
    holder: Mapped[str | None] = mapped_column(String(200))
    """Who has it open, or has put it on hold."""
    taken_from: Mapped[str | None] = mapped_column(String(200))
    """Who had it open before it was taken over."""
    lock_until: Mapped[datetime | None]
    hold_reason: Mapped[str | None] = mapped_column(Text)
    version: Mapped[int]
    submitted_by: Mapped[str | None] = mapped_column(String(200))
    submitted_at: Mapped[datetime | None]
    submitted_on: Mapped[date | None]
    """The day (UTC) of the submission, which reports group by."""

    record_id: Mapped[str] = mapped_column(String(200))
    """The note's own id."""
    setting: Mapped[str] = mapped_column(String(20))
    specialty: Mapped[str | None] = mapped_column(String(200))
    date_of_service: Mapped[date]
    dated: Mapped[bool]
    """Whether the date of service was given; else it is the day on which the note came in."""
    received: Mapped[datetime]
    confidence: Mapped[float] = mapped_column(Double)
    band: Mapped[Band] = mapped_column(String(6))
    priority: Mapped[int]
    assigned_to: Mapped[str | None] = mapped_column(String(200))
    seconds: Mapped[float] = mapped_column(Double)
    """The time that coders have worked at it so far: see ``docs/reviews.md``."""
    seen_at: Mapped[datetime | None]
    """The last moment at which its holder did something."""
    lot: Mapped[float | None] = mapped_column(Double)
    """Drawn from 0 to 1 at submission; null when it is not, or no longer, to be drawn for a second look."""

    note: Mapped[NoteRow] = relationship()
    suggestions: Mapped[SuggestionsRow] = relationship()
    decisions: Mapped[list[DecisionRow]] = relationship(order_by=DecisionRow.number)
    overrides: Mapped[list[OverrideRow]] = relationship(order_by=OverrideRow.id, viewonly=True)
    feedback: Mapped[list[FeedbackRow]] = relationship(order_by=FeedbackRow.id, viewonly=True)

    def load(self) -> Self:
        """Read what belongs to the review now, so that it is there when the transaction is over."""
        for name in ("note", "suggestions", "decisions", "overrides", "feedback"):
            getattr(self, name)
        return self


class WorklistCount(Base):
    """How many reviews are in a state, by what the worklist filters by. Written only while the head of the audit trail
    is locked, so that writers follow one another."""

    __tablename__ = "worklist_counts"

    state: Mapped[State] = mapped_column(String(10), primary_key=True)
    setting: Mapped[str] = mapped_column(String(20), primary_key=True)
    specialty: Mapped[str] = mapped_column(String(200), primary_key=True)
    """Empty for a note without one."""
    band: Mapped[Band] = mapped_column(String(6), primary_key=True)
    number: Mapped[int]

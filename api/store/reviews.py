"""Reviews: where each note stands on its way to final codes, and who has it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Self, get_args

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from api.store.base import Base
from api.store.decisions import DecisionRow
from api.store.notes import NoteRow, SuggestionsRow

State = Literal["waiting", "open", "held", "submitted", "closed"]
STATES: tuple[State, ...] = get_args(State)


class ReviewRow(Base):
    """One note's review. ``version`` grows with every change, so that a change to what was not seen can be refused."""

    __tablename__ = "reviews"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'open', 'held', 'submitted', 'closed')", name="state"),
        Index(None, "state", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    note_id: Mapped[int] = mapped_column(ForeignKey("notes.id"), unique=True)
    suggestions_id: Mapped[int] = mapped_column(ForeignKey("suggestions.id"))
    state: Mapped[State] = mapped_column(String(10))
    holder: Mapped[str | None] = mapped_column(String(200))
    lock_until: Mapped[datetime | None]
    hold_reason: Mapped[str | None] = mapped_column(Text)
    version: Mapped[int]
    submitted_by: Mapped[str | None] = mapped_column(String(200))
    submitted_at: Mapped[datetime | None]

    note: Mapped[NoteRow] = relationship()
    suggestions: Mapped[SuggestionsRow] = relationship()
    decisions: Mapped[list[DecisionRow]] = relationship(order_by=DecisionRow.number)

    def load(self) -> Self:
        """Read what belongs to the review now, so that it is there when the transaction is over."""
        for name in ("note", "suggestions", "decisions"):
            getattr(self, name)
        return self

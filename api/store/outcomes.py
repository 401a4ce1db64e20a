"""What became of each suggestion, and what coders added: one row each, written when a review is submitted."""

from __future__ import annotations

from datetime import date
from typing import Literal

from sqlalchemy import Double, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from api.store.base import Base

Outcome = Literal["accepted", "replaced", "rejected", "ignored", "added"]


class OutcomeRow(Base):
    """``suggested`` is whether the code stood among those proposed (tier ``code``), not only among the candidates."""

    __tablename__ = "outcomes"
    __table_args__ = (Index(None, "submitted_on"), Index("ix_outcomes_coder", "coder", "submitted_on"))

    review_id: Mapped[int] = mapped_column(ForeignKey("reviews.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    system: Mapped[str] = mapped_column(String(12))
    code: Mapped[str] = mapped_column(String(20))
    outcome: Mapped[Outcome] = mapped_column(String(8))
    suggested: Mapped[bool]
    probability: Mapped[float | None] = mapped_column(Double)
    coder: Mapped[str] = mapped_column(String(200))
    submitted_on: Mapped[date]
    setting: Mapped[str] = mapped_column(String(20))
    specialty: Mapped[str | None] = mapped_column(String(200))

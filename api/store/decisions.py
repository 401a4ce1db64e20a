"""What coders decided: rows are added, and never changed or removed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from api.store.base import Base


class DecisionRow(Base):
    """One decision, numbered from 1 within its review.

    An undo is a row that supersedes the decision which it takes back, and a redo one that supersedes the undo.
    """

    __tablename__ = "decisions"
    __table_args__ = (UniqueConstraint("review_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    review_id: Mapped[int] = mapped_column(ForeignKey("reviews.id"))
    number: Mapped[int]
    kind: Mapped[str] = mapped_column(String(20))
    supersedes: Mapped[int | None]
    user_name: Mapped[str] = mapped_column(String(200))
    time: Mapped[datetime]
    details: Mapped[dict[str, Any]]


class OverrideRow(Base):
    """A finding of level error that a coder submitted in spite of, with the reason."""

    __tablename__ = "overrides"
    __table_args__ = (Index(None, "review_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    review_id: Mapped[int] = mapped_column(ForeignKey("reviews.id"))
    rule: Mapped[str] = mapped_column(String(100))
    codes: Mapped[list[str]]
    message: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    user_name: Mapped[str] = mapped_column(String(200))
    time: Mapped[datetime]

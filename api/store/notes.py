"""Notes as received, and the suggestions as made."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from api.store.base import Base


class NoteRow(Base):
    """A note or encounter. ``record`` is the whole of it; the columns beside it are what the worklist filters by."""

    __tablename__ = "notes"
    __table_args__ = (Index(None, "date_of_service"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    setting: Mapped[str] = mapped_column(String(20))
    date_of_service: Mapped[date]
    specialty: Mapped[str | None] = mapped_column(String(200))
    record: Mapped[dict[str, Any]]
    received: Mapped[datetime]


class SuggestionsRow(Base):
    """What the model said of a note, with the releases that it said it by."""

    __tablename__ = "suggestions"
    __table_args__ = (Index(None, "note_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    note_id: Mapped[int] = mapped_column(ForeignKey("notes.id"))
    made: Mapped[datetime]
    model: Mapped[dict[str, Any]]
    terminology: Mapped[dict[str, Any]]
    result: Mapped[dict[str, Any]]

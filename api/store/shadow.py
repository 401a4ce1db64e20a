"""What a candidate release makes of live notes, which nobody is shown."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import JSON, CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from api.store.base import Base

ShadowState = Literal["scored", "dropped", "failed"]


class ShadowRow(Base):
    """One note with one candidate release: scored, dropped because newer notes waited, or failed. ``codes`` are the
    suggestions without evidence, ``None`` unless it was scored."""

    __tablename__ = "shadow_results"
    __table_args__ = (
        UniqueConstraint("sha256", "note_id"),
        CheckConstraint("state IN ('scored', 'dropped', 'failed')", name="state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    note_id: Mapped[int] = mapped_column(ForeignKey("notes.id"))
    sha256: Mapped[str] = mapped_column(String(64))
    version: Mapped[str] = mapped_column(String(200))
    state: Mapped[ShadowState] = mapped_column(String(10))
    made: Mapped[datetime]
    codes: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True))

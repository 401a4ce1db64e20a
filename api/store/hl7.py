"""HL7 version 2 messages as they came in: which were taken, what became of each document, and which were refused."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from api.store.base import Base

MessageState = Literal[
    "stored", "coded", "unfinished", "unchanged", "replaced", "cancelled", "cancellation", "failed", "refused"
]
MESSAGE_STATES: tuple[MessageState, ...] = get_args(MessageState)


class Hl7MessageRow(Base):
    """One message. ``note`` is the note record while it waits to be coded; then the review has it.

    ``identity`` is the sender and control id together, hashed; a refused message has none, so that the sender may mend
    it and send it again. ``digest`` is the SHA-256 of the bytes received.
    """

    __tablename__ = "hl7_messages"
    __table_args__ = (
        CheckConstraint(f"state IN ({', '.join(repr(s) for s in MESSAGE_STATES)})", name="state"),
        Index(None, "state", "id"),
        Index(None, "document_key"),
        Index(None, "review_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    identity: Mapped[str | None] = mapped_column(String(64), unique=True)
    control_id: Mapped[str] = mapped_column(String(200))
    event: Mapped[str] = mapped_column(String(20))
    digest: Mapped[str] = mapped_column(String(64))
    received: Mapped[datetime]
    user_name: Mapped[str] = mapped_column(String(200))
    state: Mapped[MessageState] = mapped_column(String(20))
    reason: Mapped[str | None] = mapped_column(Text)
    document_key: Mapped[str | None] = mapped_column(String(64))
    document_id: Mapped[str | None] = mapped_column(String(200))
    originated: Mapped[datetime | None]
    completion: Mapped[str | None] = mapped_column(String(10))
    text_digest: Mapped[str | None] = mapped_column(String(64))
    note: Mapped[dict[str, Any] | None]
    context: Mapped[dict[str, Any] | None]
    attempts: Mapped[int] = mapped_column(default=0)
    review_id: Mapped[int | None] = mapped_column(ForeignKey("reviews.id"))
    flag: Mapped[str | None] = mapped_column(Text)

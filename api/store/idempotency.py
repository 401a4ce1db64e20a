"""Idempotency keys, and the answers that were given under them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from api.store.base import Base


class IdempotencyRow(Base):
    """One key of one user. ``status`` and ``body`` are the answer; there is none while the first request runs."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index(None, "expires"),)

    user_name: Mapped[str] = mapped_column(String(200), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    claim: Mapped[str] = mapped_column(String(36))
    expires: Mapped[datetime]
    status: Mapped[int | None]
    media_type: Mapped[str | None] = mapped_column(String(100))
    body: Mapped[bytes | None] = mapped_column(LargeBinary)

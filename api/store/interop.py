"""What is kept for EHRs: tokens that were used, access tokens, launches under way, cards that were shown with what
became of them, and which documents are in review already."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from api.store.base import Base


class UsedToken(Base):
    """A token that was taken, by the hash of its issuer and ``jti``: it is not taken again before it expires."""

    __tablename__ = "used_tokens"
    __table_args__ = (Index(None, "expires"),)

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires: Mapped[datetime]


class AccessToken(Base):
    """An access token that was given to a backend service; only its SHA-256 is kept."""

    __tablename__ = "access_tokens"
    __table_args__ = (Index(None, "expires"),)

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    client: Mapped[str] = mapped_column(String(200))
    scopes: Mapped[list[str]]
    expires: Mapped[datetime]


class LaunchRow(Base):
    """A launch between its request and its callback, by the SHA-256 of its state."""

    __tablename__ = "launches"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    issuer: Mapped[str] = mapped_column(String(500))
    token_endpoint: Mapped[str] = mapped_column(String(500))
    redirect_uri: Mapped[str] = mapped_column(String(500))
    verifier: Mapped[str] = mapped_column(String(128))
    expires: Mapped[datetime]


class SourceRow(Base):
    """Documents that are in review, by the hash of their content: who asks twice gets the same review."""

    __tablename__ = "review_sources"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    review_id: Mapped[int] = mapped_column(ForeignKey("reviews.id"))


class CardRow(Base):
    """A card that was shown, and the code behind each of its suggestions by their uuid."""

    __tablename__ = "cds_cards"

    uuid: Mapped[str] = mapped_column(String(36), primary_key=True)
    service: Mapped[str] = mapped_column(String(100))
    review_id: Mapped[int | None] = mapped_column(ForeignKey("reviews.id"))
    suggestions: Mapped[dict[str, Any]]
    made: Mapped[datetime]


class FeedbackRow(Base):
    """What a clinician did with a card: the codes accepted, or those turned down with the reason."""

    __tablename__ = "cds_feedback"
    __table_args__ = (Index(None, "review_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    card: Mapped[str] = mapped_column(String(36))
    service: Mapped[str] = mapped_column(String(100))
    review_id: Mapped[int | None] = mapped_column(ForeignKey("reviews.id"))
    outcome: Mapped[str] = mapped_column(String(20))
    codes: Mapped[list[dict[str, Any]]]
    details: Mapped[dict[str, Any]]
    user_name: Mapped[str] = mapped_column(String(200))
    time: Mapped[datetime]
    received: Mapped[datetime]

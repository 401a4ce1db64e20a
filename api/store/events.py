"""What happened that others want to know: events, who is told, and each delivery."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, get_args
from uuid import uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from api.store.base import Base, now

Event = Literal["review.submitted", "audit.closed"]
EVENTS: tuple[Event, ...] = get_args(Event)
DeliveryState = Literal["pending", "delivered", "dead"]
DELIVERY_STATES: tuple[DeliveryState, ...] = get_args(DeliveryState)


class WebhookRow(Base):
    """An address that is told of events. ``secret`` signs what is sent there; one that is deleted stays, inactive."""

    __tablename__ = "webhooks"

    id: Mapped[int] = mapped_column(primary_key=True)
    url: Mapped[str] = mapped_column(Text)
    events: Mapped[list[str]]
    secret: Mapped[str] = mapped_column(String(200))
    active: Mapped[bool]
    deleted: Mapped[bool] = mapped_column(default=False)
    created: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(200))


class EventRow(Base):
    """Something that happened, kept in the transaction in which it did. ``uid`` names it to receivers."""

    __tablename__ = "events"
    __table_args__ = (Index(None, "planned", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(40))
    time: Mapped[datetime]
    review_id: Mapped[int] = mapped_column(ForeignKey("reviews.id"))
    data: Mapped[dict[str, Any]]
    planned: Mapped[bool] = mapped_column(default=False)


class DeliveryRow(Base):
    """One event on its way to one webhook, or, without a webhook, to the billing system as HL7 DFT^P03."""

    __tablename__ = "deliveries"
    __table_args__ = (
        CheckConstraint(f"state IN ({', '.join(repr(s) for s in DELIVERY_STATES)})", name="state"),
        Index(None, "state", "next_attempt"),
        Index(None, "webhook_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"))
    webhook_id: Mapped[int | None] = mapped_column(ForeignKey("webhooks.id"))
    state: Mapped[DeliveryState] = mapped_column(String(10))
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt: Mapped[datetime]
    delivered: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)

    event: Mapped[EventRow] = relationship()
    webhook: Mapped[WebhookRow | None] = relationship()


def publish(session: Session, name: Event, review: int, data: Mapping[str, Any]) -> None:
    """Keep an event in the transaction of ``session``; it is told once that is committed.

    ``data`` holds ids and codes, never text of a note.
    """
    session.add(EventRow(uid=f"msg_{uuid4().hex}", name=name, time=now(), review_id=review, data=dict(data)))

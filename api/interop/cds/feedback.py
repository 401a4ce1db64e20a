"""Feedback on cards, kept as decisions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from api.interop.cds.schemas import Feedback
from api.store.audit import Releases, append
from api.store.base import now
from api.store.interop import CardRow, FeedbackRow
from api.store.reviews import ReviewRow


def keep_feedback(session: Session, service: str, user: str, sent: list[Feedback], releases: Releases) -> None:
    """Keep what became of cards, with the codes behind their suggestions, and the audit record of it.

    An accepted card keeps the codes that were taken; an overridden one all that it offered. A card that is not known
    is kept without codes.
    """
    for feedback in sent:
        card = session.get(CardRow, str(feedback.card))
        if card is not None and card.service != service:
            card = None
        review = session.get(ReviewRow, card.review_id) if card is not None and card.review_id is not None else None
        session.add(
            FeedbackRow(
                card=str(feedback.card),
                service=service,
                review_id=None if review is None else review.id,
                outcome=feedback.outcome,
                codes=[] if card is None else _codes(feedback, card),
                details=_details(feedback),
                user_name=user,
                time=_utc(feedback.outcomeTimestamp),
                received=now(),
            )
        )
        made = releases if review is None else Releases(review.suggestions.model, review.suggestions.terminology)
        subject = f"card/{feedback.card}" if review is None else f"review/{review.id}"
        append(session, user, "feedback", subject, made, {"card": str(feedback.card), "outcome": feedback.outcome})


def _utc(moment: datetime) -> datetime:
    """CDS Hooks has the moment in UTC: one without an offset is."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _codes(feedback: Feedback, card: CardRow) -> list[dict[str, Any]]:
    if feedback.outcome == "overridden":
        return list(card.suggestions.values())
    taken = [str(s.id) for s in feedback.acceptedSuggestions or ()]
    return [card.suggestions[key] for key in dict.fromkeys(taken) if key in card.suggestions]


def _details(feedback: Feedback) -> dict[str, Any]:
    reason = feedback.overrideReason
    return {} if reason is None else {"overrideReason": reason.model_dump(exclude_none=True)}

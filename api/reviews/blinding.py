"""Keeps a coder's codes from the auditor who recodes the same note blind."""

from __future__ import annotations

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session

from api.reviews.errors import AuditBlind
from api.store.audits import SecondLookRow
from api.store.reviews import ReviewRow


def refuse_blind(session: Session, user: str, number: int) -> None:
    """Raise :class:`AuditBlind` while the user recodes this review blind."""
    if session.scalars(select(SecondLookRow.id).where(*_blind(user), SecondLookRow.review_id == number)).first():
        raise AuditBlind(f"you are recoding review {number} blind: its codes are shown when yours are submitted")


def seen_by(user: str) -> ColumnElement[bool]:
    """The condition that a review is not one which the user recodes blind."""
    return ~exists().where(*_blind(user), SecondLookRow.review_id == ReviewRow.id)


def _blind(user: str) -> tuple[ColumnElement[bool], ...]:
    return SecondLookRow.auditor == user, SecondLookRow.state == "open", SecondLookRow.mode == "blind"

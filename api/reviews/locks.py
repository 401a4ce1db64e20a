"""Who has a review open: taking it, keeping it, and the time that was worked at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.reviews.counting import count_move
from api.reviews.errors import ReviewClosed, ReviewForeign, ReviewLocked, ReviewSubmitted, ReviewUnknown, VersionStale
from api.store.audit import Action, Releases, append
from api.store.base import now
from api.store.reviews import ReviewRow, State

IDLE = timedelta(minutes=5)
"""What one step of work counts at most: whoever does nothing for longer is taken to be away."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, and how long what they open stays locked to them."""

    name: str
    lock: timedelta


def locked_row(session: Session, number: int) -> ReviewRow:
    """The review, locked in the database. Raises :class:`ReviewUnknown`, :class:`ReviewSubmitted` and
    :class:`ReviewClosed`."""
    review = session.scalars(select(ReviewRow).where(ReviewRow.id == number).with_for_update()).first()
    if review is None:
        raise ReviewUnknown(f"there is no review {number}")
    if review.state == "submitted":
        raise ReviewSubmitted(f"review {number} is submitted: its codes are final")
    if review.state == "closed":
        raise ReviewClosed(f"review {number} is closed: {review.hold_reason}")
    return review


def mine(session: Session, actor: Actor, number: int, version: int | None = None) -> ReviewRow:
    """The review, which the user has open, at its latest version where one is given.

    A lock that has run out still holds while nobody else has taken the note. Whoever has lost it to a take-over is told
    by :class:`ReviewForeign` who has it now; anybody else meets :class:`ReviewLocked`.
    """
    review = locked_row(session, number)
    if review.state == "open" and review.holder != actor.name:
        if review.taken_from != actor.name and elsewhere(review, actor):
            raise is_locked(review)
        raise ReviewForeign(f"review {number} was taken over by {review.holder}: open it again before you change it")
    if review.state != "open":
        raise ReviewForeign(f"open review {number} before you change it")
    if version is not None and review.version != version:
        raise VersionStale(f"review {number} is at version {review.version}, not {version}: read it again")
    return review


def elsewhere(review: ReviewRow, actor: Actor) -> bool:
    """Whether somebody else has it open, and the lock has not run out."""
    locked = review.state == "open" and review.lock_until is not None and review.lock_until > now()
    return locked and review.holder != actor.name


def is_locked(review: ReviewRow) -> ReviewLocked:
    """The error that says who has it."""
    return ReviewLocked(f"review {review.id} is open: {review.holder} has it")


def take(session: Session, actor: Actor, review: ReviewRow) -> ReviewRow:
    """Open the review to the user."""
    was, before = review.state, review.holder
    again = was == "open" and before == actor.name
    action: Action = "take-over" if was == "open" and not again else "open"
    details = {"from": before} if action == "take-over" else {}
    if again:
        work(review)
    else:
        review.version += 1
        review.taken_from = before if action == "take-over" else None
        review.seen_at = now()
    review.state, review.holder, review.hold_reason = "open", actor.name, None
    review.lock_until = now() + actor.lock
    record(session, actor, action, review, {"version": review.version, **details}, was)
    return review


def leave(session: Session, actor: Actor, review: ReviewRow, action: Action, state: State) -> ReviewRow:
    """Close the review without codes. Who puts it on hold stays its holder, for their own list."""
    was = review.state
    work(review)
    review.state, review.holder = state, actor.name if state == "held" else None
    review.lock_until = review.taken_from = review.seen_at = None
    review.version += 1
    record(session, actor, action, review, {"version": review.version}, was)
    return review


def keep_open(session: Session, actor: Actor, number: int) -> ReviewRow:
    """Let the lock of a review that the user has open begin anew. It is no change, so neither the version nor the audit
    trail grows."""
    review = mine(session, actor, number)
    review.lock_until = now() + actor.lock
    return review


def work(review: ReviewRow) -> None:
    """Add what passed since the holder's last step to the time worked, at most :data:`IDLE`."""
    moment = now()
    if review.seen_at is not None:
        passed = max(moment - review.seen_at, timedelta())
        review.seconds = round(review.seconds + min(passed, IDLE).total_seconds(), 3)
    review.seen_at = moment


def record(
    session: Session,
    actor: Actor,
    action: Action,
    review: ReviewRow,
    details: Mapping[str, Any],
    was: State | None,
) -> None:
    """Write into the audit trail what was done, and count the review in its state; ``was`` is the state before."""
    note(session, actor.name, action, review, details)
    count_move(session, review, was)


def note(session: Session, user: str, action: Action, review: ReviewRow, details: Mapping[str, Any]) -> None:
    """Write into the audit trail what was done with a review, with the releases that its suggestions were made by."""
    releases = Releases(review.suggestions.model, review.suggestions.terminology)
    append(session, user, action, f"review/{review.id}", releases, details)

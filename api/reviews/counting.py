"""How many reviews are in each state: kept as they move, so that no request counts millions of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from api.reviews.worklist import Filters, mine_of
from api.store.reviews import STATES, ReviewRow, State, WorklistCount

MOST = 10_000
"""The most reviews that are counted one by one for a request."""
MINE: Mapping[str, State] = {"open": "open", "assigned": "waiting", "held": "held", "submitted": "submitted"}
"""What is counted of the user's own, and the state that it is in."""


def count_move(session: Session, review: ReviewRow, was: State | None) -> None:
    """Count a review that was in state ``was`` (None when it is new) in the state in which it is now.

    To be called behind :func:`api.store.audit.append` in the same transaction: the head of the audit trail is locked
    then, so that two transactions never wait for one another here.
    """
    if was == review.state:
        return
    if was is not None:
        _add(session, review, was, -1)
    _add(session, review, review.state, 1)


def _add(session: Session, review: ReviewRow, state: State, number: int) -> None:
    key = {"state": state, "setting": review.setting, "specialty": review.specialty or "", "band": review.band}
    meant = [getattr(WorklistCount, name) == value for name, value in key.items()]
    more = update(WorklistCount).where(*meant).values(number=WorklistCount.number + number)
    if session.execute(more).rowcount == 0:  # type: ignore[attr-defined]
        session.add(WorklistCount(**key, number=number))
        session.flush()


@dataclass(frozen=True, slots=True)
class Counts:
    """How many reviews the filters let through in each state; of the user; and the specialties that there are.

    ``at_least`` is true where a count that equals :data:`MOST` may stand for more.
    """

    states: Mapping[State, int]
    mine: Mapping[str, int]
    specialties: Sequence[str]
    at_least: bool


def counts(session: Session, filters: Filters, user: str) -> Counts:
    """The counts of the worklist.

    They are read of the counters, which know nothing of dates. With a date given the reviews themselves are counted, of
    each state :data:`MOST` at most.
    """
    if not filters.dated:
        states = _counted(session, filters)
    else:
        states = {state: _up_to(session, [*filters.conditions(), ReviewRow.state == state]) for state in STATES}
    own = {
        name: _up_to(session, [*filters.conditions(), ReviewRow.state == state, mine_of(user, state)])
        for name, state in MINE.items()
    }
    named = select(WorklistCount.specialty).where(WorklistCount.specialty != "", WorklistCount.number > 0)
    specialties = session.scalars(named.distinct().order_by(WorklistCount.specialty)).all()
    return Counts(states, own, specialties, MOST in {*states.values(), *own.values()})


def _counted(session: Session, filters: Filters) -> dict[State, int]:
    query = select(WorklistCount.state, func.sum(WorklistCount.number)).group_by(WorklistCount.state)
    if filters.setting is not None:
        query = query.where(WorklistCount.setting == filters.setting)
    if filters.specialty is not None:
        query = query.where(WorklistCount.specialty == filters.specialty)
    if filters.confidence is not None:
        query = query.where(WorklistCount.band == filters.confidence)
    found: dict[State, int] = dict.fromkeys(STATES, 0)
    for state, number in session.execute(query):
        found[state] = int(number)
    return found


def _up_to(session: Session, conditions: Sequence[ColumnElement[bool]]) -> int:
    some = select(ReviewRow.id).where(*conditions).limit(MOST).subquery()
    return session.scalars(select(func.count()).select_from(some)).one()

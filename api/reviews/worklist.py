"""The worklist: which reviews there are, and how many of each state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, contains_eager

from api.store.base import now
from api.store.notes import NoteRow
from api.store.reviews import STATES, ReviewRow, State


@dataclass(frozen=True, slots=True)
class Filters:
    """Which notes are meant: by setting, specialty and date of service, the first and the last day included."""

    setting: str | None = None
    specialty: str | None = None
    date_from: date | None = None
    date_to: date | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """What a query of reviews that is joined to its notes has to meet."""
        found = []
        if self.setting is not None:
            found.append(NoteRow.setting == self.setting)
        if self.specialty is not None:
            found.append(NoteRow.specialty == self.specialty)
        if self.date_from is not None:
            found.append(NoteRow.date_of_service >= self.date_from)
        if self.date_to is not None:
            found.append(NoteRow.date_of_service <= self.date_to)
        return found


@dataclass(frozen=True, slots=True)
class Page:
    """Some reviews in the order in which they came in; ``next`` is where the following page begins, if there is one."""

    reviews: list[ReviewRow]
    next: int | None
    counts: Mapping[State, int]


def unlocked() -> ColumnElement[bool]:
    """The condition that a review can be opened by anybody: it waits, or its lock has run out."""
    return or_(ReviewRow.state == "waiting", and_(ReviewRow.state == "open", ReviewRow.lock_until <= now()))


def worklist(
    session: Session, filters: Filters, state: State | None, holder: str | None, after: int, limit: int
) -> Page:
    """A page of reviews behind number ``after``; ``holder`` leaves those that this user has open. The counts are of all
    states, and of all holders."""
    conditions = filters.conditions()
    counted = select(ReviewRow.state, func.count()).join(ReviewRow.note).where(*conditions).group_by(ReviewRow.state)
    counts: dict[State, int] = dict.fromkeys(STATES, 0)
    for name, number in session.execute(counted):
        counts[name] = number
    query = select(ReviewRow).join(ReviewRow.note).where(*conditions, ReviewRow.id > after)
    if state is not None:
        query = query.where(ReviewRow.state == state)
    if holder is not None:
        query = query.where(ReviewRow.holder == holder)
    query = query.options(contains_eager(ReviewRow.note)).order_by(ReviewRow.id).limit(limit + 1)
    found = list(session.scalars(query))
    return Page(found[:limit], found[limit - 1].id if len(found) > limit else None, counts)

"""The worklist: which reviews there are, in which order, and which of them is next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, Select, and_, or_, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from api.store.base import now
from api.store.reviews import Band, ReviewRow, State

Sort = Literal["received", "-received", "confidence", "-confidence", "priority"]
SORTS: tuple[Sort, ...] = get_args(Sort)


@dataclass(frozen=True, slots=True)
class Filters:
    """Which notes are meant: by setting, specialty, date of service (the first and the last day included), and the band
    of confidence."""

    setting: str | None = None
    specialty: str | None = None
    date_from: date | None = None
    date_to: date | None = None
    confidence: Band | None = None

    @property
    def dated(self) -> bool:
        """Whether days are given."""
        return self.date_from is not None or self.date_to is not None

    def conditions(self) -> list[ColumnElement[bool]]:
        """What a review has to meet."""
        found = []
        if self.setting is not None:
            found.append(ReviewRow.setting == self.setting)
        if self.specialty is not None:
            found.append(ReviewRow.specialty == self.specialty)
        if self.date_from is not None:
            found.append(ReviewRow.date_of_service >= self.date_from)
        if self.date_to is not None:
            found.append(ReviewRow.date_of_service <= self.date_to)
        if self.confidence is not None:
            found.append(ReviewRow.band == self.confidence)
        return found


@dataclass(frozen=True, slots=True)
class Listing:
    """What a page of the worklist shows: ``mine`` names the user whose reviews are meant."""

    filters: Filters = field(default_factory=Filters)
    state: State | None = None
    mine: str | None = None
    assigned_to: str | None = None
    sort: Sort = "received"
    after: int = 0
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Page:
    """Some reviews in the order asked for; ``next`` is the last of them when more follow."""

    reviews: list[ReviewRow]
    next: int | None


def worklist(session: Session, listing: Listing) -> Page:
    """The page that follows review number ``after``."""
    query = select(ReviewRow).where(*listing.filters.conditions())
    if listing.state is not None:
        query = query.where(ReviewRow.state == listing.state)
    if listing.mine is not None:
        query = query.where(mine_of(listing.mine, listing.state))
    if listing.assigned_to is not None:
        query = query.where(ReviewRow.assigned_to == listing.assigned_to)
    found = list(session.scalars(_sorted(query, listing).limit(listing.limit + 1)))
    more = len(found) > listing.limit
    return Page(found[: listing.limit], found[listing.limit - 1].id if more else None)


def mine_of(user: str, state: State | None) -> ColumnElement[bool]:
    """What makes a review in this state the user's: they have it open, have put it on hold or have submitted it, or it
    waits and is assigned to them. Without a state: what they have open or have to do."""
    match state:
        case "submitted":
            return ReviewRow.submitted_by == user
        case "waiting":
            return ReviewRow.assigned_to == user
        case "open" | "held" | "closed":
            return ReviewRow.holder == user
        case None:
            return or_(
                and_(ReviewRow.holder == user, ReviewRow.state == "open"),
                and_(ReviewRow.assigned_to == user, ReviewRow.state == "waiting"),
            )


def next_for(user: str, filters: Filters) -> Iterator[list[Select[ReviewRow]]]:
    """The queries of what the user opens next, the first that find anything being meant: what they have open; what is
    assigned to them; what is assigned to nobody. Each finds at most one review, by one index."""
    meant = select(ReviewRow).where(*filters.conditions()).limit(1)
    opened = meant.where(ReviewRow.state == "open", ReviewRow.holder == user).order_by(ReviewRow.id)
    yield [opened]
    ordered = meant.order_by(ReviewRow.priority, ReviewRow.id)
    unlocked = ReviewRow.state == "open", ReviewRow.lock_until <= now()
    for whose in (ReviewRow.assigned_to == user, ReviewRow.assigned_to.is_(None)):
        yield [ordered.where(ReviewRow.state == "waiting", whose), ordered.where(*unlocked, whose)]


def _sorted(query: Select[ReviewRow], listing: Listing) -> Select[ReviewRow]:
    """The query in its order, behind the review ``after``. What it is sorted by is read of that review itself, so that
    its number alone says where a page ends."""
    back = listing.sort.startswith("-")
    columns = [column for column in (_sorted_by(listing), ReviewRow.id) if column is not None]
    query = query.order_by(*(column.desc() if back else column for column in columns))
    if not listing.after:
        return query
    last = [select(column).where(ReviewRow.id == listing.after).scalar_subquery() for column in columns]
    place, border = tuple_(*columns), tuple_(*last)
    return query.where(place < border if back else place > border)


def _sorted_by(listing: Listing) -> InstrumentedAttribute[Any] | None:
    """The column that comes before the number of the review. Where days are given, notes come in the order of their
    dates of service: one index has these days and their order."""
    if listing.sort == "priority":
        return ReviewRow.priority
    if listing.sort in ("confidence", "-confidence"):
        return ReviewRow.confidence
    return ReviewRow.date_of_service if listing.filters.dated else None

"""The final codes of a submitted review: the coder's, or what a closed second look has made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.reviews.coding import Key, Line
from api.reviews.errors import NotSubmitted
from api.reviews.service import coding_of
from api.store.audits import SecondLookRow
from api.store.reviews import ReviewRow

_NAMES = tuple(field.name for field in fields(Line))
_TUPLES = ("evidence", "modifiers", "diagnoses")


@dataclass(frozen=True, slots=True)
class Final:
    """The codes of a review in the order of the claim, and what was turned down; ``auditor`` once a second look has
    settled them."""

    review: ReviewRow
    lines: tuple[Line, ...]
    rejected: Mapping[Key, str]
    auditor: str | None = None


def final_of(session: Session, review: ReviewRow) -> Final:
    """The final codes of a review that is loaded. Raises :class:`NotSubmitted`."""
    if review.state != "submitted":
        raise NotSubmitted(f"review {review.id} is not submitted: its codes are not final")
    coding = coding_of(review)
    closed = select(SecondLookRow).where(SecondLookRow.review_id == review.id, SecondLookRow.state == "closed")
    second = session.scalars(closed).first()
    if second is None or second.final is None:
        return Final(review, coding.lines, coding.rejected)
    lines = tuple(read_line(record) for record in second.final)
    chosen = {line.key for line in lines}
    dropped = {line.key: "second look" for line in coding.lines if line.key not in chosen}
    kept = {key: reason for key, reason in coding.rejected.items() if key not in chosen}
    return Final(review, lines, {**kept, **dropped}, second.auditor)


def final_codes(session: Session, review: ReviewRow) -> tuple[Line, ...]:
    """The final codes alone. Raises :class:`NotSubmitted`."""
    return final_of(session, review).lines


def write_line(line: Line) -> dict[str, Any]:
    """A line as it is kept: the fields of :class:`~api.reviews.coding.Line`."""
    return {name: list(value) if name in _TUPLES else value for name in _NAMES for value in (getattr(line, name),)}


def read_line(record: Mapping[str, Any]) -> Line:
    """The line of what :func:`write_line` gave."""
    values: dict[str, Any] = {n: tuple(record[n]) if n in _TUPLES else record[n] for n in _NAMES}
    return Line(**values)

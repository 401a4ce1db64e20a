"""What others are told of reviews: ids and codes, never text of a note."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from api.reviews.coding import Coding, Line
from api.store.audits import SecondLookRow
from api.store.base import stamp
from api.store.reviews import ReviewRow

_TOLD = ("system", "code", "poa", "modifiers", "units", "diagnoses")


def submitted_record(review: ReviewRow, coding: Coding) -> dict[str, Any]:
    """The data of the event ``review.submitted``: the codes as they are final, in their order."""
    assert review.submitted_at is not None
    return {
        "review": review.id,
        "note_id": review.note.record["id"],
        "setting": review.note.setting,
        "date_of_service": review.note.date_of_service.isoformat(),
        "submitted": {"by": review.submitted_by, "time": stamp(review.submitted_at)},
        "codes": _codes(coding.lines),
    }


def closed_record(look: SecondLookRow, settled: Iterable[Line]) -> dict[str, Any]:
    """The data of the event ``audit.closed``: the codes as the second look has settled them."""
    assert look.closed_at is not None
    return {
        "review": look.review_id,
        "audit": look.id,
        "note_id": look.review.note.record["id"],
        "closed": {"by": look.auditor, "time": stamp(look.closed_at)},
        "codes": _codes(settled),
    }


def _codes(lines: Iterable[Line]) -> list[dict[str, Any]]:
    return [
        {"sequence": place, **{name: value for name in _TOLD if (value := getattr(line, name)) not in (None, ())}}
        for place, line in enumerate(lines, 1)
    ]

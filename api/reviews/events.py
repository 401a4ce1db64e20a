"""What others are told of reviews: ids and codes, never text of a note."""

from __future__ import annotations

from typing import Any

from api.reviews.coding import Coding
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
        "codes": [
            {"sequence": place, **{name: value for name in _TOLD if (value := getattr(line, name)) not in (None, ())}}
            for place, line in enumerate(coding.lines, 1)
        ],
    }

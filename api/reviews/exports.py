"""Submitted reviews for other programs: audited notes for training, final codes for billing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from api.reviews.blinding import seen_by
from api.reviews.feedback import feedback_record
from api.reviews.final import Final, final_of
from api.reviews.records import line_record
from api.reviews.tables import csv_line
from api.reviews.worklist import Filters
from api.store.audit import Releases, append
from api.store.base import now, stamp
from api.store.database import Database
from api.store.reviews import ReviewRow

FETCHED = 50
"""Reviews held at a time."""
COLUMNS = (
    "review,note,setting,date_of_service,specialty,sequence,system,code,display,poa,modifiers,units,diagnoses,origin,"
    "coder,submitted,auditor"
).split(",")
ADJUDICATED = 2.0
"""The weight of a note that two people have coded, against 1 of one."""


def record_export(database: Database, user: str, name: str, filters: Filters, releases: Releases) -> datetime:
    """Write into the audit trail that ``user`` exports what was submitted until now, and give this moment."""
    until = now()
    chosen = select(func.count(ReviewRow.id)).where(*filters.conditions(), seen_by(user))
    with database.writing() as session:
        count = session.scalars(chosen.where(ReviewRow.submitted_at <= until)).one()
        given = {
            "setting": filters.setting,
            "specialty": filters.specialty,
            "date_from": filters.date_from and filters.date_from.isoformat(),
            "date_to": filters.date_to and filters.date_to.isoformat(),
        }
        details = {"reviews": count, **{key: value for key, value in given.items() if value is not None}}
        append(session, user, "export", f"exports/{name}", releases, details)
    return until


def submitted(database: Database, user: str, filters: Filters, until: datetime) -> Iterator[Final]:
    """The final codes of what was submitted until then, but for what the user recodes blind.

    They come a few at a time and each few in a transaction of its own: a slow reader keeps none open.
    """
    after = 0
    while True:
        query = select(ReviewRow).where(*filters.conditions(), seen_by(user))
        query = query.where(ReviewRow.submitted_at <= until, ReviewRow.id > after).order_by(ReviewRow.id).limit(FETCHED)
        with database.reading() as session:
            found = [final_of(session, review.load()) for review in session.scalars(query)]
        yield from found
        if len(found) < FETCHED:
            return
        after = found[-1].review.id


def audited(finals: Iterator[Final]) -> Iterator[str]:
    """Audited notes, one JSON record a line, as ``codeassist train --audited`` reads them.

    Where a second look is closed its codes stand in place of the coder's, and the note has the weight
    :data:`ADJUDICATED`.
    """
    for final in finals:
        record: dict[str, Any] = {
            **final.review.note.record,
            "codes": [_audited_code(line_record(line, place)) for place, line in enumerate(final.lines, 1)],
            **feedback_record(final),
            "coder": final.review.submitted_by,
        }
        if final.auditor is not None:
            record |= {"auditor": final.auditor, "weight": ADJUDICATED}
        yield json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"


def final_codes(finals: Iterator[Final]) -> Iterator[str]:
    """Final codes as CSV, one code a line, the header first."""
    yield csv_line(COLUMNS)
    for final in finals:
        review = final.review
        assert review.submitted_at is not None
        before = (review.id, review.record_id, review.setting, review.date_of_service.isoformat(), review.specialty)
        after = (review.submitted_by, stamp(review.submitted_at), final.auditor)
        for place, line in enumerate(final.lines, 1):
            several = " ".join(line.modifiers), line.units, " ".join(line.diagnoses)
            codes = (place, line.system, line.code, line.display, line.poa, *several, line.origin)
            yield csv_line((*before, *codes, *after))


def _audited_code(record: dict[str, Any]) -> dict[str, Any]:
    names = ("start", "end", "document")
    record["evidence"] = [{name: e[name] for name in names if name in e} for e in record["evidence"]]
    del record["display"]
    return record

"""Submitted reviews for other programs: audited notes for training, final codes for billing."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from api.reviews.feedback import feedback_record
from api.reviews.records import line_record
from api.reviews.service import coding_of
from api.reviews.worklist import Filters
from api.store.audit import Releases, append
from api.store.base import now, stamp
from api.store.database import Database
from api.store.reviews import ReviewRow

FETCHED = 50
"""Reviews held at a time."""
COLUMNS = (
    "review,note,setting,date_of_service,specialty,sequence,system,code,display,poa,modifiers,units,diagnoses,origin,"
    "coder,submitted"
).split(",")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def record_export(database: Database, user: str, name: str, filters: Filters, releases: Releases) -> datetime:
    """Write into the audit trail that ``user`` exports what was submitted until now, and give this moment."""
    until = now()
    chosen = select(func.count(ReviewRow.id)).join(ReviewRow.note).where(*filters.conditions())
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


def submitted(database: Database, filters: Filters, until: datetime) -> Iterator[ReviewRow]:
    """The reviews submitted until then, a few at a time and each few in a transaction of its own: a slow reader keeps
    none open."""
    after = 0
    while True:
        query = select(ReviewRow).join(ReviewRow.note).where(*filters.conditions())
        query = query.where(ReviewRow.submitted_at <= until, ReviewRow.id > after).order_by(ReviewRow.id).limit(FETCHED)
        with database.reading() as session:
            found = [review.load() for review in session.scalars(query)]
        yield from found
        if len(found) < FETCHED:
            return
        after = found[-1].id


def audited(reviews: Iterator[ReviewRow]) -> Iterator[str]:
    """Audited notes, one JSON record a line, as ``codeassist train --audited`` reads them."""
    for review in reviews:
        coding = coding_of(review)
        record: dict[str, Any] = {
            **review.note.record,
            "codes": [_audited_code(line_record(line, place)) for place, line in enumerate(coding.lines, 1)],
            **feedback_record(review, coding),
            "coder": review.submitted_by,
        }
        yield json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"


def final_codes(reviews: Iterator[ReviewRow]) -> Iterator[str]:
    """Final codes as CSV, one code a line, the header first."""
    yield _csv(COLUMNS)
    for review in reviews:
        assert review.submitted_at is not None
        note = review.note
        before = (review.id, note.record["id"], note.setting, note.date_of_service.isoformat(), note.specialty)
        after = (review.submitted_by, stamp(review.submitted_at))
        for place, line in enumerate(coding_of(review).lines, 1):
            several = " ".join(line.modifiers), line.units, " ".join(line.diagnoses)
            codes = (place, line.system, line.code, line.display, line.poa, *several, line.origin)
            yield _csv((*before, *codes, *after))


def _audited_code(record: dict[str, Any]) -> dict[str, Any]:
    names = ("start", "end", "document")
    record["evidence"] = [{name: e[name] for name in names if name in e} for e in record["evidence"]]
    del record["display"]
    return record


def _csv(cells: tuple[Any, ...] | list[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(_safe(cell) for cell in cells)
    return out.getvalue()


def _safe(cell: Any) -> Any:
    """A cell that a spreadsheet does not take for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell

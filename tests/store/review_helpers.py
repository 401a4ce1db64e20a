"""People, a note and releases for the tests of the store."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from api.reviews import service
from api.reviews.service import Actor
from api.store.audit import Releases
from api.store.database import Database
from codeassist.note import note_from_record

if TYPE_CHECKING:
    from codeassist.assistant import CodeAssistant

NOTE = {
    "id": "visit-1",
    "text": "Assessment and Plan:\n1. Essential hypertension, stable.\n2. Type 2 diabetes mellitus, on metformin.",
    "date_of_service": "2026-03-02",
    "specialty": "family medicine",
}
ANNE = Actor("anne", timedelta(minutes=15))
BEN = Actor("ben", timedelta(minutes=15))
RELEASES = Releases({"name": "a model", "version": "1", "sha256": "0" * 64}, {"icd-10-cm": "2026-04"})


def add_note(database: Database, assistant: CodeAssistant, **facts: object) -> int:
    """Keep a note with its suggestions; gives the number of its review."""
    record = {**NOTE, **facts}
    result = assistant.suggest(note_from_record(record))
    with database.writing() as session:
        return service.create(session, ANNE, record, result).id


def add_submitted(database: Database, assistant: CodeAssistant, **facts: object) -> int:
    """A review that Anne has submitted with one code accepted; gives its number."""
    number = add_note(database, assistant, **facts)
    code = {"system": "icd-10-cm", "code": "I10"}
    with database.writing() as session:
        version = service.open_review(session, ANNE, number, take_over=True).version
    with database.writing() as session:
        service.decide_on(session, ANNE, number, version, "accepted", code, assistant)
    with database.writing() as session:
        service.submit(session, ANNE, number, version + 1, [], assistant)
    return number

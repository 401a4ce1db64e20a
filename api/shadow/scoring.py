"""Which notes the candidate release has still to score, and the scoring of one."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.store.base import now
from api.store.database import Database
from api.store.notes import NoteRow
from api.store.shadow import ShadowRow, ShadowState
from codeassist.errors import CodeassistError
from codeassist.note import note_from_record

if TYPE_CHECKING:
    from codeassist.assistant import CodeAssistant

_DROPPED_AT_ONCE = 200
log = logging.getLogger("codeassist.shadow")


def last_note(session: Session) -> int:
    """The number of the newest note, 0 where there is none."""
    return session.scalars(select(func.max(NoteRow.id))).one() or 0


def first_note(session: Session, sha256: str, otherwise: int) -> int:
    """The number after which notes are scored by this release: where its results begin, else ``otherwise``."""
    begun = session.scalars(select(func.min(ShadowRow.note_id)).where(ShadowRow.sha256 == sha256)).one()
    return begun - 1 if begun is not None else otherwise


def waiting(session: Session, sha256: str, after: int, queue: int) -> tuple[list[int], list[int]]:
    """Numbers of notes to score, the longest waiting first, at most ``queue``; and of older ones, to be dropped."""
    done = select(ShadowRow.id).where(ShadowRow.note_id == NoteRow.id, ShadowRow.sha256 == sha256).exists()
    query = select(NoteRow.id).where(NoteRow.id > after, ~done).order_by(NoteRow.id.desc())
    found = list(session.scalars(query.limit(queue + _DROPPED_AT_ONCE)))
    return found[:queue][::-1], found[queue:]


def score_waiting(database: Database, assistant: CodeAssistant, after: int, queue: int) -> bool:
    """Score the note that has waited longest, and drop those for which there is no room; whether there was any."""
    sha256 = assistant.model.sha256
    with database.reading() as session:
        notes, dropped = waiting(session, sha256, after, queue)
        record = session.get_one(NoteRow, notes[0]).record if notes else None
    if not notes or record is None:
        return False
    state, codes = _scored(assistant, record)
    with database.writing() as session:
        session.add(_row(assistant, notes[0], state, codes))
        session.add_all(_row(assistant, n, "dropped", None) for n in dropped)
    return True


def _scored(assistant: CodeAssistant, record: dict[str, Any]) -> tuple[ShadowState, list[dict[str, Any]] | None]:
    try:
        result = assistant.suggest(note_from_record(record))
    except CodeassistError as error:
        log.warning("the candidate release could not score a note: %s", error.code)
        return "failed", None
    except Exception as error:  # whatever is wrong with a candidate is counted, and the next note comes
        log.error("the candidate release failed on a note: %s", type(error).__name__)
        return "failed", None
    names = ("system", "code", "probability", "rank", "tier")
    return "scored", [{name: getattr(s, name) for name in names} for s in result.suggestions]


def _row(assistant: CodeAssistant, note: int, state: ShadowState, codes: list[dict[str, Any]] | None) -> ShadowRow:
    model = assistant.model
    return ShadowRow(
        note_id=note, sha256=model.sha256, version=model.version[:200], state=state, made=now(), codes=codes
    )

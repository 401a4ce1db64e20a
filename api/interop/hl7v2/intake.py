"""Takes a message: nothing is acknowledged before it is stored, and what was stored is stored once."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from api.interop.hl7v2.acknowledgement import acknowledge
from api.interop.hl7v2.document import CANCELLATION, EVENTS, REPLACEMENT, UNFINISHED, Document, read_document
from api.interop.hl7v2.errors import Location, Refused
from api.interop.hl7v2.message import Header, check_header, header_of, read_message
from api.reviews import service
from api.reviews.locks import Actor
from api.store.base import now
from api.store.database import Database
from api.store.hl7 import Hl7MessageRow, MessageState
from api.store.reviews import ReviewRow

log = logging.getLogger("codeassist.hl7")
KEPT: tuple[MessageState, ...] = ("stored", "coded", "unfinished", "failed")
"""States of a message whose document still counts."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is taken: processing ids of MSH-11, and the longest text in code points."""

    processing_ids: frozenset[str]
    max_characters: int


@dataclass(frozen=True, slots=True)
class Taken:
    """How a message was answered; ``answer`` is ``None`` when the sender wants none."""

    answer: bytes | None
    accepted: bool


def receive(database: Database, user: str, data: bytes, limits: Limits, fault: str | None = None) -> Taken:
    """Store the message and acknowledge it, or refuse it with the reason. ``fault`` is what was wrong with its frame.

    Where the database fails the answer is AE: the sender keeps the message, and sends it again.
    """
    header = header_of(data)
    refused: Refused | None = None
    try:
        if fault is not None:
            raise Refused("207", fault)
        message = read_message(data)
        header = message.header
        check_header(header, limits.processing_ids, EVENTS)
        _store(database, user, header, read_document(message), data, limits)
    except Refused as error:
        refused = error
        _note_refusal(database, user, header, data, error)
    except SQLAlchemyError as error:
        log.error("a message could not be stored: %s", type(error).__name__)
        refused = Refused("207", "the message could not be stored: send it again")
    return Taken(acknowledge(header, refused), refused is None)


def _store(
    database: Database, user: str, header: Header, document: Document, data: bytes, limits: Limits, again: bool = True
) -> None:
    text = "" if document.note is None else document.note["text"]
    if len(text) > limits.max_characters:
        raise Refused("102", f"the text has more than {limits.max_characters:,} characters", Location("OBX", 1, 5))
    row = _row(user, header, document, data, text)
    try:
        with database.writing() as session:
            known = session.scalars(select(Hl7MessageRow).where(Hl7MessageRow.identity == row.identity)).first()
            if known is not None:
                if known.digest != row.digest:
                    where = Location("MSH", 1, 10)
                    raise Refused("205", "the control id was used for another message", where)
                return
            _settle(session, Actor(user, timedelta()), header, document, row)
            session.add(row)
    except IntegrityError:  # the same message came twice at once, and the other one was first
        if not again:
            raise
        _store(database, user, header, document, data, limits, again=False)


def _row(user: str, header: Header, document: Document, data: bytes, text: str) -> Hl7MessageRow:
    return Hl7MessageRow(
        identity=_hashed(*header.sender, header.control_id),
        control_id=header.control_id,
        event=header.event,
        digest=hashlib.sha256(data).hexdigest(),
        received=now(),
        user_name=user,
        state="stored",
        document_key=_document_key(header, document.id),
        document_id=document.id,
        originated=document.originated,
        completion=document.completion or None,
        text_digest=_hashed(text) if text else None,
        note=None if document.note is None else dict(document.note),
        context=dict(document.context),
    )


def _settle(session: Session, actor: Actor, header: Header, document: Document, row: Hl7MessageRow) -> None:
    """Decide what becomes of the message, and end what it replaces or cancels. Raises :class:`Refused`."""
    earlier = _documents(session, _document_key(header, document.id))
    if document.event == CANCELLATION:
        if not earlier:
            raise Refused("204", "no document with the number of TXA-12 is known", Location("TXA", 1, 12))
        row.state = "cancellation"
        row.flag = _end(session, actor, earlier, "cancelled", f"document {document.id} was cancelled")
        return
    row.state = "unfinished" if document.completion in UNFINISHED else "stored"
    if document.event == REPLACEMENT and document.parent is not None and document.parent != document.id:
        parents = _documents(session, _document_key(header, document.parent))
        if not parents:
            row.flag = "the document of TXA-13, which this one replaces, is not known"
        flagged = _end(session, actor, parents, "replaced", f"replaced by document {document.id}")
        row.flag = row.flag or flagged
    done = [e for e in earlier if e.state in ("stored", "coded")]
    if document.event != REPLACEMENT and any(e.text_digest == row.text_digest for e in done):
        row.state, row.note, row.review_id = "unchanged", None, done[-1].review_id  # another status, the same text
        return
    flagged = _end(session, actor, earlier, "replaced", f"replaced by a newer version of document {document.id}")
    row.flag = row.flag or flagged


def _documents(session: Session, key: str) -> Sequence[Hl7MessageRow]:
    query = select(Hl7MessageRow).where(Hl7MessageRow.document_key == key, Hl7MessageRow.state.in_(KEPT))
    return session.scalars(query.order_by(Hl7MessageRow.id).with_for_update()).all()


def _end(
    session: Session, actor: Actor, earlier: Sequence[Hl7MessageRow], state: MessageState, reason: str
) -> str | None:
    """End earlier messages of a document: what waits to be coded is not coded, and a review that is not submitted is
    closed. What has to be looked at because its codes are final already is said."""
    flagged = None
    for old in earlier:
        old.state, old.note = state, None
        review = None if old.review_id is None else session.get(ReviewRow, old.review_id)
        if review is None or review.state == "closed":
            continue
        if review.state == "submitted":
            flagged = old.flag = f"review {review.id} was submitted before its document was {state}"
        else:
            service.close(session, actor, review.id, reason)
    return flagged


def _note_refusal(database: Database, user: str, header: Header, data: bytes, error: Refused) -> None:
    """Keep who was refused what and why; a failure here changes nothing of the answer."""
    log.warning("message refused: %s %s", error.answer, error.message)
    where = "" if error.location is None else f" at {error.location}"
    row = Hl7MessageRow(
        control_id=_storable(header.control_id),
        event=_storable(header.event)[:20],
        digest=hashlib.sha256(data).hexdigest(),
        received=now(),
        user_name=user,
        state="refused",
        reason=f"{error.answer} {error.code}: {error.message}{where}",
    )
    try:
        with database.writing() as session:
            session.add(row)
    except SQLAlchemyError as failure:
        log.error("a refusal could not be stored: %s", type(failure).__name__)


def _storable(value: str) -> str:
    return "".join(c for c in value if c.isprintable())


def _document_key(header: Header, identity: str) -> str:
    """Documents are numbered by the application and facility that send them."""
    return _hashed(*header.sender, "document", identity)


def _hashed(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()

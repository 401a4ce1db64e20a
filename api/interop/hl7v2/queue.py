"""Codes the documents that were stored, in the order in which they came, and hands each to review.

The queue is the table: what a process had not coded when it ended is coded by the next one.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError

from api.engine import Engine
from api.errors import Problem
from api.middleware import place_of
from api.reviews import service
from api.reviews.locks import Actor
from api.store.database import Database
from api.store.hl7 import Hl7MessageRow
from codeassist.errors import CodeassistError
from codeassist.note import note_from_record

if TYPE_CHECKING:
    from codeassist.assistant import CodeAssistant

POLL_SECONDS = 1.0
MOST_ATTEMPTS = 3
log = logging.getLogger("codeassist.hl7")


class CodingQueue:
    """Codes stored documents beside the requests, for as long as the application runs."""

    def __init__(self, database: Database, engine: Engine) -> None:
        self._database = database
        self._engine = engine

    async def run(self) -> None:
        """Work until cancelled. A database that fails is tried again."""
        while True:
            try:
                worked = await self._code_next()
            except SQLAlchemyError as error:
                log.error("the queue of documents can't be read: %s", type(error).__name__)
                worked = False
            if not worked:
                await anyio.sleep(POLL_SECONDS)

    async def _code_next(self) -> bool:
        number = await anyio.to_thread.run_sync(self._first)
        if number is None:
            return False
        try:
            assistant = self._engine.assistant
        except Problem:  # not loaded yet
            return False
        await self._engine.run(lambda: self._code(number, assistant))
        return True

    def _first(self) -> int | None:
        query = select(Hl7MessageRow.id).where(Hl7MessageRow.state == "stored").order_by(Hl7MessageRow.id).limit(1)
        with self._database.reading() as session:
            return session.scalars(query).first()

    def _code(self, number: int, assistant: CodeAssistant) -> None:
        with self._database.reading() as session:
            row = session.get(Hl7MessageRow, number)
        if row is None or row.state != "stored" or row.note is None:
            return
        try:
            result = assistant.suggest(note_from_record(row.note))
        except Exception as error:  # one document must not stop those behind it: it is tried again, then set aside
            self._failed(number, error)
            return
        with self._database.writing() as session:
            # replaced or cancelled meanwhile, or coded by another process: then the state is no longer "stored"
            kept = session.scalars(select(Hl7MessageRow).where(Hl7MessageRow.id == number).with_for_update()).one()
            if kept.state != "stored" or kept.note is None:
                return
            review = service.create(session, Actor(kept.user_name, timedelta()), kept.note, result)
            kept.state, kept.review_id, kept.note = "coded", review.id, None

    def _failed(self, number: int, error: Exception) -> None:
        log.error("document of message %d: %s", number, place_of(error))
        reason = str(error) if isinstance(error, CodeassistError) else type(error).__name__
        with self._database.writing() as session:
            kept = session.scalars(select(Hl7MessageRow).where(Hl7MessageRow.id == number).with_for_update()).one()
            kept.attempts += 1
            if isinstance(error, CodeassistError) or kept.attempts >= MOST_ATTEMPTS:
                kept.state, kept.reason = "failed", reason


def retry(database: Database, number: int) -> bool:
    """Put a document that could not be coded back into the queue; whether there was one."""
    chosen = update(Hl7MessageRow).where(Hl7MessageRow.id == number, Hl7MessageRow.state == "failed")
    with database.writing() as session:
        found = session.scalars(chosen.values(state="stored", attempts=0, reason=None).returning(Hl7MessageRow.id))
        return found.first() is not None

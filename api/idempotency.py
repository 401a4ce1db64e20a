"""Idempotency keys: a request that creates something can be sent again without creating it again.

Source: draft-ietf-httpapi-idempotency-key-header. Put :func:`idempotent` under the route of a POST::

    @router.post("", ...)
    @idempotent
    async def create(request: Request, user: ReviewWriter) -> Response: ...

Without the header the route is as it was. A route that changes the database calls :func:`keep_answer` in the same
transaction, so that the change and the answer are kept together, whenever the process ends; for other routes the
answer is kept after they return.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar
from uuid import uuid4

import anyio.to_thread
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from api.body import read_body
from api.errors import Problem
from api.store.base import now
from api.store.database import Database
from api.store.idempotency import IdempotencyRow
from api.users import User

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
PARAMETER = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "Names this request, so that it can be sent again safely: the same key and body get the same "
    "answer, and nothing is created twice. 1 to 255 printable ASCII characters.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}
"""The header as OpenAPI shows it: a route puts it into ``openapi_extra`` by :func:`with_key`."""
PROBLEMS = ("idempotency-key-invalid", "idempotency-key-running", "idempotency-key-reused")
RUNNING = timedelta(minutes=10)
"""How long a request that was begun, and not answered, holds its key: that of a process that ended is free then."""
RETRY_SECONDS = "1"
_KEY = re.compile(r'"([ -!#-~]{1,255})"|([!#-~][!-~]{0,254})')
log = logging.getLogger("codeassist.api")
Endpoint = TypeVar("Endpoint", bound=Callable[..., Awaitable[Response]])
Digest = Callable[[Request, bytes, str], Awaitable[str]]
"""Of what identifies a request, and for whom and under which key: 64 characters that are kept."""


async def fast_digest(request: Request, data: bytes, about: str) -> str:
    """64 hexadecimal digits by which a request is known again. ``about`` names the user and the key."""
    return hashlib.sha256(data).hexdigest()


def idempotent_with(digest: Digest) -> Callable[[Endpoint], Endpoint]:
    """As :func:`idempotent`, with another digest, for bodies of which no fast hash may be kept."""

    def decorated(endpoint: Endpoint) -> Endpoint:
        @functools.wraps(endpoint)
        async def answered(*args: Any, request: Request, user: User, **others: Any) -> Response:
            sent = request.headers.get(HEADER)
            if sent is None:
                return await endpoint(*args, request=request, user=user, **others)
            key = _key(sent)
            body = await read_body(request, request.app.state.settings.max_body_bytes)
            fingerprint = await digest(request, _identity(request, body), f"{user.name}\n{key}")
            claim = Claim(user.name, key, fingerprint, timedelta(hours=request.app.state.settings.idempotency_hours))
            again = Request(request.scope, _once(body))
            return await _claimed(claim, again, lambda: endpoint(*args, request=again, user=user, **others))

        return answered  # type: ignore[return-value]

    return decorated


def idempotent(endpoint: Endpoint) -> Endpoint:
    """The endpoint, which has to take ``request`` and ``user``, with idempotency keys.

    Only answers under 400 are kept: what failed has created nothing, and may be tried again under its key.
    Raises the problems ``idempotency-key-…``.
    """
    return idempotent_with(fast_digest)(endpoint)


async def _claimed(claim: Claim, request: Request, answer: Callable[[], Awaitable[Response]]) -> Response:
    """The answer that is kept, or else the one that is made now and kept."""
    database: Database = request.app.state.database
    kept = await anyio.to_thread.run_sync(claim.begin, database)
    if kept is not None:
        return kept
    request.scope["codeassist.claim"] = claim
    try:
        response = await answer()
        if response.status_code < 400 and not claim.kept:
            media_type = response.headers.get("content-type")
            await anyio.to_thread.run_sync(
                claim.finish_alone, database, response.status_code, media_type, bytes(response.body)
            )
            claim.kept = True
        return response
    finally:
        if not claim.kept:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(claim.give_up, database)


def keep_answer(request: Request, session: Session, status: int, body: bytes) -> None:
    """Keep a JSON answer in the transaction of ``session``, where the request has a key."""
    claim: Claim | None = request.scope.get("codeassist.claim")
    if claim is not None:
        claim.finish(session, status, "application/json", body)
        claim.kept = True


def has_key(request: Request) -> bool:
    """Whether the answer to this request is to be kept."""
    return "codeassist.claim" in request.scope


def with_key(extra: dict[str, Any]) -> dict[str, Any]:
    """``openapi_extra`` of a route, with the header."""
    return {**extra, "parameters": [*extra.get("parameters", ()), PARAMETER]}


class Claim:
    """A key that this request holds. ``kept`` is set when its answer is."""

    def __init__(self, user: str, key: str, fingerprint: str, lifetime: timedelta) -> None:
        self._user, self._key, self._fingerprint, self._lifetime = user, key, fingerprint, lifetime
        self._id = str(uuid4())
        self.kept = False

    def begin(self, database: Database) -> Response | None:
        """Take the key, or give the answer that is kept under it. Raises :class:`Problem` when it is taken."""
        try:
            with database.writing() as session:
                session.execute(delete(IdempotencyRow).where(IdempotencyRow.expires <= now()))
                row = session.get(IdempotencyRow, (self._user, self._key), with_for_update=True)
                if row is not None:
                    return self._answer_of(row)
                session.add(
                    IdempotencyRow(
                        user_name=self._user,
                        key=self._key,
                        fingerprint=self._fingerprint,
                        claim=self._id,
                        expires=now() + RUNNING,
                    )
                )
        except IntegrityError:  # another request took it at the same moment
            raise _running() from None
        return None

    def finish(self, session: Session, status: int, media_type: str | None, body: bytes) -> None:
        """Keep the answer."""
        mine = select(IdempotencyRow).where(
            IdempotencyRow.user_name == self._user, IdempotencyRow.key == self._key, IdempotencyRow.claim == self._id
        )
        row = session.scalars(mine.with_for_update()).first()
        if row is None:  # the request took so long that its key was given to another one
            raise _running()
        row.status, row.media_type, row.body = status, media_type, body
        row.expires = now() + self._lifetime

    def finish_alone(self, database: Database, status: int, media_type: str | None, body: bytes) -> None:
        """Keep the answer, in a transaction of its own."""
        with database.writing() as session:
            self.finish(session, status, media_type, body)

    def give_up(self, database: Database) -> None:
        """Free the key."""
        mine = delete(IdempotencyRow).where(IdempotencyRow.claim == self._id, IdempotencyRow.status.is_(None))
        with database.writing() as session:
            session.execute(mine)

    def _answer_of(self, row: IdempotencyRow) -> Response:
        if row.fingerprint != self._fingerprint:
            raise Problem("idempotency-key-reused", "This key was used for another request: take a new one.")
        if row.status is None:
            raise _running()
        return Response(row.body, row.status, {REPLAYED: "true"}, row.media_type)


def _running() -> Problem:
    return Problem(
        "idempotency-key-running", "The first request with this key runs still.", headers={"Retry-After": RETRY_SECONDS}
    )


def _key(sent: str) -> str:
    found = _KEY.fullmatch(sent.strip())
    if found is None:
        raise Problem("idempotency-key-invalid", "Idempotency-Key has 1 to 255 printable ASCII characters.")
    return found[1] or found[2]


def _identity(request: Request, body: bytes) -> bytes:
    """What a request has to be, to be the same one."""
    parts = (request.method, request.url.path, request.url.query, request.headers.get("content-type", ""))
    return "\n".join(parts).encode() + b"\n\n" + body


def _once(body: bytes) -> Callable[[], Awaitable[Message]]:
    """The body again, for the endpoint to read."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return messages.pop() if messages else {"type": "http.disconnect"}

    return receive

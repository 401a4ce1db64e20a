"""Who asks: the user of a session, a key or a token, or the single local user where nobody has set up sign-in."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import anyio.to_thread
from fastapi import FastAPI, Request
from sqlalchemy.exc import SQLAlchemyError

from api.auth import accounts, sessions
from api.auth.bearer import BearerAuthenticator, token_of
from api.auth.cookies import SESSION
from api.auth.origin import SAFE, check_change, check_origin
from api.auth.settings import AuthSettings
from api.errors import Problem
from api.store.accounts import SessionRow
from api.store.base import now
from api.store.database import Database
from api.users import LOCAL, User

T = TypeVar("T")
LOOKED_UP_AGAIN = 1.0
"""Seconds for which "no users made" is taken for true: so soon does the first user end local mode."""
SILENT = ("GET", "/v1/session")
"""Asking how long the session lasts does not make it last longer: a page may ask while nobody is at it."""


@dataclass(frozen=True, slots=True)
class CurrentSession:
    """The session of a request, put to ``request.state.session``."""

    id: int
    seconds_left: float


class Identity:
    """Knows the users of requests. ``app.state.identify`` is :meth:`identify` of the application's one."""

    def __init__(self, settings: AuthSettings) -> None:
        self._settings = settings
        self._lifetime = sessions.Lifetime.of(settings)
        self._signing_in = settings.oidc
        self._looked_up = 0.0

    async def local_mode(self, app: FastAPI) -> bool:
        """Whether the single local user works without sign-in: no user was ever made, and no provider is set up."""
        if not self._signing_in and time.monotonic() - self._looked_up >= LOOKED_UP_AGAIN:
            self._signing_in = await in_thread(lambda: _any_user(app.state.database))
            self._looked_up = time.monotonic()
        return not self._signing_in

    async def identify(self, request: Request) -> User:
        """The user. Raises the problems ``unauthenticated`` and ``cross-site``."""
        request.state.session = None
        token = token_of(request)
        if token is not None:
            return await _by_token(request, token)
        if await self.local_mode(request.app):
            if request.method not in SAFE:
                check_origin(request, allowed=request.app.state.settings.cors_origins)
            return LOCAL
        cookie = SESSION.read(request)
        if cookie is None:
            raise unauthenticated("Nobody is signed in.")
        user = await self._by_cookie(request, cookie)
        check_change(request)
        return user

    async def _by_cookie(self, request: Request, cookie: str) -> User:
        database: Database = request.app.state.database
        silent = (request.method, request.url.path) == SILENT
        row = await in_thread(lambda: self._session(database, cookie, silent))
        if row is None:
            raise unauthenticated(
                f"The session has ended: it does so {self._settings.idle_minutes} minutes after the last request, "
                f"{self._settings.session_hours} hours after sign-in, and with sign-out. Sign in again."
            )
        left = (self._lifetime.ends(row) - now()).total_seconds()
        request.state.session = CurrentSession(row.id, left)
        return accounts.user_of(row.user, row.method)

    def _session(self, database: Database, cookie: str, silent: bool) -> SessionRow | None:
        """The session, when it goes on; its last use is written where that was some time ago."""
        with database.reading() as session:
            row = sessions.find(session, cookie)
        moment = now()
        if row is None or self._lifetime.ends(row) <= moment:
            return None
        if not silent and moment - row.last_used > min(sessions.TOUCHED_AFTER, self._lifetime.idle / 10):
            with database.writing() as session:
                kept = session.get(SessionRow, row.id)
                if kept is None:  # signed out in this very moment
                    return None
                kept.last_used = row.last_used = moment
        return row


async def _by_token(request: Request, token: str) -> User:
    authenticators: list[BearerAuthenticator] = request.app.state.bearer_authenticators
    for authenticate in authenticators:
        user = await _kept_whole(authenticate, request, token)
        if user is not None:
            return user
    raise unauthenticated("The key or token is not known, revoked or expired.", 'Bearer error="invalid_token"')


async def _kept_whole(authenticate: BearerAuthenticator, request: Request, token: str) -> User | None:
    try:
        return await authenticate(request, token)
    except SQLAlchemyError:
        raise Problem("database-unusable", "The database can't be read.") from None


async def in_thread(work: Callable[[], T]) -> T:
    """Database work in a thread; a database that fails is the problem ``database-unusable``."""
    try:
        return await anyio.to_thread.run_sync(work)
    except SQLAlchemyError:
        raise Problem("database-unusable", "The database can't be used.") from None


def unauthenticated(detail: str, challenge: str = 'Bearer realm="codeassist"') -> Problem:
    """The problem of a request that nobody stands behind."""
    return Problem("unauthenticated", detail, headers={"WWW-Authenticate": challenge})


def _any_user(database: Database) -> bool:
    with database.reading() as session:
        return accounts.any_user(session)

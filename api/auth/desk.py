"""What the routes of sign-in and administration share: the database, the settings, and few hashes at a time."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import anyio
import anyio.to_thread
from fastapi import Request
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from api.auth.passwords import Passwords
from api.auth.settings import AuthSettings
from api.body import JSON_TYPES, read_body, require_type
from api.errors import Problem
from api.schemas import read_model
from api.store.database import Database

if TYPE_CHECKING:
    from api.auth.provider import Provider

T = TypeVar("T")
Sent = TypeVar("Sent", bound=BaseModel)
HASHES_AT_A_TIME = 2
"""Each takes ``argon2_memory_kib``: more would let a flood of sign-ins take the machine's memory."""
LARGEST_BODY = 20_000
"""Bytes of a request about accounts."""


class Desk:
    """``app.state.desk``: does the work of sign-in, off the event loop."""

    def __init__(self, settings: AuthSettings) -> None:
        self.settings = settings

    @cached_property
    def passwords(self) -> Passwords:
        """Made at its first use, which costs the time of one hash."""
        return Passwords(self.settings.argon2_passes, self.settings.argon2_memory_kib)

    @cached_property
    def provider(self) -> Provider:
        """The OpenID Connect provider of the settings."""
        from api.auth.provider import Provider  # a second's work that only sites with a provider need

        return Provider(self.settings)

    @cached_property
    def _limiter(self) -> anyio.CapacityLimiter:
        return anyio.CapacityLimiter(HASHES_AT_A_TIME)

    async def run(self, work: Callable[[], T]) -> T:
        """Do ``work``, which may hash a password. A database that fails is the problem ``database-unusable``."""
        try:
            return await anyio.to_thread.run_sync(work, limiter=self._limiter)
        except SQLAlchemyError:
            raise Problem("database-unusable", "The database can't be used.") from None

    async def change(self, database: Database, work: Callable[[Session], T]) -> T:
        """Do ``work`` in one transaction."""

        def done() -> T:
            with database.writing() as session:
                return work(session)

        return await self.run(done)


def desk_of(request: Request) -> Desk:
    """The application's desk."""
    desk: Desk = request.app.state.desk
    return desk


def database_of(request: Request) -> Database:
    """The application's database."""
    database: Database = request.app.state.database
    return database


def address_of(request: Request) -> str:
    """The address that a request comes from; behind a proxy, what the proxy says of it."""
    return request.client.host if request.client else ""


async def read(request: Request, model: type[Sent]) -> Sent:
    """The JSON body as ``model``."""
    require_type(request, JSON_TYPES)
    return read_model(await read_body(request, LARGEST_BODY), model)

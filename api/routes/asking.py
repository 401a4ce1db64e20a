"""What routes over the store take from a request: its body, the assistant and the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio.to_thread
from fastapi import Request

from api.body import JSON_TYPES, read_body, require_type
from api.engine import Engine
from api.schemas import Model, read_model
from api.settings import ApiSettings
from api.store.audit import Releases
from api.store.database import Database

if TYPE_CHECKING:
    from codeassist.assistant import CodeAssistant


PARSED_AT_ONCE = 50_000
"""Bytes of a body that is parsed within a millisecond: a larger one would keep the other requests waiting."""


async def read(request: Request, model: type[Model]) -> Model:
    """The body of the request; that the service is not ready is told before anything is read."""
    assistant_of(request)
    settings: ApiSettings = request.app.state.settings
    require_type(request, JSON_TYPES)
    body = await read_body(request, settings.max_body_bytes)
    if len(body) < PARSED_AT_ONCE:
        return read_model(body, model)
    return await anyio.to_thread.run_sync(read_model, body, model)


def assistant_of(request: Request) -> CodeAssistant:
    """The assistant that serves."""
    engine: Engine = request.app.state.engine
    return engine.assistant


def database_of(request: Request) -> Database:
    """The database of the service."""
    database: Database = request.app.state.database
    return database


def releases_of(assistant: CodeAssistant) -> Releases:
    """The releases that serve, for an action that is about no single note."""
    model = assistant.model
    return Releases({"name": model.name, "version": model.version, "sha256": model.sha256}, assistant.releases)

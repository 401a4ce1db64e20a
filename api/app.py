"""The application: routes, error handlers and the assistant's life."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio.to_thread
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

import codeassist
from api.engine import Engine
from api.errors import Problem, invalid, problem_of, response_of
from api.middleware import Guard
from api.openapi import describe
from api.routes import codes, drift, edits, exports, health, pages, queries, reviews, suggestions
from api.settings import ApiSettings
from api.shadow.process import Shadow
from api.store.database import Database, open_database
from codeassist.errors import CodeassistError
from codeassist.registry import promotion_stamp
from codeassist.settings import read_settings

if TYPE_CHECKING:
    from codeassist.assistant import CodeAssistant

DESCRIPTION = (
    "A clinical note in, ranked ICD-10-CM, ICD-10-PCS, CPT and HCPCS codes out, each with its evidence in the note, "
    "for a coder to review."
)


def create_app(
    settings: ApiSettings | None = None,
    load: Callable[[], CodeAssistant] | None = None,
    on_failure: Callable[[], None] = lambda: None,
    database: Database | None = None,
) -> FastAPI:
    """The application.

    Parameters
    ----------
    settings : limits; from the environment when left out
    load : what makes the assistant; :func:`codeassist.load` when left out, which follows the registry
    on_failure : called when the assistant could not be loaded
    database : opened and up to date, and closed at the end; that of the settings when left out
    """
    settings = settings or read_settings(ApiSettings)
    engine = Engine(load or codeassist.load, settings.threads, on_failure, None if load else promotion_stamp)

    shadow = Shadow(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        opened = database
        if opened is None:
            opened = await anyio.to_thread.run_sync(open_database, settings.database_url)
        app.state.database = opened
        try:
            async with engine.running():
                with shadow.beside(opened):
                    yield
        finally:
            opened.close()

    app = FastAPI(
        title="codeassist",
        version="1",
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.engine = engine
    app.state.settings = settings
    app.state.shadow = shadow
    for module in (suggestions, edits, queries, codes, reviews, exports, drift, health, pages):
        app.include_router(module.router)
    app.mount("/static", _Static(directory=pages.WEB / "static"), name="static")
    app.add_middleware(Guard)
    for kind in (Problem, CodeassistError, HTTPException):
        app.add_exception_handler(kind, _answer)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]
    return app


async def _answer(request: Request, error: Exception) -> Response:
    return response_of(problem_of(error), request.scope)


async def _answer_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return response_of(invalid(error.errors()), request.scope)


class _Static(StaticFiles):
    """Files of the page: asked for again each time, answered with 304 while they are the same."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response

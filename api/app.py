"""The application: routes, error handlers and the assistant's life."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import anyio.to_thread
from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

import codeassist
from api.auth import keys as api_keys
from api.auth.desk import Desk
from api.auth.hosts import HostGuard
from api.auth.identity import Identity
from api.auth.pages import SignInNeeded, to_sign_in
from api.background import running_beside
from api.engine import Engine
from api.errors import Problem, invalid, problem_of, response_of
from api.interop.comprehend import route as comprehend
from api.interop.install import install as install_interop
from api.keymap import read_keymap
from api.middleware import Guard
from api.openapi import describe
from api.places import Places
from api.routes import (
    audits,
    codes,
    drift,
    edits,
    exports,
    health,
    hl7v2,
    keys,
    metrics,
    pages,
    queries,
    reports,
    reviews,
    sections,
    session,
    sign_in,
    suggestions,
    users,
    webhooks,
)
from api.settings import ApiSettings
from api.shadow.process import Shadow
from api.static import Static
from api.store.database import Database, open_database
from api.telemetry.metrics import observe_stage
from api.telemetry.middleware import Telemetry
from api.telemetry.tracing import Tracing, tracing_of
from codeassist.errors import CodeassistError
from codeassist.observing import Observer
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
    mllp: socket.socket | None = None,
    leads: bool = True,
    told: Callable[[int], None] = lambda held: None,
) -> FastAPI:
    """The application.

    Parameters
    ----------
    settings : limits; from the environment when left out
    load : what makes the assistant; :func:`codeassist.load` when left out, which follows the registry
    on_failure : called when the assistant could not be loaded
    database : opened and up to date, and closed at the end; that of the settings when left out
    mllp : a listening socket for HL7 messages; none are taken over MLLP when left out
    leads : whether this process does what a service of several does once: coding of messages, deliveries, shadow mode
    told : as in :class:`api.places.Places`
    """
    settings = settings or read_settings(ApiSettings)
    tracing = tracing_of(settings.otlp_endpoint)
    places = Places(settings.threads, settings.queue, settings.streams, told)
    stamp = None if load else promotion_stamp
    engine = Engine(load or codeassist.load, settings.threads, places, on_failure, stamp, _observer(tracing))
    read_keymap(settings.keymap)  # a wrong one is told before anything is served

    shadow = Shadow(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        opened = database
        if opened is None:
            opened = await anyio.to_thread.run_sync(open_database, settings.database_url)
        app.state.database = opened
        try:
            async with AsyncExitStack() as stack:
                await stack.enter_async_context(engine.running())
                if leads:
                    await stack.enter_async_context(running_beside(app.state, mllp))
                    stack.enter_context(shadow.beside(opened))
                yield
        finally:
            opened.close()
            if tracing is not None:
                await anyio.to_thread.run_sync(tracing.close)

    app = FastAPI(
        title="codeassist",
        version="1",
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Depends(_named_once)],
    )
    app.state.engine = engine
    app.state.settings = settings
    identity = Identity(settings)
    app.state.identify = identity.identify
    app.state.desk = Desk(settings)
    app.state.bearer_authenticators = [api_keys.authenticate]
    app.state.shadow = shadow
    for module in (
        suggestions,
        edits,
        queries,
        sections,
        codes,
        reviews,
        audits,
        exports,
        drift,
        reports,
        health,
        metrics,
        pages,
    ):
        app.include_router(module.router)
    for module in (session, users, keys, sign_in, hl7v2, webhooks):
        app.include_router(module.router)
    app.include_router(comprehend.make_router(settings))
    install_interop(app, settings.cors_origins)
    app.mount("/static", Static(), name="static")
    app.add_middleware(HostGuard, identity=identity, allowed=settings.allowed_hosts)
    app.add_middleware(Guard)
    app.add_middleware(Telemetry, tracing=tracing)
    for kind in (Problem, CodeassistError, HTTPException):
        app.add_exception_handler(kind, _answer)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(SignInNeeded, to_sign_in)
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]
    return app


def _observer(tracing: Tracing | None) -> Observer:
    if tracing is None:
        return observe_stage
    trace = tracing.stage

    def observe(stage: str, begin: float, end: float) -> None:
        observe_stage(stage, begin, end)
        trace(stage, begin, end)

    return observe


async def _answer(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.status_code == 405:
        error = HTTPException(405, headers={"Allow": _allowed(request)})
    return response_of(problem_of(error), request.scope)


def _allowed(request: Request) -> str:
    """The methods of a path (RFC 9110, 10.2.1): several routes may have it, and the framework names those of one."""
    path = getattr(request.scope.get("route"), "path", None)
    found = {m for r in iter_route_contexts(request.app.routes) if r.path == path for m in r.methods or ()}
    return ", ".join(sorted(found)) or "GET"


async def _named_once(request: Request) -> None:
    """Raise the problem ``invalid-request`` for a parameter that is given twice and is no list: which of the values is
    meant nobody can tell."""
    given = Counter(name for name, _ in request.query_params.multi_items())
    twice = {name for name, times in given.items() if times > 1}
    if twice and (wrong := sorted(twice - _lists(request))):
        found = [{"loc": ("query", name), "type": "repeated", "msg": "is given more than once"} for name in wrong[:20]]
        raise invalid(found)


def _lists(request: Request) -> set[str]:
    """The parameters of a route that are lists, as its description has them."""
    path = getattr(request.scope.get("route"), "path", "")
    operation = request.app.openapi()["paths"].get(path, {}).get(request.method.lower(), {})
    rows = operation.get("parameters", ())
    return {p["name"] for p in rows if p["in"] == "query" and p["schema"].get("type") == "array"}


async def _answer_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return response_of(invalid(error.errors()), request.scope)

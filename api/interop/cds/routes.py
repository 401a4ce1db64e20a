"""CDS Hooks 2.0 under ``/cds-services``."""

from __future__ import annotations

from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from api.body import JSON_TYPES, read_body, require_type
from api.engine import Engine
from api.errors import Problem
from api.idempotency import PROBLEMS, idempotent, keep_answer, with_key
from api.interop.authentication import TokenReviewWriter
from api.interop.cds.answering import Desk, cards
from api.interop.cds.feedback import keep_feedback
from api.interop.cds.gathering import gather
from api.interop.cds.schemas import CardsOut, FeedbackRequest, HookRequest, ServicesOut
from api.interop.cds.services import Service, services
from api.interop.charts import readable
from api.interop.fetching import Fetcher
from api.interop.state import base_url, database_of, interop_of
from api.openapi import BODY, problems, request_body
from api.routes.answers import json_bytes, json_response
from api.schemas import Model, read_model
from api.settings import ApiSettings
from api.store.audit import Releases

router = APIRouter(prefix="/cds-services", tags=["cds hooks"])
_CALLED = tuple(dict.fromkeys((*BODY, *PROBLEMS, "origin-refused", "forbidden", "cross-site", "not-found")))
ServiceId = Annotated[str, Path(description="The id of a service, as discovery lists it.")]


@router.get("", summary="List CDS services", response_model=ServicesOut, responses=problems("origin-refused"))
def discovery() -> Response:
    """The services with their prefetch templates. There is nothing of a patient here, so it needs no token."""
    return json_response({"services": [service.as_record() for service in services().values()]})


@router.post(
    "/{service_id}",
    summary="Call a CDS service",
    response_model=CardsOut,
    responses=problems(*_CALLED, "precondition-failed", "note-too-large", "invalid-input"),
    openapi_extra=with_key(request_body("application/json", "HookRequest")),
)
@idempotent
async def call(request: Request, user: TokenReviewWriter, service_id: ServiceId) -> Response:
    """The cards of a service. The documents are put to review, the same ones once."""
    service = _service(service_id)
    engine: Engine = request.app.state.engine
    settings: ApiSettings = request.app.state.settings
    assistant = engine.assistant
    sent = await _read(request, HookRequest)
    _check(service, sent)
    gathered = await gather(service, sent, Fetcher(interop_of(request).settings))
    texts, unread = await readable(gathered.by_key.get("documents", []), gathered.source, engine)
    desk = Desk(
        database_of(request), assistant, user.name, base_url(request), settings.lock_minutes, settings.max_characters
    )
    made = await engine.run(lambda: cards(service.id, sent, gathered, texts, unread, desk))
    return json_response({"cards": made})


@router.post(
    "/{service_id}/feedback",
    summary="Tell what became of cards",
    response_model=dict[str, Any],
    responses=problems(*_CALLED),
    openapi_extra=with_key(request_body("application/json", "FeedbackRequest")),
)
@idempotent
async def feedback(request: Request, user: TokenReviewWriter, service_id: ServiceId) -> Response:
    """Keep what became of cards. It is kept when the answer comes."""
    service = _service(service_id)
    engine: Engine = request.app.state.engine
    model, editions = engine.assistant.model, engine.assistant.releases
    releases = Releases({"name": model.name, "version": model.version, "sha256": model.sha256}, editions)
    sent = await _read(request, FeedbackRequest)

    def work() -> None:
        with database_of(request).writing() as session:
            keep_feedback(session, service.id, user.name, sent.feedback, releases)
            keep_answer(request, session, 200, json_bytes({}))

    await anyio.to_thread.run_sync(work)
    return json_response({})


def _service(service_id: str) -> Service:
    service = services().get(service_id)
    if service is None:
        raise Problem("not-found", "No CDS service has this id. /cds-services lists them.")
    return service


def _check(service: Service, sent: HookRequest) -> None:
    missing: Any = None
    if sent.hook != service.id:
        raise Problem("invalid-request", f"This service is for the hook {service.id}.")
    if service.id == "encounter-discharge" and sent.context.encounterId is None:
        missing = "context.encounterId"
    if service.id == "problem-list-item-create" and sent.context.conditions is None:
        missing = "context.conditions"
    if missing is not None:
        raise Problem("invalid-request", f"{missing} is missing.")


async def _read(request: Request, model: type[Model]) -> Model:
    settings: ApiSettings = request.app.state.settings
    require_type(request, JSON_TYPES)
    return read_model(await read_body(request, settings.max_body_bytes), model)

"""Webhooks: who is told when a review is finished, and what became of each delivery."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

import anyio.to_thread
from fastapi import APIRouter, Path, Query, Request
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload
from starlette.responses import Response

from api.body import JSON_TYPES, read_body, require_type
from api.errors import Problem
from api.idempotency import PROBLEMS, idempotent, keep_answer, with_key
from api.message_schemas import (
    DeliveriesOut,
    DeliveriesQuery,
    DeliveryOut,
    NewWebhookOut,
    WebhookChange,
    WebhookIn,
    WebhookOut,
    WebhooksOut,
)
from api.messages.addresses import check_address
from api.messages.signing import new_secret
from api.openapi import BODY, problems, request_body
from api.review_schemas import LARGEST
from api.routes.answers import json_bytes, json_response
from api.schemas import read_model
from api.settings import ApiSettings
from api.store.audit import Releases, append
from api.store.base import now, stamp
from api.store.database import Database
from api.store.events import DeliveryRow, WebhookRow
from api.users import Administrator, User

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])
Number = Annotated[int, Path(ge=1, le=LARGEST, description="The number of the webhook.")]
DeliveryNumber = Annotated[int, Path(ge=1, le=LARGEST, description="The number of the delivery.")]
T = TypeVar("T")
_SHOWN = problems("invalid-request", "webhook-unknown")
_BODY = tuple(code for code in BODY if code != "not-ready")


@router.get("", summary="List webhooks", response_model=WebhooksOut)
async def list_webhooks(request: Request, user: Administrator) -> Response:
    """All webhooks, without their secrets."""

    def work(session: Session) -> dict[str, Any]:
        rows = session.scalars(select(WebhookRow).where(~WebhookRow.deleted).order_by(WebhookRow.id))
        return {"webhooks": [_record(row) for row in rows]}

    return json_response(await _in(request, work))


@router.post(
    "",
    summary="Register a webhook",
    status_code=201,
    response_model=NewWebhookOut,
    responses=problems(*_BODY, *PROBLEMS, "webhook-address"),
    openapi_extra=with_key(request_body("application/json", "WebhookIn")),
)
@idempotent
async def register(request: Request, user: Administrator) -> Response:
    """Tell an address of events. The answer has the secret that verifies signatures; it is not shown again."""
    settings: ApiSettings = request.app.state.settings
    require_type(request, JSON_TYPES)
    sent = read_model(await read_body(request, settings.max_body_bytes), WebhookIn)
    check_address(sent.url, settings.webhook_hosts)

    def work(session: Session) -> bytes:
        row = WebhookRow(
            url=sent.url,
            events=list(dict.fromkeys(sent.events)),
            secret=new_secret(),
            active=True,
            created=now(),
            created_by=user.name,
        )
        session.add(row)
        session.flush()
        _audit(session, user, row, {"change": "registered", "events": row.events})
        answer = json_bytes({**_record(row), "secret": row.secret})
        keep_answer(request, session, 201, answer)
        return answer

    return Response(await _in(request, work), 201, media_type="application/json")


@router.get("/{number}", summary="Show a webhook", response_model=WebhookOut, responses=_SHOWN)
async def show(request: Request, user: Administrator, number: Number) -> Response:
    """A webhook, without its secret."""
    return json_response(await _in(request, lambda session: _record(_webhook(session, number))))


@router.patch(
    "/{number}",
    summary="Change a webhook",
    response_model=WebhookOut,
    responses=problems(*_BODY, "webhook-unknown", "webhook-address"),
    openapi_extra=request_body("application/json", "WebhookChange"),
)
async def change(request: Request, user: Administrator, number: Number) -> Response:
    """Change the address or the events, or switch the webhook on or off."""
    settings: ApiSettings = request.app.state.settings
    require_type(request, JSON_TYPES)
    sent = read_model(await read_body(request, settings.max_body_bytes), WebhookChange).model_dump(exclude_none=True)
    if "url" in sent:
        check_address(sent["url"], settings.webhook_hosts)

    def work(session: Session) -> dict[str, Any]:
        row = _webhook(session, number)
        for name, value in sent.items():
            setattr(row, name, value)
        _audit(session, user, row, {"change": "changed", "fields": sorted(sent)})
        return _record(row)

    return json_response(await _in(request, work))


@router.delete(
    "/{number}",
    summary="Remove a webhook",
    status_code=204,
    response_class=Response,
    responses=_SHOWN,
)
async def remove(request: Request, user: Administrator, number: Number) -> Response:
    """Tell it nothing any more; what is on its way is given up."""

    def work(session: Session) -> None:
        row = _webhook(session, number)
        row.active, row.deleted = False, True
        _audit(session, user, row, {"change": "removed"})

    await _in(request, work)
    return Response(status_code=204)


@router.get(
    "/{number}/deliveries",
    summary="List deliveries",
    response_model=DeliveriesOut,
    responses=_SHOWN,
)
async def deliveries(
    request: Request, user: Administrator, number: Number, query: Annotated[DeliveriesQuery, Query()]
) -> Response:
    """What was sent to a webhook, or is on its way, the latest first."""

    def work(session: Session) -> dict[str, Any]:
        _webhook(session, number)
        chosen = select(DeliveryRow).where(DeliveryRow.webhook_id == number, DeliveryRow.id < query.before)
        if query.state is not None:
            chosen = chosen.where(DeliveryRow.state == query.state)
        chosen = chosen.options(joinedload(DeliveryRow.event)).order_by(DeliveryRow.id.desc()).limit(query.limit + 1)
        found = list(session.scalars(chosen))
        record: dict[str, Any] = {"deliveries": [_delivery_record(row) for row in found[: query.limit]]}
        return record if len(found) <= query.limit else {**record, "next": found[query.limit - 1].id}

    return json_response(await _in(request, work))


@router.post(
    "/{number}/deliveries/{delivery}/redeliver",
    summary="Deliver again",
    status_code=202,
    response_model=DeliveryOut,
    responses=problems("invalid-request", "webhook-unknown", *PROBLEMS),
    openapi_extra=with_key({}),
)
@idempotent
async def redeliver(request: Request, user: Administrator, number: Number, delivery: DeliveryNumber) -> Response:
    """Send an event again at once, whatever became of it; the header `webhook-id` is the same."""

    def work(session: Session) -> dict[str, Any]:
        hook = _webhook(session, number)
        row = session.get(DeliveryRow, delivery, with_for_update=True)
        if row is None or row.webhook_id != number:
            raise Problem("webhook-unknown", f"Webhook {number} has no delivery {delivery}.")
        row.state, row.attempts, row.next_attempt, row.delivered = "pending", 0, now(), None
        _audit(session, user, hook, {"change": "redelivered", "delivery": delivery})
        record = _delivery_record(row)
        keep_answer(request, session, 202, json_bytes(record))
        return record

    return json_response(await _in(request, work), 202)


async def _in(request: Request, work: Callable[[Session], T]) -> T:
    """Do the work in a thread and one transaction."""
    database: Database = request.app.state.database

    def run() -> T:
        with database.writing() as session:
            return work(session)

    return await anyio.to_thread.run_sync(run)


def _webhook(session: Session, number: int) -> WebhookRow:
    row = session.get(WebhookRow, number)
    if row is None or row.deleted:
        raise Problem("webhook-unknown", f"There is no webhook {number}.")
    return row


def _record(row: WebhookRow) -> dict[str, Any]:
    return {
        "webhook": row.id,
        "url": row.url,
        "events": row.events,
        "active": row.active,
        "created": stamp(row.created),
        "created_by": row.created_by,
    }


def _delivery_record(row: DeliveryRow) -> dict[str, Any]:
    record: dict[str, Any] = {
        "delivery": row.id,
        "event": row.event.name,
        "id": row.event.uid,
        "review": row.event.review_id,
        "time": stamp(row.event.time),
        "state": row.state,
        "attempts": row.attempts,
        "next_attempt": stamp(row.next_attempt) if row.state == "pending" else None,
        "delivered": None if row.delivered is None else stamp(row.delivered),
        "last_error": row.last_error,
    }
    return {name: value for name, value in record.items() if value is not None}


def _audit(session: Session, user: User, row: WebhookRow, details: Mapping[str, Any]) -> None:
    append(session, user.name, "webhook", f"webhook/{row.id}", Releases({}, {}), details)

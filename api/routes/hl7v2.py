"""HL7 version 2 over HTTP: documents in, charges out, and what became of each message."""

from __future__ import annotations

from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Path, Query, Request
from sqlalchemy import func, select
from starlette.responses import Response

from api.background import intake_limits
from api.body import read_body
from api.errors import Problem
from api.idempotency import PROBLEMS, idempotent, with_key
from api.interop.hl7v2.billing import charges_of
from api.interop.hl7v2.intake import receive
from api.interop.hl7v2.queue import retry
from api.message_schemas import MessageOut, MessagesOut, MessagesQuery
from api.openapi import example_text, problems
from api.review_schemas import LARGEST
from api.routes.answers import json_response
from api.settings import ApiSettings
from api.store.audit import Releases, append
from api.store.base import stamp
from api.store.database import Database
from api.store.hl7 import MESSAGE_STATES, Hl7MessageRow, MessageState
from api.store.reviews import ReviewRow
from api.users import Exporter, Integrator

router = APIRouter(tags=["hl7 version 2"])
MEDIA_TYPE = "application/hl7-v2"
TYPES = frozenset({MEDIA_TYPE, "x-application/hl7-v2+er7", "text/plain"})
Number = Annotated[int, Path(ge=1, le=LARGEST, description="The number of the message.")]
_TEXT = {"schema": {"type": "string"}}
_SENT = {
    "requestBody": {
        "required": True,
        "content": {
            name: {**_TEXT, "examples": {"document": {"value": example_text("document.hl7").replace("\n", "\r")}}}
            for name in (MEDIA_TYPE, "text/plain")
        },
    }
}


@router.post(
    "/v1/hl7v2",
    summary="Send an HL7 message",
    response_class=Response,
    response_description="The acknowledgement: MSA-1 says whether the message was taken.",
    responses={
        200: {"content": {MEDIA_TYPE: _TEXT}},
        204: {"description": "The message asked for no acknowledgement."},
        **problems("body-too-large", "unsupported-media-type", *PROBLEMS),
    },
    openapi_extra=with_key(_SENT),
)
@idempotent
async def send(request: Request, user: Integrator) -> Response:
    """Take MDM^T02, T04, T10 or T11 in ER7, as MLLP does. MSH-18 names the character set, UTF-8 when left out.

    The document is stored before it is acknowledged, and coded afterwards: it stands in the worklist some seconds
    later. The status is 200 whether the acknowledgement says AA, AE or AR.
    """
    settings: ApiSettings = request.app.state.settings
    database: Database = request.app.state.database
    _require_type(request)
    data = (await read_body(request, settings.max_body_bytes)).strip(b"\x0b\x1c\r\n")
    taken = await anyio.to_thread.run_sync(receive, database, user.name, data, intake_limits(settings))
    if taken.answer is None:
        return Response(status_code=204)
    return Response(taken.answer, media_type=MEDIA_TYPE, headers={"Content-Type": f"{MEDIA_TYPE}; charset=utf-8"})


@router.get(
    "/v1/hl7v2/messages",
    summary="List HL7 messages",
    response_model=MessagesOut,
    responses=problems("invalid-request"),
)
def messages(request: Request, user: Integrator, query: Annotated[MessagesQuery, Query()]) -> Response:
    """What came in, what became of it, and what was refused and why."""
    chosen = select(Hl7MessageRow).where(Hl7MessageRow.id > query.after)
    if query.state is not None:
        chosen = chosen.where(Hl7MessageRow.state == query.state)
    if query.flagged:
        chosen = chosen.where(Hl7MessageRow.flag.is_not(None))
    counts: dict[MessageState, int] = dict.fromkeys(MESSAGE_STATES, 0)
    with _database(request).reading() as session:
        for state, number in session.execute(select(Hl7MessageRow.state, func.count()).group_by(Hl7MessageRow.state)):
            counts[state] = number
        found = list(session.scalars(chosen.order_by(Hl7MessageRow.id).limit(query.limit + 1)))
    record: dict[str, Any] = {"counts": counts, "messages": [_record(row) for row in found[: query.limit]]}
    return json_response(record if len(found) <= query.limit else {**record, "next": found[query.limit - 1].id})


@router.get(
    "/v1/hl7v2/messages/{number}",
    summary="Show an HL7 message",
    response_model=MessageOut,
    responses=problems("invalid-request", "message-unknown"),
)
def message(request: Request, user: Integrator, number: Number) -> Response:
    """What became of one message."""
    return json_response(_record(_message(_database(request), number)))


@router.post(
    "/v1/hl7v2/messages/{number}/retry",
    summary="Code a message's document again",
    status_code=202,
    response_model=MessageOut,
    responses=problems("invalid-request", "message-unknown"),
)
def try_again(request: Request, user: Integrator, number: Number) -> Response:
    """Put a document that could not be coded back into the queue; any other stays as it is."""
    retry(_database(request), number)
    return json_response(_record(_message(_database(request), number)), 202)


@router.get(
    "/v1/reviews/{number}/dft",
    tags=["reviews"],
    summary="Show the charges of a review",
    response_class=Response,
    response_description="DFT^P03 with FT1, PR1 and DG1.",
    responses={
        200: {"content": {MEDIA_TYPE: _TEXT}},
        **problems("invalid-request", "review-unknown", "not-submitted"),
    },
)
def charges(
    request: Request,
    user: Exporter,
    number: Annotated[int, Path(ge=1, le=LARGEST, description="The number of the review.")],
) -> Response:
    """The submitted codes as HL7 version 2.6. Patient and visit are those of the document's message, if one came."""
    with _database(request).writing() as session:
        content = charges_of(session, number, f"R{number}")
        if content is None:
            raise Problem("not-submitted", f"Review {number} is not submitted.")
        suggestions = session.get_one(ReviewRow, number).suggestions
        releases = Releases(suggestions.model, suggestions.terminology)
        append(session, user.name, "export", f"review/{number}", releases, {"form": "DFT^P03"})
    return Response(content, headers={"Content-Type": f"{MEDIA_TYPE}; charset=utf-8"})


def _require_type(request: Request) -> None:
    """The 415 problem unless the body is ER7. A charset beside the type is not looked at: MSH-18 counts."""
    sent = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if sent not in TYPES:
        raise Problem("unsupported-media-type", f"Send Content-Type: {' or '.join(sorted(TYPES))}.")


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


def _message(database: Database, number: int) -> Hl7MessageRow:
    with database.reading() as session:
        row = session.get(Hl7MessageRow, number)
    if row is None:
        raise Problem("message-unknown", f"There is no message {number}.")
    return row


def _record(row: Hl7MessageRow) -> dict[str, Any]:
    record: dict[str, Any] = {
        "message": row.id,
        "control_id": row.control_id,
        "event": row.event,
        "received": stamp(row.received),
        "by": row.user_name,
        "state": row.state,
        "document": row.document_id,
        "completion": row.completion,
        "originated": None if row.originated is None else stamp(row.originated),
        "review": row.review_id,
        "reason": row.reason,
        "flag": row.flag,
    }
    return {name: value for name, value in record.items() if value is not None}

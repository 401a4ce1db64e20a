"""Reviews: the worklist, one note with its codes, and what a coder does with them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Path, Query, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from api.body import JSON_TYPES, read_body, require_type
from api.engine import Engine
from api.idempotency import PROBLEMS, has_key, idempotent, keep_answer, with_key
from api.openapi import BODY, problems, request_body
from api.review_schemas import (
    LARGEST,
    DecisionIn,
    HoldIn,
    NextIn,
    OpenIn,
    ReviewOut,
    StateOut,
    SubmitIn,
    VersionIn,
    WorklistOut,
    WorklistQuery,
)
from api.reviews import records, service
from api.reviews.service import Actor
from api.reviews.worklist import Filters, worklist
from api.routes.answers import json_bytes, json_response
from api.schemas import Model, NoteIn, read_model
from api.settings import ApiSettings
from api.store.database import Database
from api.store.reviews import ReviewRow
from api.users import ReviewReader, ReviewWriter, User
from codeassist.errors import InputError
from codeassist.note import note_from_record
from codeassist.result import CodingResult

if TYPE_CHECKING:
    from codeassist.assistant import CodeAssistant

router = APIRouter(prefix="/v1/reviews", tags=["reviews"])
Number = Annotated[int, Path(ge=1, le=LARGEST, description="The number of the review.")]
Change = Callable[[Session, Actor], ReviewRow]
_OPENED = ("review-unknown", "review-locked", "review-submitted", "review-closed")
_CHANGED = (*BODY, *_OPENED, "review-foreign", "version-stale")
LONGEST_NAME = 200
"""Longest id and specialty of a note that is kept."""


@router.get(
    "", summary="List reviews", response_model=WorklistOut, responses=problems("invalid-request", "database-unusable")
)
def list_reviews(request: Request, user: ReviewReader, query: Annotated[WorklistQuery, Query()]) -> Response:
    """The worklist, in the order in which the notes came in, with the number of notes in each state."""
    filters = Filters(query.setting, query.specialty, query.date_from, query.date_to)
    holder = user.name if query.mine else None
    with _database(request).reading() as session:
        page = worklist(session, filters, query.state, holder, query.after, query.limit)
    record: dict[str, Any] = {"counts": page.counts, "reviews": [records.summary(r) for r in page.reviews]}
    return json_response(record if page.next is None else {**record, "next": page.next})


@router.post(
    "",
    summary="Send a note to review",
    status_code=201,
    response_model=ReviewOut,
    responses=problems(*BODY, *PROBLEMS, "note-too-large", "invalid-input"),
    openapi_extra=with_key(request_body("application/json", "NoteIn")),
)
@idempotent
async def create(request: Request, user: ReviewWriter) -> Response:
    """Code a note, or the documents of one encounter, and keep it until a coder opens it."""
    engine: Engine = request.app.state.engine
    settings: ApiSettings = request.app.state.settings
    assistant = engine.assistant
    sent = await _read(request, NoteIn)

    record = sent.model_dump(exclude_none=True, mode="json")

    def code() -> CodingResult:
        note = note_from_record(record)
        note.check_length(settings.max_characters)
        for name, value in (("id", note.id), ("specialty", note.specialty)):
            if value is not None and (len(value) > LONGEST_NAME or not value.isprintable()):
                raise InputError(f"'{name}' has at most {LONGEST_NAME} printable characters")
        return assistant.suggest(note)

    result = await engine.run(code)
    return await _change(request, user, lambda s, actor: service.create(s, actor, record, result), records.whole, 201)


@router.post(
    ":next",
    summary="Open the next note",
    response_model=ReviewOut,
    responses=problems(*BODY, "nothing-waiting"),
    openapi_extra=request_body("application/json", "NextIn"),
)
async def open_next(request: Request, user: ReviewWriter) -> Response:
    """Open the note that you have open already, or else the one that has waited longest, and lock it to you."""
    sent = await _read(request, NextIn)
    filters = Filters(sent.setting, sent.specialty, sent.date_from, sent.date_to)
    return await _change(request, user, lambda s, actor: service.open_next(s, actor, filters), records.whole)


@router.get(
    "/{number}",
    summary="Show a review",
    response_model=ReviewOut,
    responses=problems("invalid-request", "review-unknown", "not-ready"),
)
async def show(request: Request, user: ReviewReader, number: Number) -> Response:
    """The note, the suggestions, and the review as it stands. Anybody may look; the audit trail keeps who did."""
    return await _change(request, user, lambda s, actor: service.view(s, actor, number), records.whole)


@router.post(
    "/{number}/open",
    summary="Open a review",
    response_model=ReviewOut,
    responses=problems(*BODY, *_OPENED),
    openapi_extra=request_body("application/json", "OpenIn"),
)
async def open_review(request: Request, user: ReviewWriter, number: Number) -> Response:
    """Lock a note to you: one that waits, is on hold, or whose lock has run out; any other only with `take_over`."""
    sent = await _read(request, OpenIn)
    take = lambda s, actor: service.open_review(s, actor, number, sent.take_over)  # noqa: E731
    return await _change(request, user, take, records.whole)


@router.post(
    "/{number}/decisions",
    summary="Decide on a code",
    response_model=StateOut,
    responses=problems(*_CHANGED, "decision-impossible", "code-not-in-release"),
    openapi_extra=request_body("application/json", "DecisionIn"),
)
async def decide(request: Request, user: ReviewWriter, number: Number) -> Response:
    """Take, turn down, replace, add or order codes, or change what stands beside one. It is kept when the answer comes.

    The answer has the codes as they are then, and what the rules say of them.
    """
    sent = (await _read(request, DecisionIn)).root
    details = sent.model_dump(exclude_none=True, exclude={"kind", "version"})
    assistant = _assistant(request)
    decided = lambda s, actor: service.decide_on(s, actor, number, sent.version, sent.kind, details, assistant)  # noqa: E731
    return await _change(request, user, decided)


@router.post(
    "/{number}/undo",
    summary="Undo a decision",
    response_model=StateOut,
    responses=problems(*_CHANGED, "nothing-to-undo"),
    openapi_extra=request_body("application/json", "VersionIn"),
)
async def undo(request: Request, user: ReviewWriter, number: Number) -> Response:
    """Take back the last decision that stands. It stays in the history."""
    sent = await _read(request, VersionIn)
    return await _change(request, user, lambda s, actor: service.undo(s, actor, number, sent.version))


@router.post(
    "/{number}/redo",
    summary="Redo a decision",
    response_model=StateOut,
    responses=problems(*_CHANGED, "nothing-to-redo"),
    openapi_extra=request_body("application/json", "VersionIn"),
)
async def redo(request: Request, user: ReviewWriter, number: Number) -> Response:
    """Make the decision that was taken back last stand again."""
    sent = await _read(request, VersionIn)
    return await _change(request, user, lambda s, actor: service.redo(s, actor, number, sent.version))


@router.post(
    "/{number}/hold",
    summary="Put a note on hold",
    response_model=StateOut,
    responses=problems(*_CHANGED),
    openapi_extra=request_body("application/json", "HoldIn"),
)
async def hold(request: Request, user: ReviewWriter, number: Number) -> Response:
    """Put a note aside with a reason. Its decisions stay; anybody may open it again."""
    sent = await _read(request, HoldIn)
    return await _change(request, user, lambda s, actor: service.hold(s, actor, number, sent.version, sent.reason))


@router.post(
    "/{number}/release",
    summary="Give a note back",
    response_model=StateOut,
    responses=problems(*_CHANGED),
    openapi_extra=request_body("application/json", "VersionIn"),
)
async def release(request: Request, user: ReviewWriter, number: Number) -> Response:
    """Let a note wait again. Its decisions stay."""
    sent = await _read(request, VersionIn)
    return await _change(request, user, lambda s, actor: service.release(s, actor, number, sent.version))


@router.post(
    "/{number}/submit",
    summary="Submit the codes",
    response_model=StateOut,
    responses=problems(*_CHANGED, "decision-impossible", "findings-stand", "override-refused"),
    openapi_extra=request_body("application/json", "SubmitIn"),
)
async def submit(request: Request, user: ReviewWriter, number: Number) -> Response:
    """Make the codes final. Findings of level error stand in the way, unless each is overridden with a reason."""
    sent = await _read(request, SubmitIn)
    overrides = [o.model_dump() for o in sent.overrides]
    assistant = _assistant(request)
    submitted = lambda s, actor: service.submit(s, actor, number, sent.version, overrides, assistant)  # noqa: E731
    return await _change(request, user, submitted)


async def _change(
    request: Request,
    user: User,
    change: Change,
    render: Callable[[ReviewRow, CodeAssistant], dict[str, Any]] = records.state,
    status: int = 200,
) -> Response:
    """Do the change in one transaction, and answer when it is kept."""
    assistant = _assistant(request)

    def work() -> bytes:
        with _database(request).writing() as session:
            review = change(session, _actor(request, user)).load()
            if has_key(request):
                answer = json_bytes(render(review, assistant))
                keep_answer(request, session, status, answer)
                return answer
        return json_bytes(render(review, assistant))

    return Response(await anyio.to_thread.run_sync(work), status, media_type="application/json")


async def _read(request: Request, model: type[Model]) -> Model:
    _assistant(request)  # not ready is told before anything is read
    settings: ApiSettings = request.app.state.settings
    require_type(request, JSON_TYPES)
    return read_model(await read_body(request, settings.max_body_bytes), model)


def _assistant(request: Request) -> CodeAssistant:
    engine: Engine = request.app.state.engine
    return engine.assistant


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


def _actor(request: Request, user: User) -> Actor:
    settings: ApiSettings = request.app.state.settings
    return Actor(user.name, timedelta(minutes=settings.lock_minutes))

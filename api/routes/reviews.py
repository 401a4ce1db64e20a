"""Reviews: the worklist, one note with its codes, and what a coder does with them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Path, Query, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from api.engine import Engine
from api.errors import Problem
from api.idempotency import PROBLEMS, has_key, idempotent, keep_answer, with_key
from api.openapi import BODY, problems, request_body
from api.report_schemas import ClaimOut, ClaimQuery
from api.review_schemas import (
    LARGEST,
    AssignIn,
    DecisionIn,
    HoldIn,
    KeepIn,
    KeptOut,
    NextIn,
    OpenIn,
    ReviewOut,
    StateOut,
    SubmitIn,
    VersionIn,
    WorklistOut,
    WorklistQuery,
)
from api.reviews import locks, records, service
from api.reviews.claiming import claim_of
from api.reviews.counting import counts
from api.reviews.locks import Actor
from api.reviews.worklist import Filters, Listing, worklist
from api.routes.answers import json_bytes, json_response
from api.routes.asking import assistant_of, database_of, read
from api.schemas import NoteIn
from api.settings import ApiSettings
from api.store.reviews import ReviewRow
from api.users import Exporter, ReviewReader, ReviewWriter, User
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
    """The worklist with the number of notes in each state, of your own, and the specialties that notes have."""
    filters = Filters(query.setting, query.specialty, query.date_from, query.date_to, query.confidence)
    mine = user.name if query.mine else None
    listing = Listing(filters, query.state, mine, query.assigned_to, query.sort, query.after, query.limit)
    with database_of(request).reading() as session:
        page = worklist(session, listing)
        found = counts(session, filters, user.name)
    record: dict[str, Any] = {
        "counts": found.states,
        "mine": found.mine,
        "at_least": found.at_least,
        "specialties": found.specialties,
        "reviews": [records.summary(r) for r in page.reviews],
    }
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
    sent = await read(request, NoteIn)

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
    responses=problems(*BODY, *PROBLEMS, "nothing-waiting"),
    openapi_extra=with_key(request_body("application/json", "NextIn")),
)
@idempotent
async def open_next(request: Request, user: ReviewWriter) -> Response:
    """Open the note that you have open already, or else the first that is assigned to you, or else the first that waits
    for anybody, and lock it to you: by priority, and then the one that has waited longest."""
    sent = await read(request, NextIn)
    filters = Filters(sent.setting, sent.specialty, sent.date_from, sent.date_to, sent.confidence)
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
    responses=problems(*BODY, *PROBLEMS, *_OPENED),
    openapi_extra=with_key(request_body("application/json", "OpenIn")),
)
@idempotent
async def open_review(request: Request, user: ReviewWriter, number: Number) -> Response:
    """Lock a note to you: one that waits, is on hold, or whose lock has run out; any other only with `take_over`."""
    sent = await read(request, OpenIn)
    take = lambda s, actor: service.open_review(s, actor, number, sent.take_over)  # noqa: E731
    return await _change(request, user, take, records.whole)


@router.post(
    "/{number}/decisions",
    summary="Decide on a code",
    response_model=StateOut,
    responses=problems(*_CHANGED, *PROBLEMS, "decision-impossible", "code-not-in-release"),
    openapi_extra=with_key(request_body("application/json", "DecisionIn")),
)
@idempotent
async def decide(request: Request, user: ReviewWriter, number: Number) -> Response:
    """Take, turn down, replace, add or order codes, or change what stands beside one. It is kept when the answer comes.

    The answer has the codes as they are then, and what the rules say of them.
    """
    sent = (await read(request, DecisionIn)).root
    details = sent.model_dump(exclude_none=True, exclude={"kind", "version"})
    assistant = assistant_of(request)
    decided = lambda s, actor: service.decide_on(s, actor, number, sent.version, sent.kind, details, assistant)  # noqa: E731
    return await _change(request, user, decided)


@router.post(
    "/{number}/undo",
    summary="Undo a decision",
    response_model=StateOut,
    responses=problems(*_CHANGED, *PROBLEMS, "nothing-to-undo"),
    openapi_extra=with_key(request_body("application/json", "VersionIn")),
)
@idempotent
async def undo(request: Request, user: ReviewWriter, number: Number) -> Response:
    """Take back the last decision that stands. It stays in the history."""
    sent = await read(request, VersionIn)
    return await _change(request, user, lambda s, actor: service.undo(s, actor, number, sent.version))


@router.post(
    "/{number}/redo",
    summary="Redo a decision",
    response_model=StateOut,
    responses=problems(*_CHANGED, *PROBLEMS, "nothing-to-redo"),
    openapi_extra=with_key(request_body("application/json", "VersionIn")),
)
@idempotent
async def redo(request: Request, user: ReviewWriter, number: Number) -> Response:
    """Make the decision that was taken back last stand again."""
    sent = await read(request, VersionIn)
    return await _change(request, user, lambda s, actor: service.redo(s, actor, number, sent.version))


@router.post(
    "/{number}/hold",
    summary="Put a note on hold",
    response_model=StateOut,
    responses=problems(*_CHANGED, *PROBLEMS),
    openapi_extra=with_key(request_body("application/json", "HoldIn")),
)
@idempotent
async def hold(request: Request, user: ReviewWriter, number: Number) -> Response:
    """Put a note aside with a reason. Its decisions stay; anybody may open it again."""
    sent = await read(request, HoldIn)
    return await _change(request, user, lambda s, actor: service.hold(s, actor, number, sent.version, sent.reason))


@router.post(
    "/{number}/release",
    summary="Give a note back",
    response_model=StateOut,
    responses=problems(*_CHANGED, *PROBLEMS),
    openapi_extra=with_key(request_body("application/json", "VersionIn")),
)
@idempotent
async def release(request: Request, user: ReviewWriter, number: Number) -> Response:
    """Let a note wait again. Its decisions stay."""
    sent = await read(request, VersionIn)
    return await _change(request, user, lambda s, actor: service.release(s, actor, number, sent.version))


@router.post(
    "/{number}/submit",
    summary="Submit the codes",
    response_model=StateOut,
    responses=problems(*_CHANGED, *PROBLEMS, "decision-impossible", "findings-stand", "override-refused"),
    openapi_extra=with_key(request_body("application/json", "SubmitIn")),
)
@idempotent
async def submit(request: Request, user: ReviewWriter, number: Number) -> Response:
    """Make the codes final. Findings of level error stand in the way, unless each is overridden with a reason."""
    sent = await read(request, SubmitIn)
    overrides = [o.model_dump() for o in sent.overrides]
    assistant = assistant_of(request)
    submitted = lambda s, actor: service.submit(s, actor, number, sent.version, overrides, assistant)  # noqa: E731
    return await _change(request, user, submitted)


@router.get(
    "/{number}/claim",
    summary="Show the final codes as values of a claim",
    response_model=ClaimOut,
    responses=problems("invalid-request", "code-not-in-release", "review-unknown", "not-submitted", "audit-blind"),
)
async def show_claim(
    request: Request, user: Exporter, number: Number, query: Annotated[ClaimQuery, Query()]
) -> Response:
    """Values for the HI, SV1 and SV2 segments of an ASC X12N 837 claim. Those of a closed second look stand in place of
    the coder's codes. What does not fit is named."""
    assistant = assistant_of(request)
    settings: ApiSettings = request.app.state.settings
    asked = query.form, query.admitting, query.reason

    def work() -> dict[str, Any]:
        with database_of(request).writing() as session:
            return claim_of(session, user.name, number, *asked, assistant, settings.institutional_settings)

    return json_response(await anyio.to_thread.run_sync(work))


@router.post(
    "/{number}/keep",
    summary="Keep a note open",
    response_model=KeptOut,
    responses=problems(*BODY, *_OPENED, "review-foreign"),
    openapi_extra=request_body("application/json", "KeepIn"),
)
async def keep(request: Request, user: ReviewWriter, number: Number) -> Response:
    """Let the lock of the note that you have open begin anew: to be asked while its page is open.

    Whoever has lost it to somebody else is told so. It is no change: the version stays.
    """
    await read(request, KeepIn)
    kept = lambda s, actor: locks.keep_open(s, actor, number)  # noqa: E731
    return await _change(request, user, kept, lambda review, _: records.lock(review))


@router.post(
    "/{number}/assign",
    summary="Assign a note",
    response_model=StateOut,
    responses=problems(*BODY, *PROBLEMS, "forbidden", "assignee-unknown", "review-unknown", "review-submitted"),
    openapi_extra=with_key(request_body("application/json", "AssignIn")),
)
@idempotent
async def assign(request: Request, user: ReviewWriter, number: Number) -> Response:
    """Say whom a note is for, and how urgent it is. Coders assign to themselves; who may audit, to anybody."""
    sent = await read(request, AssignIn)
    if sent.to != user.name and not user.scopes & {"audits", "admin"}:
        raise Problem("forbidden", "To assign notes to others needs the scope audits or admin.")
    assigned = lambda s, actor: service.assign(s, actor, number, sent.to, sent.priority)  # noqa: E731
    return await _change(request, user, assigned)


async def _change(
    request: Request,
    user: User,
    change: Change,
    render: Callable[[ReviewRow, CodeAssistant], dict[str, Any]] = records.state,
    status: int = 200,
) -> Response:
    """Do the change in one transaction, and answer when it is kept."""
    assistant = assistant_of(request)

    def work() -> bytes:
        with database_of(request).writing() as session:
            review = change(session, _actor(request, user)).load()
            if has_key(request):
                answer = json_bytes(render(review, assistant))
                keep_answer(request, session, status, answer)
                return answer
        return json_bytes(render(review, assistant))

    return Response(await anyio.to_thread.run_sync(work), status, media_type="application/json")


def _actor(request: Request, user: User) -> Actor:
    settings: ApiSettings = request.app.state.settings
    return Actor(user.name, timedelta(minutes=settings.lock_minutes))

"""Second looks: an auditor recodes what a coder has submitted, and the two settle their differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Path, Query, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from api.audit_schemas import (
    AnswerIn,
    AuditIn,
    AuditNextIn,
    AuditOut,
    AuditsOut,
    AuditsQuery,
    AuditStateOut,
    CloseIn,
    MarkIn,
    ReasonsOut,
)
from api.errors import Problem
from api.idempotency import PROBLEMS, has_key, idempotent, keep_answer, with_key
from api.openapi import BODY, problems, request_body
from api.review_schemas import LARGEST, DecisionIn, VersionIn
from api.reviews import second_looks
from api.reviews.audit_records import audit_list, audit_state, audit_summary, audit_whole, reasons
from api.reviews.second_looks import Sample
from api.reviews.worklist import Filters
from api.routes.answers import json_bytes, json_response
from api.routes.asking import assistant_of, database_of, read
from api.store.audits import SecondLookRow
from api.users import Auditor, ReviewReader, ReviewWriter

if TYPE_CHECKING:
    from codeassist.assistant import CodeAssistant

router = APIRouter(prefix="/v1/audits", tags=["second look"])
Number = Annotated[int, Path(ge=1, le=LARGEST, description="The number of the second look.")]
_CHANGED = (*BODY, "audit-unknown", "audit-foreign", "audit-state", "version-stale")


@router.get("", summary="List second looks", response_model=AuditsOut, responses=problems("invalid-request"))
def list_audits(request: Request, user: ReviewReader, query: Annotated[AuditsQuery, Query()]) -> Response:
    """Second looks, the latest first. Coders see those at their own codings, once the auditor has submitted."""
    auditing = "audits" in user.scopes
    with database_of(request).reading() as session:
        page = audit_list(
            session,
            coder=query.coder if auditing else user.name,
            auditor=user.name if auditing and query.mine else None,
            state=query.state,
            hide_open=not auditing,
            after=query.after,
            limit=query.limit,
        )
        shown = [audit_summary(look) for look in page.looks]
    record: dict[str, Any] = {"counts": page.counts, "audits": shown}
    return json_response(record if page.next is None else {**record, "next": page.next})


@router.post(
    "",
    summary="Begin a second look",
    status_code=201,
    response_model=AuditOut,
    responses=problems(*BODY, *PROBLEMS, "review-unknown", "not-submitted", "audit-own", "audit-exists"),
    openapi_extra=with_key(request_body("application/json", "AuditIn")),
)
@idempotent
async def start(request: Request, user: Auditor) -> Response:
    """Look again at a certain submitted review, which nobody has looked at again yet, and which is not your own."""
    sent = await read(request, AuditIn)
    begun = lambda s: second_looks.start(s, user.name, sent.review, sent.mode)  # noqa: E731
    return await _change(request, begun, audit_whole, 201)


@router.get(":reasons", summary="List the reasons for marks", response_model=ReasonsOut, responses=problems())
def list_reasons(request: Request, user: ReviewReader) -> Response:
    """Why an auditor may mark a difference as they do."""
    return json_response({"reasons": [{"reason": name, "label": label} for name, label in reasons().items()]})


@router.post(
    ":next",
    summary="Draw a review for a second look",
    response_model=AuditOut,
    responses=problems(*BODY, *PROBLEMS, "nothing-to-audit"),
    openapi_extra=with_key(request_body("application/json", "AuditNextIn")),
)
@idempotent
async def start_next(request: Request, user: Auditor) -> Response:
    """The second look that you have open, or else one at the next review of the sample: `share` of each coder's
    submitted reviews, chosen by lot."""
    sent = await read(request, AuditNextIn)
    filters = Filters(sent.setting, sent.specialty, sent.date_from, sent.date_to, sent.confidence)
    sample = Sample(filters, sent.coder, sent.share)
    return await _change(request, lambda s: second_looks.start_next(s, user.name, sent.mode, sample), audit_whole)


@router.get(
    "/{number}",
    summary="Show a second look",
    response_model=AuditOut,
    responses=problems("invalid-request", "audit-unknown", "not-ready"),
)
async def show(request: Request, user: ReviewReader, number: Number) -> Response:
    """The note, the auditor's codes and what came of the comparison; the coder's codes, unless they are hidden yet."""
    auditing = "audits" in user.scopes
    return await _change(request, lambda s: second_looks.see(s, user.name, number, auditing), audit_whole)


@router.post(
    "/{number}/decisions",
    summary="Decide on a code in a second look",
    response_model=AuditStateOut,
    responses=problems(*_CHANGED, *PROBLEMS, "decision-impossible", "code-not-in-release"),
    openapi_extra=with_key(request_body("application/json", "DecisionIn")),
)
@idempotent
async def decide(request: Request, user: Auditor, number: Number) -> Response:
    """The decisions of a review, made by the auditor."""
    sent = (await read(request, DecisionIn)).root
    details = sent.model_dump(exclude_none=True, exclude={"kind", "version"})
    assistant = assistant_of(request)
    decided = lambda s: second_looks.decide_again(  # noqa: E731
        s, user.name, number, sent.version, sent.kind, details, assistant
    )
    return await _change(request, decided)


@router.post(
    "/{number}/undo",
    summary="Undo a decision of a second look",
    response_model=AuditStateOut,
    responses=problems(*_CHANGED, *PROBLEMS, "nothing-to-undo"),
    openapi_extra=with_key(request_body("application/json", "VersionIn")),
)
@idempotent
async def undo(request: Request, user: Auditor, number: Number) -> Response:
    """Take back the last decision that stands. It stays in the history."""
    sent = await read(request, VersionIn)
    return await _change(request, lambda s: second_looks.undo(s, user.name, number, sent.version))


@router.post(
    "/{number}/redo",
    summary="Redo a decision of a second look",
    response_model=AuditStateOut,
    responses=problems(*_CHANGED, *PROBLEMS, "nothing-to-redo"),
    openapi_extra=with_key(request_body("application/json", "VersionIn")),
)
@idempotent
async def redo(request: Request, user: Auditor, number: Number) -> Response:
    """Make the decision that was taken back last stand again."""
    sent = await read(request, VersionIn)
    return await _change(request, lambda s: second_looks.redo(s, user.name, number, sent.version))


@router.post(
    "/{number}/submit",
    summary="Submit a second look",
    response_model=AuditOut,
    responses=problems(*_CHANGED, *PROBLEMS, "decision-impossible"),
    openapi_extra=with_key(request_body("application/json", "VersionIn")),
)
@idempotent
async def submit(request: Request, user: Auditor, number: Number) -> Response:
    """Make the auditor's codes final and compare them with the coder's, which are shown from now on."""
    sent = await read(request, VersionIn)
    return await _change(request, lambda s: second_looks.submit(s, user.name, number, sent.version), audit_whole)


@router.post(
    "/{number}/abandon",
    summary="Give a second look up",
    response_model=AuditStateOut,
    responses=problems(*_CHANGED, *PROBLEMS),
    openapi_extra=with_key(request_body("application/json", "VersionIn")),
)
@idempotent
async def abandon(request: Request, user: Auditor, number: Number) -> Response:
    """Give up a second look that is open: yours, or anybody's as an administrator. Its decisions stay in the history,
    and another auditor may look at the review."""
    sent = await read(request, VersionIn)
    anyones = "admin" in user.scopes
    return await _change(request, lambda s: second_looks.abandon(s, user.name, number, sent.version, anyones))


@router.post(
    "/{number}/marks",
    summary="Mark a difference",
    response_model=AuditOut,
    responses=problems(*_CHANGED, *PROBLEMS),
    openapi_extra=with_key(request_body("application/json", "MarkIn")),
)
@idempotent
async def mark(request: Request, user: Auditor, number: Number) -> Response:
    """Say who is right in a difference, and why. It may be said anew until the second look is closed."""
    sent = await read(request, MarkIn)
    marked = lambda s: second_looks.mark(  # noqa: E731
        s, user.name, number, sent.version, sent.difference, sent.verdict, sent.reason, sent.text
    )
    return await _change(request, marked, audit_whole)


@router.post(
    "/{number}/answers",
    summary="Answer a difference",
    response_model=AuditOut,
    responses=problems(*_CHANGED, *PROBLEMS),
    openapi_extra=with_key(request_body("application/json", "AnswerIn")),
)
@idempotent
async def answer(request: Request, user: ReviewWriter, number: Number) -> Response:
    """The coder agrees with a mark, or rebuts it in words."""
    sent = await read(request, AnswerIn)
    if sent.answer == "rebut" and sent.text is None:
        raise Problem("invalid-request", "Not valid: text. Say why you rebut.")
    answered = lambda s: second_looks.answer(  # noqa: E731
        s, user.name, number, sent.version, sent.difference, sent.answer, sent.text
    )
    return await _change(request, answered, audit_whole)


@router.post(
    "/{number}/close",
    summary="Close a second look",
    response_model=AuditOut,
    responses=problems(*_CHANGED, *PROBLEMS),
    openapi_extra=with_key(request_body("application/json", "CloseIn")),
)
@idempotent
async def close(request: Request, user: Auditor, number: Number) -> Response:
    """Settle the codes as the verdicts have them: exports and claims have these from now on."""
    sent = await read(request, CloseIn)
    closed = lambda s: second_looks.close(s, user.name, number, sent.version, sent.unanswered)  # noqa: E731
    return await _change(request, closed, audit_whole)


async def _change(
    request: Request,
    change: Callable[[Session], SecondLookRow],
    render: Callable[[SecondLookRow, CodeAssistant], dict[str, Any]] = audit_state,
    status: int = 200,
) -> Response:
    """Do the change in one transaction, and answer when it is kept."""
    assistant = assistant_of(request)

    def work() -> bytes:
        with database_of(request).writing() as session:
            look = change(session).load()
            if has_key(request):
                answer = json_bytes(render(look, assistant))
                keep_answer(request, session, status, answer)
                return answer
        return json_bytes(render(look, assistant))

    return Response(await anyio.to_thread.run_sync(work), status, media_type="application/json")

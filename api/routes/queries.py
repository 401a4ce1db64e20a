"""A note in, drafts of queries to the physician out."""

from __future__ import annotations

import json

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.body import JSON_TYPES, read_body, require_type
from api.engine import Engine
from api.openapi import BODY, problems, request_body
from api.schemas import NoteIn, QueryOut, parse_note
from api.settings import ApiSettings
from api.users import needs
from codeassist.rules.queries import query_record

router = APIRouter(prefix="/v1/queries", tags=["queries"], dependencies=[Depends(needs("suggest"))])


@router.post(
    "",
    summary="Draft queries",
    response_model=list[QueryOut],
    response_description="The drafts; an empty list where the documentation suffices.",
    responses=problems(
        *BODY,
        "note-too-large",
        "invalid-input",
    ),
    openapi_extra=request_body("application/json", "NoteIn"),
)
async def draft(request: Request) -> Response:
    """Draft the queries to the physician that a note calls for: where it is short of what its codes need.

    Each quotes the note's own indicators and leaves the answer open, with "other" and "unable to determine" among the
    options. A coder decides whether to send it.
    """
    engine: Engine = request.app.state.engine
    settings: ApiSettings = request.app.state.settings
    assistant = engine.assistant
    require_type(request, JSON_TYPES)
    body = await read_body(request, settings.max_body_bytes)

    def work() -> bytes:
        note = parse_note(body, NoteIn)
        note.check_length(settings.max_characters)
        drafts = assistant.queries(note, assistant.suggest(note))
        records = [query_record(q) for q in drafts]
        return json.dumps(records, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()

    return Response(await engine.run(work), media_type="application/json")

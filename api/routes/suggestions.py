"""Notes in, ranked codes out: one at a time, or a stream of them."""

from __future__ import annotations

import logging

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.batch import LineStream
from api.body import JSON_TYPES, NDJSON_TYPES, Line, read_body, require_type
from api.engine import Engine
from api.errors import Problem, problem_of
from api.middleware import place_of
from api.openapi import BODY, problems, request_body
from api.routes.answers import json_bytes
from api.schemas import NoteIn, NoteLine, parse_note
from api.settings import ApiSettings
from api.users import needs
from codeassist.result import CodingResult

router = APIRouter(prefix="/v1/suggestions", tags=["suggestions"], dependencies=[Depends(needs("suggest"))])
log = logging.getLogger("codeassist.api")


@router.post(
    "",
    summary="Code a note",
    response_model=CodingResult,
    response_description="Suggestions by rank, what was left out and why, and findings. Unknown values are left out.",
    responses=problems(
        *BODY,
        "note-too-large",
        "invalid-input",
    ),
    openapi_extra=request_body("application/json", "NoteIn"),
)
async def suggest(request: Request) -> Response:
    """Code one note, or the documents of one encounter.

    Offsets are 0-based Unicode code points into the text as received: `text[start:end]` is the quote.
    """
    engine: Engine = request.app.state.engine
    settings: ApiSettings = request.app.state.settings
    assistant = engine.assistant
    require_type(request, JSON_TYPES)
    body = await read_body(request, settings.max_body_bytes)

    def work() -> bytes:
        note = parse_note(body, NoteIn)
        note.check_length(settings.max_characters)
        return json_bytes(assistant.suggest(note).as_record())

    return Response(await engine.run(work), media_type="application/json")


@router.post(
    ":batch",
    summary="Code a stream of notes",
    response_description="One result a line, in the order of the notes; for a bad line `{line, error}`.",
    responses={
        200: {"content": {"application/x-ndjson": {"schema": {"type": "string"}}}},
        **problems("unsupported-media-type", "not-ready", "too-busy"),
    },
    response_class=Response,
    openapi_extra=request_body("application/x-ndjson", "NoteLine"),
)
async def suggest_batch(request: Request) -> Response:
    """JSON Lines in and out. A bad line gives `{"line": n, "error": {problem}}`, and the rest goes on.

    The answers come while the lines go in; unknown fields are ignored. The lines take turns with other requests.
    """
    engine: Engine = request.app.state.engine
    settings: ApiSettings = request.app.state.settings
    assistant = engine.assistant
    require_type(request, NDJSON_TYPES)
    request_id: str = request.scope["codeassist.request_id"]

    def code(line: Line) -> bytes:
        try:
            if line.data is None:
                raise Problem("line-too-long", f"The limit of a line is {settings.max_line_bytes:,} bytes.")
            note = parse_note(line.data, NoteLine)
            note.check_length(settings.max_characters)
            record = assistant.suggest(note).as_record()
        except Exception as error:  # one bad line must not end the others: it is answered, and logged when it is ours
            problem = problem_of(error)
            if problem.kind.status >= 500:
                log.error("%s line %d %s", request_id, line.number, place_of(error))
            record = {"line": line.number, "error": problem.as_record(request_id)}
        return json_bytes(record) + b"\n"

    async def answer(line: Line) -> bytes:
        return await engine.run(lambda: code(line), waits=True)

    engine.places.open_stream()
    close = engine.places.close_stream
    return LineStream(request, answer, settings.max_line_bytes, settings.batch_buffer_bytes, close)

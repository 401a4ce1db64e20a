"""A note in, its outline out."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.body import JSON_TYPES, read_body, require_type
from api.engine import Engine
from api.openapi import BODY, problems, request_body
from api.routes.answers import json_bytes
from api.schemas import NoteIn, SectionOut, parse_note
from api.settings import ApiSettings
from api.users import Suggester
from codeassist.nlp.sections.sections import find_sections

router = APIRouter(prefix="/v1/sections", tags=["sections"])


@router.post(
    "",
    summary="Outline a note",
    response_model=list[SectionOut],
    response_description="The sections that have a heading, in the order of the note.",
    responses=problems(*BODY, "note-too-large", "invalid-input"),
    openapi_extra=request_body("application/json", "NoteIn"),
)
async def outline(request: Request, user: Suggester) -> Response:
    """The sections of a note, or of each document of an encounter, as the reader of notes finds them."""
    engine: Engine = request.app.state.engine
    settings: ApiSettings = request.app.state.settings
    require_type(request, JSON_TYPES)
    body = await read_body(request, settings.max_body_bytes)

    def work() -> bytes:
        note = parse_note(body, NoteIn)
        note.check_length(settings.max_characters)
        found = [
            ({"document": part.id} if note.documents else {})
            | {"kind": section.kind, "title": section.title, "start": section.start, "end": section.end}
            for part in note.parts
            for section in find_sections(part.text)
            if section.title
        ]
        return json_bytes(found)

    return Response(await engine.run(work), media_type="application/json")

"""A list of codes in, what the rules say of it out."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.body import JSON_TYPES, read_body, require_type
from api.engine import Engine
from api.errors import Problem
from api.openapi import BODY, problems, request_body
from api.routes.answers import json_bytes
from api.schemas import EditsOut, parse_edits
from api.settings import ApiSettings
from api.users import needs
from codeassist.rules.reading import review_record

router = APIRouter(prefix="/v1/edits", tags=["edits"], dependencies=[Depends(needs("suggest"))])


@router.post(
    "",
    summary="Check codes",
    response_model=EditsOut,
    response_description="Findings, the proposed order, the families that ran and the editions that they read.",
    responses=problems(
        *BODY,
        "note-too-large",
        "invalid-input",
    ),
    openapi_extra=request_body("application/json", "EditsIn"),
)
async def check(request: Request) -> Response:
    """Check the codes of one encounter, as a coder has chosen them, against the rules.

    A code that no release has is a finding, not an error. Without `system`, a code with a dot is ICD-10-CM; the others
    belong to the first system that has them.
    """
    engine: Engine = request.app.state.engine
    settings: ApiSettings = request.app.state.settings
    assistant = engine.assistant
    require_type(request, JSON_TYPES)
    body = await read_body(request, settings.max_body_bytes)

    def work() -> bytes:
        encounter = parse_edits(body, assistant.terminology)
        if len(encounter.text) > settings.max_characters:
            raise Problem("note-too-large", f"The limit is {settings.max_characters:,} characters.")
        return json_bytes(review_record(assistant.check(encounter)))

    return Response(await engine.run(work), media_type="application/json")

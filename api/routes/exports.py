"""Submitted reviews for other programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response, StreamingResponse

from api.engine import Engine
from api.openapi import problems
from api.review_schemas import NotesQuery
from api.reviews import exports
from api.reviews.final import Final
from api.reviews.worklist import Filters
from api.routes.asking import releases_of
from api.store.database import Database
from api.users import Exporter, User

router = APIRouter(prefix="/v1/exports", tags=["exports"])


@router.get(
    "/audited",
    summary="Export audited notes",
    response_description="One submitted note a line, with its codes, their evidence, and what was turned down.",
    response_class=Response,
    responses={
        200: {"content": {"application/x-ndjson": {"schema": {"type": "string"}}}},
        **problems("invalid-request", "not-ready"),
    },
)
def audited(request: Request, user: Exporter, query: Annotated[NotesQuery, Query()]) -> Response:
    """Submitted notes with their final codes as JSON Lines, as `codeassist train --audited` reads them."""
    return _export(request, user, query, "audited", exports.audited, "application/x-ndjson", "audited.jsonl")


@router.get(
    "/codes",
    summary="Export final codes",
    response_description="One code a line, the header first.",
    response_class=Response,
    responses={
        200: {"content": {"text/csv": {"schema": {"type": "string"}}}},
        **problems("invalid-request", "not-ready"),
    },
)
def codes(request: Request, user: Exporter, query: Annotated[NotesQuery, Query()]) -> Response:
    """The codes of submitted notes as CSV. A cell that a spreadsheet would take for a formula begins with `'`."""
    return _export(request, user, query, "codes", exports.final_codes, "text/csv", "codes.csv")


def _export(
    request: Request,
    user: User,
    query: NotesQuery,
    name: str,
    write: Callable[[Iterator[Final]], Iterator[str]],
    media_type: str,
    file: str,
) -> Response:
    """A stream of what is submitted now; the audit trail has it before the first line goes out."""
    database: Database = request.app.state.database
    engine: Engine = request.app.state.engine
    releases = releases_of(engine.assistant)
    filters = Filters(query.setting, query.specialty, query.date_from, query.date_to)
    until = exports.record_export(database, user.name, name, filters, releases)
    lines = write(exports.submitted(database, user.name, filters, until))
    headers = {"Content-Disposition": f'attachment; filename="{file}"'}
    return StreamingResponse(lines, media_type=media_type, headers=headers)

"""Reports on learning from use: drift by week, and the candidate release in shadow."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request
from sqlalchemy import select
from starlette.responses import Response

from api.engine import Engine
from api.errors import Problem
from api.openapi import problems
from api.reviews.service import coding_of, note_of
from api.routes.answers import json_response
from api.settings import ApiSettings
from api.shadow.process import Shadow
from api.shadow.report import shadow_report
from api.store.base import now
from api.store.database import Database
from api.store.notes import NoteRow
from api.store.reviews import ReviewRow
from api.users import ReportReader
from codeassist.drift import Limits, Observed, Profile, drift_by_week, observe
from codeassist.drift.profile import read_profile

if TYPE_CHECKING:
    from datetime import datetime

router = APIRouter(prefix="/v1/reports", tags=["reports"])
_FETCHED = 50
Weeks = Annotated[int, Query(ge=1, le=520, description="How many weeks back, by the day that a note came in.")]


@router.get(
    "/drift",
    summary="Drift by week",
    response_description="For each week the shift of every measure against the training data, and findings.",
    responses=problems("invalid-request", "not-ready", "no-profile", "database-unusable"),
)
async def drift(request: Request, user: ReportReader, weeks: Weeks = 12) -> dict[str, Any]:
    """Notes in review, suggestions and acceptance by week, against the training data of the release that serves."""
    engine: Engine = request.app.state.engine
    settings: ApiSettings = request.app.state.settings
    database: Database = request.app.state.database
    record = engine.assistant.release.profile
    if record is None:
        raise Problem("no-profile", "The release that serves keeps no profile of its training data: train it again.")
    limits = Limits(settings.drift_psi, settings.drift_divergence, settings.drift_acceptance, settings.drift_notes)

    def work() -> dict[str, Any]:
        profile = read_profile(record)
        seen = _observed(database, profile, now() - timedelta(weeks=weeks))
        return drift_by_week(profile, seen, limits).as_record()

    return await engine.run(work)


@router.get(
    "/shadow",
    summary="The candidate release in shadow",
    response_description="Whether notes are scored now, and what each candidate release made of them.",
    responses=problems("not-ready", "database-unusable"),
)
async def shadow(request: Request, user: ReportReader) -> Response:
    """What candidate releases made of live notes, and how they compare with what was shown and what coders decided."""
    engine: Engine = request.app.state.engine
    running: Shadow = request.app.state.shadow
    database: Database = request.app.state.database
    releases = await engine.run(lambda: shadow_report(database))
    return json_response({"running": running.running, "releases": releases})


def _observed(database: Database, profile: Profile, since: datetime) -> Iterator[Observed]:
    """What is observed of each note in review, a few at a time."""
    after = 0
    while True:
        query = select(ReviewRow).join(ReviewRow.note).where(NoteRow.received >= since, ReviewRow.id > after)
        with database.reading() as session:
            rows = [r.load() for r in session.scalars(query.order_by(ReviewRow.id).limit(_FETCHED))]
        for r in rows:
            final = {line.key for line in coding_of(r).lines} if r.state == "submitted" else None
            yield observe(profile, r.note.received.date(), note_of(r), r.suggestions.result, final)
        if len(rows) < _FETCHED:
            return
        after = rows[-1].id

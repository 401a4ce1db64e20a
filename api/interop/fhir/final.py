"""The final codes of a submitted review as FHIR."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from api.interop.fhir.outcome import FHIR_JSON, resource_response
from api.interop.fhir.writing import Coded, bundle
from api.interop.state import database_of
from api.openapi import problems
from api.review_schemas import LARGEST
from api.reviews.errors import ReviewUnknown
from api.reviews.final import Final, final_of
from api.reviews.records import line_record
from api.reviews.service import note_of
from api.store.audit import Releases, append
from api.store.base import now
from api.store.reviews import ReviewRow
from api.users import Exporter

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

router = APIRouter(prefix="/v1/reviews", tags=["reviews"])


@router.get(
    "/{number}/fhir",
    summary="Final codes as FHIR",
    response_class=Response,
    response_description="A FHIR R4 Bundle: Conditions, Procedures, a draft Claim and Provenance.",
    responses={
        200: {"content": {FHIR_JSON: {"schema": {"type": "object"}}}},
        **problems("invalid-request", "review-unknown", "not-submitted"),
    },
)
async def final_codes(
    request: Request, user: Exporter, number: Annotated[int, Path(ge=1, le=LARGEST, description="The review.")]
) -> Response:
    """The codes of a submitted review as a FHIR R4 Bundle. The audit trail keeps who took them."""

    def work() -> dict[str, Any]:
        with database_of(request).writing() as session:
            review = _submitted(session, number)
            releases = Releases(review.suggestions.model, review.suggestions.terminology)
            final = final_of(session, review)
            append(session, user.name, "export", f"review/{number}", releases, {"format": "fhir"})
        return bundle(coded_of(final), now())

    return resource_response(await anyio.to_thread.run_sync(work))


def coded_of(final: Final) -> Coded:
    """The codes that a coder, or a second look, has made final, as what FHIR resources are made of."""
    review = final.review
    note, record = note_of(review), review.note.record
    facts = dict(record.get("fhir") or {})
    patient = (record.get("patient") or {}).get("id")
    if "subject" not in facts and isinstance(patient, str) and patient.startswith("Patient/"):
        facts["subject"] = patient
    return Coded(
        id=note.id,
        setting=review.note.setting,
        date_of_service=review.note.date_of_service.isoformat(),
        model=review.suggestions.model,
        terminology=review.suggestions.terminology,
        items=[line_record(line, place) for place, line in enumerate(final.lines, 1)],
        documents=note.parts,
        facts=facts,
        final=True,
        coder=review.submitted_by,
    )


def _submitted(session: Session, number: int) -> ReviewRow:
    review = session.get(ReviewRow, number)
    if review is None:
        raise ReviewUnknown(f"there is no review {number}")
    return review.load()

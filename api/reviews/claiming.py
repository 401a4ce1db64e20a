"""A review's final codes as the claim that goes out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from api.reviews.blinding import refuse_blind
from api.reviews.claims import Form, Service, claim
from api.reviews.errors import ReviewUnknown
from api.reviews.final import final_codes
from api.reviews.locks import note
from api.reviews.reading import written
from api.store.reviews import ReviewRow

if TYPE_CHECKING:
    from codeassist.assistant import CodeAssistant


def claim_of(
    session: Session,
    user: str,
    number: int,
    form: Form | None,
    admitting: str | None,
    reasons: Sequence[str],
    assistant: CodeAssistant,
    institutional: Collection[str],
) -> dict[str, Any]:
    """The claim as JSON, and its record in the audit trail; without ``form`` a note of an ``institutional`` setting
    goes on an institutional claim. Raises :class:`ReviewUnknown`,
    :class:`~api.reviews.errors.NotSubmitted`, :class:`~api.reviews.errors.AuditBlind`, and
    :class:`~api.reviews.errors.NotInRelease` for an admitting diagnosis or reason that is no code."""
    review = session.get(ReviewRow, number)
    if review is None:
        raise ReviewUnknown(f"there is no review {number}")
    refuse_blind(session, user, number)
    inpatient = review.setting == "inpatient"
    chosen: Form = form or ("institutional" if review.setting in institutional else "professional")
    given = None if admitting is None else written("icd-10-cm", admitting, assistant.terminology)
    whys = [written("icd-10-cm", code, assistant.terminology) for code in reasons]
    made = claim(final_codes(session, review), chosen, inpatient, given, whys)
    note(session, user, "export", review, {"claim": chosen})
    return {
        "review": review.id,
        "note_id": review.record_id,
        "form": made.form,
        "hi": [
            {
                "qualifier": code.qualifier,
                "code": code.code,
                **({} if code.poa is None else {"poa": code.poa}),
                "composite": code.composite,
            }
            for code in made.hi
        ],
        "sv1": [
            {**_service(service), "pointers": list(service.pointers)}
            for service in made.services
            if chosen == "professional"
        ],
        "sv2": [{**_service(service), "revenue_code": None} for service in made.services if chosen == "institutional"],
        "segments": made.segments,
        "warnings": list(made.warnings),
    }


def _service(service: Service) -> dict[str, Any]:
    return {"line": service.number, "procedure": service.procedure, "unit": "UN", "units": service.units}

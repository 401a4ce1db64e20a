"""A review's final codes as the claim that goes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from api.reviews.blinding import refuse_blind
from api.reviews.claims import Form, claim
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
) -> dict[str, Any]:
    """The claim as JSON, and its record in the audit trail. Raises :class:`ReviewUnknown`,
    :class:`~api.reviews.errors.NotSubmitted`, :class:`~api.reviews.errors.AuditBlind`, and
    :class:`~api.reviews.errors.NotInRelease` for an admitting diagnosis or reason that is no code."""
    review = session.get(ReviewRow, number)
    if review is None:
        raise ReviewUnknown(f"there is no review {number}")
    refuse_blind(session, user, number)
    inpatient = review.setting == "inpatient"
    chosen = form or ("institutional" if inpatient else "professional")
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
            {
                "line": service.number,
                "procedure": service.procedure,
                "unit": "UN",
                "units": service.units,
                "pointers": list(service.pointers),
            }
            for service in made.services
        ],
        "segments": made.segments,
        "warnings": list(made.warnings),
    }

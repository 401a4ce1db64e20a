"""What clinicians did with the cards of a review, for those who train."""

from __future__ import annotations

from typing import Any

from api.reviews.final import Final


def feedback_record(final: Final) -> dict[str, Any]:
    """The fields that feedback adds to an audited note: ``rejected`` with what clinicians turned down and the coder
    did not choose, and ``feedback`` with what they did. The latest feedback on a card counts."""
    rejected = [{"system": system, "code": code} for system, code in final.rejected]
    if not final.review.feedback:
        return {"rejected": rejected}
    latest = {row.card: row for row in final.review.feedback}
    said: dict[str, list[dict[str, Any]]] = {"accepted": [], "rejected": []}
    for row in latest.values():
        codes = said["accepted" if row.outcome == "accepted" else "rejected"]
        codes += [code for code in row.codes if code not in codes]
    accepted, chosen = said["accepted"], {line.key for line in final.lines}
    turned_down = [
        code for code in said["rejected"] if code not in accepted and (code["system"], code["code"]) not in chosen
    ]
    return {"rejected": rejected + [c for c in turned_down if c not in rejected], "feedback": said}

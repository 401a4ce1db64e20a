"""Reviews as the JSON that goes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api.reviews.checking import check
from api.reviews.coding import Coding, Line, standing
from api.reviews.service import coding_of, note_of
from api.store.base import now, stamp
from api.store.reviews import ReviewRow
from codeassist.result import finding_record

if TYPE_CHECKING:
    from codeassist.assistant import CodeAssistant


def summary(review: ReviewRow) -> dict[str, Any]:
    """A review as the worklist shows it. What is unknown is left out."""
    record: dict[str, Any] = {
        "review": review.id,
        "state": review.state,
        "version": review.version,
        "note_id": review.note.record["id"],
        "setting": review.note.setting,
        "date_of_service": review.note.date_of_service.isoformat(),
        "received": stamp(review.note.received),
    }
    if review.note.specialty is not None:
        record["specialty"] = review.note.specialty
    if review.holder is not None and review.lock_until is not None:
        record["lock"] = {
            "holder": review.holder,
            "until": stamp(review.lock_until),
            "expired": review.lock_until <= now(),
        }
    if review.hold_reason is not None:
        record["hold_reason"] = review.hold_reason
    if review.submitted_at is not None:
        record["submitted"] = {"by": review.submitted_by, "time": stamp(review.submitted_at)}
    return record


def state(review: ReviewRow, assistant: CodeAssistant) -> dict[str, Any]:
    """A review as each change leaves it: its codes, its decisions, and what the rules say now."""
    coding = coding_of(review)
    done, undone = standing(review.decisions)
    found = check(coding, note_of(review), assistant)
    active = {decision.number for decision in done}
    return {
        **summary(review),
        "codes": [line_record(line, place) for place, line in enumerate(coding.lines, 1)],
        "rejected": rejected_records(coding),
        "undecided": sum(
            1
            for s in review.suggestions.result["suggestions"]
            if s["tier"] == "code"
            and not coding.has((s["system"], s["code"]))
            and (s["system"], s["code"]) not in coding.rejected
        ),
        "findings": [finding_record(f) for f in found.findings],
        "sequence": [{"code": code, "reason": reason} for code, reason in found.sequence],
        "decisions": [
            {
                "number": d.number,
                "kind": d.kind,
                "user": d.user_name,
                "time": stamp(d.time),
                "stands": d.number in active,
                **({} if d.supersedes is None else {"supersedes": d.supersedes}),
                "details": d.details,
            }
            for d in review.decisions
        ],
        "can_undo": bool(done),
        "can_redo": bool(undone),
    }


def whole(review: ReviewRow, assistant: CodeAssistant) -> dict[str, Any]:
    """A review with the note, and the suggestions as they were made."""
    return {**state(review, assistant), "note": review.note.record, "result": review.suggestions.result}


def line_record(line: Line, sequence: int) -> dict[str, Any]:
    """A chosen code."""
    record: dict[str, Any] = {
        "system": line.system,
        "code": line.code,
        "display": line.display,
        "origin": line.origin,
        "sequence": sequence,
        "evidence": list(line.evidence),
    }
    if line.poa is not None:
        record["poa"] = line.poa
    if line.modifiers:
        record["modifiers"] = list(line.modifiers)
    if line.units is not None:
        record["units"] = line.units
    if line.diagnoses:
        record["diagnoses"] = list(line.diagnoses)
    if line.instead_of is not None:
        record["instead_of"] = line.instead_of
    return record


def rejected_records(coding: Coding) -> list[dict[str, str]]:
    """The codes that were turned down."""
    return [{"system": s, "code": c, "reason": reason} for (s, c), reason in coding.rejected.items()]

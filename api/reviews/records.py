"""Reviews as the JSON that goes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from api.reviews.checking import check
from api.reviews.coding import Coding, Line, standing
from api.reviews.completeness import gap_record, missing_of
from api.reviews.service import coding_of, note_of
from api.store.audits import SecondLookDecisionRow
from api.store.base import now, stamp
from api.store.decisions import DecisionRow
from api.store.reviews import ReviewRow
from codeassist.result import finding_record

if TYPE_CHECKING:
    from codeassist.assistant import CodeAssistant

Made = DecisionRow | SecondLookDecisionRow
"""A decision, of the coder or of the auditor."""


def summary(review: ReviewRow) -> dict[str, Any]:
    """A review as the worklist shows it. What is unknown is left out."""
    record: dict[str, Any] = {
        "review": review.id,
        "state": review.state,
        "version": review.version,
        "note_id": review.record_id,
        "setting": review.setting,
        "date_of_service": review.date_of_service.isoformat(),
        "received": stamp(review.received),
        "confidence": review.confidence,
        "confidence_band": review.band,
        "priority": review.priority,
    }
    for name in ("specialty", "assigned_to", "hold_reason"):
        if getattr(review, name) is not None:
            record[name] = getattr(review, name)
    if review.lock_until is not None:
        record["lock"] = lock(review)["lock"]
    if review.submitted_at is not None:
        record["submitted"] = {"by": review.submitted_by, "time": stamp(review.submitted_at)}
    return record


def lock(review: ReviewRow) -> dict[str, Any]:
    """Who has a review open, and until when."""
    assert review.lock_until is not None
    until = {"holder": review.holder, "until": stamp(review.lock_until), "expired": review.lock_until <= now()}
    return {"review": review.id, "version": review.version, "lock": until}


def state(review: ReviewRow, assistant: CodeAssistant) -> dict[str, Any]:
    """A review as each change leaves it: its codes, its decisions, and what the rules say now."""
    return {**summary(review), **work_record(review, coding_of(review), review.decisions, assistant)}


def work_record(
    review: ReviewRow, coding: Coding, decisions: Sequence[Made], assistant: CodeAssistant
) -> dict[str, Any]:
    """A coding of the review's note, by whom ever: its codes, the decisions that made it, and what the rules say."""
    done, undone = standing(decisions)
    found = check(coding, note_of(review), assistant)
    active = {decision.number for decision in done}
    return {
        "codes": line_records(coding.lines),
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
        "decisions": [_decision(d, d.number in active) for d in decisions],
        "can_undo": bool(done),
        "can_redo": bool(undone),
    }


def _decision(made: Made, stands: bool) -> dict[str, Any]:
    superseded = {} if made.supersedes is None else {"supersedes": made.supersedes}
    who = {"number": made.number, "kind": made.kind, "user": made.user_name, "time": stamp(made.time)}
    return {**who, "stands": stands, **superseded, "details": made.details}


def material(review: ReviewRow) -> dict[str, Any]:
    """What a review is made from: the note, the suggestions as they were made, and what is missing."""
    result = review.suggestions.result
    return {
        "note": review.note.record,
        "result": result,
        "missing": [gap_record(gap) for gap in missing_of(note_of(review), result, review.dated)],
    }


def whole(review: ReviewRow, assistant: CodeAssistant) -> dict[str, Any]:
    """A review with what it is made from, and the errors that it was submitted in spite of."""
    return {**state(review, assistant), **material(review), "overrides": override_records(review)}


def override_records(review: ReviewRow) -> list[dict[str, Any]]:
    """The findings that the coder overrode, each with the reason."""
    return [
        {
            "rule": o.rule,
            "codes": o.codes,
            "message": o.message,
            "reason": o.reason,
            "user": o.user_name,
            "time": stamp(o.time),
        }
        for o in review.overrides
    ]


def line_records(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """Chosen codes in their order."""
    return [line_record(line, place) for place, line in enumerate(lines, 1)]


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

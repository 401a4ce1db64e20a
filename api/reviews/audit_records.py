"""Second looks as the JSON that goes out, and the list of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from api.reviews.agreement import scores
from api.reviews.final import read_line
from api.reviews.records import line_records, material, override_records, rejected_records, work_record
from api.reviews.second_looks import auditing_of
from api.reviews.service import coding_of
from api.reviews.tables import read_table
from api.store.audits import AUDIT_STATES, AuditState, DifferenceRow, SecondLookRow
from api.store.base import stamp

if TYPE_CHECKING:
    from codeassist.assistant import CodeAssistant


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Some second looks, the latest first, and how many are in each state."""

    looks: list[SecondLookRow]
    next: int | None
    counts: Mapping[AuditState, int]


def audit_list(
    session: Session,
    *,
    coder: str | None,
    auditor: str | None,
    state: AuditState | None,
    hide_open: bool,
    after: int,
    limit: int,
) -> AuditPage:
    """A page of second looks, the latest first; ``hide_open`` leaves out those that were not submitted."""
    meant = []
    if coder is not None:
        meant.append(SecondLookRow.coder == coder)
    if auditor is not None:
        meant.append(SecondLookRow.auditor == auditor)
    if hide_open:
        meant.append(SecondLookRow.submitted_at.is_not(None))
    counted = select(SecondLookRow.state, func.count()).where(*meant).group_by(SecondLookRow.state)
    counts: dict[AuditState, int] = dict.fromkeys(AUDIT_STATES, 0)
    for name, number in session.execute(counted):
        counts[name] = number
    query = select(SecondLookRow).where(*meant)
    if state is not None:
        query = query.where(SecondLookRow.state == state)
    if after:
        query = query.where(SecondLookRow.id < after)
    eager = joinedload(SecondLookRow.review), selectinload(SecondLookRow.differences)
    found = list(session.scalars(query.options(*eager).order_by(SecondLookRow.id.desc()).limit(limit + 1)))
    return AuditPage(found[:limit], found[limit - 1].id if len(found) > limit else None, counts)


@cache
def reasons() -> Mapping[str, str]:
    """Why an auditor may mark a difference, by its name, in words."""
    return {row[0]: row[1] for row in read_table("audit_reasons.tsv", 2)}


def audit_summary(look: SecondLookRow) -> dict[str, Any]:
    """A second look as a list shows it. A blind one does not say whose coding it is before it is submitted."""
    record: dict[str, Any] = {
        "audit": look.id,
        "review": look.review_id,
        "note_id": look.review.record_id,
        "setting": look.review.setting,
        "date_of_service": look.review.date_of_service.isoformat(),
        "auditor": look.auditor,
        "mode": look.mode,
        "state": look.state,
        "version": look.version,
        "opened": stamp(look.opened_at),
    }
    if not _hidden(look):
        record["coder"] = look.coder
    if look.submitted_at is not None:
        record["submitted"] = stamp(look.submitted_at)
        record["differences"] = len(look.differences)
        record["unmarked"] = sum(1 for d in look.differences if d.verdict is None)
        record["unanswered"] = sum(1 for d in look.differences if d.answer is None)
    if look.closed_at is not None:
        record["closed"] = stamp(look.closed_at)
    return record


def audit_state(look: SecondLookRow, assistant: CodeAssistant) -> dict[str, Any]:
    """A second look as each change leaves it: the auditor's codes, and what the rules say of them."""
    return {**audit_summary(look), **work_record(look.review, auditing_of(look), look.decisions, assistant)}


def audit_whole(look: SecondLookRow, assistant: CodeAssistant) -> dict[str, Any]:
    """A second look with the note and the suggestions; with the coder's codes unless they are hidden; and with the
    comparison once it is made."""
    record = {**audit_state(look, assistant), **material(look.review)}
    if not _hidden(look):
        coding = coding_of(look.review)
        record["coder_codes"] = line_records(coding.lines)
        record["coder_rejected"] = rejected_records(coding)
        record["coder_overrides"] = override_records(look.review)
    if look.submitted_at is not None:
        record["comparison"] = _comparison(look)
    if look.final is not None:
        record["final_codes"] = line_records([read_line(line) for line in look.final])
    return record


def _hidden(look: SecondLookRow) -> bool:
    return look.mode == "blind" and look.submitted_at is None


def _comparison(look: SecondLookRow) -> dict[str, Any]:
    agreed, missed, extra, neither = look.agreed or 0, look.missed or 0, look.extra or 0, look.neither or 0
    record: dict[str, Any] = {"agreed": agreed, "missed": missed, "extra": extra, "neither": neither}
    record |= {"exact": look.exact, "principal_agreed": look.principal_agreed}
    record |= {name: value for name, value in scores(agreed, missed, extra).items() if value is not None}
    record["differences"] = [_difference(d) for d in look.differences]
    return record


def _difference(row: DifferenceRow) -> dict[str, Any]:
    record: dict[str, Any] = {"difference": row.number, "kind": row.kind, "system": row.system}
    values = row.kind not in ("missed", "extra", "different")
    for name in ("coder", "auditor"):
        record[f"{name}_value" if values else name] = row.details[name]
    if "code" in row.details:
        record["code"] = row.details["code"]
    for name in ("verdict", "reason", "text", "answer", "answer_text"):
        if getattr(row, name) is not None:
            record[name] = getattr(row, name)
    return record

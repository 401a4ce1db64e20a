"""What can be done with a review. Each function works in the transaction of its session, and writes the audit record
of what it did there too: both are kept, or neither.

All raise :class:`~api.reviews.errors.ReviewError`: for a review that is unknown, submitted, open at somebody else's or
not opened by the user, and for a version that is not the latest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.reviews.checking import check
from api.reviews.coding import Coding, coded, decide, standing
from api.reviews.errors import (
    DecisionImpossible,
    FindingsStand,
    NothingToRedo,
    NothingToUndo,
    NothingWaiting,
    OverrideRefused,
    ReviewClosed,
    ReviewForeign,
    ReviewLocked,
    ReviewSubmitted,
    ReviewUnknown,
    VersionStale,
)
from api.reviews.events import submitted_record
from api.reviews.reading import read_decision
from api.reviews.worklist import Filters, unlocked
from api.store.audit import Action, Releases, append
from api.store.base import now
from api.store.decisions import DecisionRow, OverrideRow
from api.store.events import publish
from api.store.notes import NoteRow, SuggestionsRow
from api.store.reviews import ReviewRow
from codeassist.note import Note, note_from_record
from codeassist.result import CodingResult, Finding

if TYPE_CHECKING:
    from codeassist.assistant import CodeAssistant


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, and how long what they open stays locked to them."""

    name: str
    lock: timedelta


def note_of(review: ReviewRow) -> Note:
    """The note under review."""
    return note_from_record(review.note.record)


def coding_of(review: ReviewRow) -> Coding:
    """The codes as the decisions so far make them."""
    return coded(review.suggestions.result, review.decisions)


def create(session: Session, actor: Actor, record: Mapping[str, Any], result: CodingResult) -> ReviewRow:
    """Keep a note and the suggestions for it; its review waits for a coder. ``record`` is the note as received."""
    made = result.as_record()
    kept = {**record, "id": result.id, "setting": made["setting"], "date_of_service": made["date_of_service"]}
    note = NoteRow(
        setting=result.setting,
        date_of_service=result.date_of_service,
        specialty=record.get("specialty"),
        record=kept,
        received=now(),
    )
    session.add(note)
    session.flush()
    suggestions = SuggestionsRow(
        note_id=note.id, made=now(), model=made["model"], terminology=made["terminology"], result=made
    )
    session.add(suggestions)
    session.flush()
    review = ReviewRow(note_id=note.id, suggestions_id=suggestions.id, state="waiting", version=1)
    session.add(review)
    session.flush()
    _audit(session, actor, "create", review, {"suggestions": len(result.suggestions)})
    return review


def view(session: Session, actor: Actor, number: int) -> ReviewRow:
    """A review, to be looked at by anybody."""
    review = session.get(ReviewRow, number)
    if review is None:
        raise ReviewUnknown(f"there is no review {number}")
    _audit(session, actor, "view", review, {"version": review.version})
    return review


def open_next(session: Session, actor: Actor, filters: Filters) -> ReviewRow:
    """Open the review that the user has open already, or else the longest waiting one. Raises
    :class:`NothingWaiting`."""
    meant = select(ReviewRow).join(ReviewRow.note).where(*filters.conditions())
    mine = meant.where(ReviewRow.state == "open", ReviewRow.holder == actor.name)
    for query in (mine, meant.where(unlocked())):
        # two who ask at once get two notes: a row that somebody is about to take is passed over
        first = query.order_by(ReviewRow.id).limit(1).with_for_update(skip_locked=True, of=ReviewRow)
        review = session.scalars(first).first()
        if review is not None:
            return _take(session, actor, review)
    raise NothingWaiting("no note waits for you here")


def open_review(session: Session, actor: Actor, number: int, take_over: bool = False) -> ReviewRow:
    """Open a review and lock it to the user. One that somebody else has open is refused until its lock has run out,
    unless the user means to ``take_over``."""
    review = _locked_row(session, number)
    if _elsewhere(review, actor) and not take_over:
        raise _locked(review)
    return _take(session, actor, review)


def decide_on(
    session: Session,
    actor: Actor,
    number: int,
    version: int,
    kind: str,
    sent: Mapping[str, Any],
    assistant: CodeAssistant,
) -> ReviewRow:
    """Keep a decision. Raises :class:`~api.reviews.errors.DecisionImpossible` or
    :class:`~api.reviews.errors.NotInRelease`."""
    review = _mine(session, actor, number, version)
    coding = coding_of(review)
    details = read_decision(kind, sent, coding, note_of(review), assistant.terminology)
    decide(coding, kind, details)
    return _keep(session, actor, review, "decision", kind, details)


def undo(session: Session, actor: Actor, number: int, version: int) -> ReviewRow:
    """Take back the last decision that stands. Raises :class:`NothingToUndo`."""
    review = _mine(session, actor, number, version)
    done, _ = standing(review.decisions)
    if not done:
        raise NothingToUndo("no decision is left to take back")
    return _keep(session, actor, review, "undo", "undo", {}, done[-1].number)


def redo(session: Session, actor: Actor, number: int, version: int) -> ReviewRow:
    """Make the decision that was taken back last stand again. Raises :class:`NothingToRedo`."""
    review = _mine(session, actor, number, version)
    _, undone = standing(review.decisions)
    if not undone:
        raise NothingToRedo("nothing was taken back since the last decision")
    return _keep(session, actor, review, "redo", "redo", {}, undone[-1][1].number)


def hold(session: Session, actor: Actor, number: int, version: int, reason: str) -> ReviewRow:
    """Put a review aside, with the reason. Its decisions stay, and anybody may open it again."""
    review = _mine(session, actor, number, version)
    review.state, review.hold_reason = "held", reason
    return _leave(session, actor, review, "hold")


def release(session: Session, actor: Actor, number: int, version: int) -> ReviewRow:
    """Give a review back to those that wait. Its decisions stay."""
    review = _mine(session, actor, number, version)
    review.state = "waiting"
    return _leave(session, actor, review, "release")


def submit(
    session: Session,
    actor: Actor,
    number: int,
    version: int,
    overrides: Sequence[Mapping[str, Any]],
    assistant: CodeAssistant,
) -> ReviewRow:
    """Make the codes final.

    Raises :class:`FindingsStand` when a finding of level error is not among ``overrides`` (rule, codes, reason), and
    :class:`OverrideRefused` for an override of what is no such finding or may not be overridden.
    """
    review = _mine(session, actor, number, version)
    coding = coding_of(review)
    if not coding.lines:
        raise DecisionImpossible("no code is chosen: hold the note with a reason if it has none")
    errors = [f for f in check(coding, note_of(review), assistant).findings if f.level == "error"]
    reasons = {_about(o["rule"], o["codes"]): o["reason"] for o in overrides}
    _refuse(errors, reasons)
    for finding in errors:
        _override(session, actor, review, finding, reasons[_about(finding.rule, finding.codes)])
    review.state, review.submitted_by, review.submitted_at = "submitted", actor.name, now()
    review.holder = review.lock_until = None
    review.version += 1
    _audit(session, actor, "submit", review, {"version": review.version, "codes": len(coding.lines)})
    publish(session, "review.submitted", review.id, submitted_record(review, coding))
    return review


def close(session: Session, actor: Actor, number: int, reason: str) -> ReviewRow:
    """End a review without codes, because its document is no longer one to code; ``reason`` quotes nothing of it.
    Whoever has it open loses it. Raises :class:`ReviewSubmitted` where codes are final already."""
    review = _locked_row(session, number)
    review.state, review.hold_reason = "closed", reason
    return _leave(session, actor, review, "close")


def _refuse(errors: Sequence[Finding], reasons: Mapping[tuple[str, frozenset[str]], str]) -> None:
    about = {_about(f.rule, f.codes): f for f in errors}
    for rule, codes in reasons:
        finding = about.get((rule, codes))
        if finding is None:
            raise OverrideRefused(f"no error of {rule} stands on {', '.join(sorted(codes)) or 'these codes'}")
        if not finding.overridable:
            raise OverrideRefused(f"{rule} can't be overridden: mend the codes")
    standing_still = [f"{f.rule} ({', '.join(f.codes)})" for key, f in about.items() if key not in reasons]
    if standing_still:
        raise FindingsStand(f"errors stand: {'; '.join(standing_still)}")


def _about(rule: str, codes: Sequence[str]) -> tuple[str, frozenset[str]]:
    return rule, frozenset(codes)


def _override(session: Session, actor: Actor, review: ReviewRow, finding: Finding, reason: str) -> None:
    codes = list(finding.codes)
    session.add(
        OverrideRow(
            review_id=review.id,
            rule=finding.rule,
            codes=codes,
            message=finding.message,
            reason=reason,
            user_name=actor.name,
            time=now(),
        )
    )
    _audit(session, actor, "override", review, {"rule": finding.rule, "codes": codes})


def _locked_row(session: Session, number: int) -> ReviewRow:
    review = session.scalars(select(ReviewRow).where(ReviewRow.id == number).with_for_update()).first()
    if review is None:
        raise ReviewUnknown(f"there is no review {number}")
    if review.state == "submitted":
        raise ReviewSubmitted(f"review {number} is submitted: its codes are final")
    if review.state == "closed":
        raise ReviewClosed(f"review {number} is closed: {review.hold_reason}")
    return review


def _mine(session: Session, actor: Actor, number: int, version: int) -> ReviewRow:
    """The review, which the user has open at its latest version. A lock that has run out still holds while nobody else
    has taken the note."""
    review = _locked_row(session, number)
    if _elsewhere(review, actor):
        raise _locked(review)
    if review.state != "open" or review.holder != actor.name:
        raise ReviewForeign(f"open review {number} before you change it")
    if review.version != version:
        raise VersionStale(f"review {number} is at version {review.version}, not {version}: read it again")
    return review


def _elsewhere(review: ReviewRow, actor: Actor) -> bool:
    locked = review.state == "open" and review.lock_until is not None and review.lock_until > now()
    return locked and review.holder != actor.name


def _locked(review: ReviewRow) -> ReviewLocked:
    return ReviewLocked(f"review {review.id} is open: {review.holder} has it")


def _take(session: Session, actor: Actor, review: ReviewRow) -> ReviewRow:
    action: Action = "take-over" if review.state == "open" and review.holder != actor.name else "open"
    details = {"from": review.holder} if action == "take-over" else {}
    if review.state != "open" or review.holder != actor.name:
        review.version += 1
    review.state, review.holder, review.hold_reason = "open", actor.name, None
    review.lock_until = now() + actor.lock
    _audit(session, actor, action, review, {"version": review.version, **details})
    return review


def _leave(session: Session, actor: Actor, review: ReviewRow, action: Action) -> ReviewRow:
    review.holder = review.lock_until = None
    review.version += 1
    _audit(session, actor, action, review, {"version": review.version})
    return review


def _keep(
    session: Session,
    actor: Actor,
    review: ReviewRow,
    action: Action,
    kind: str,
    details: Mapping[str, Any],
    supersedes: int | None = None,
) -> ReviewRow:
    number = len(review.decisions) + 1
    row = DecisionRow(
        number=number, kind=kind, supersedes=supersedes, user_name=actor.name, time=now(), details=dict(details)
    )
    review.decisions.append(row)
    review.version += 1
    review.lock_until = now() + actor.lock
    about = {"kind": kind, "supersedes": supersedes, "system": details.get("system"), "code": details.get("code")}
    named = {name: value for name, value in about.items() if value is not None}
    _audit(session, actor, action, review, {"version": review.version, "decision": number, **named})
    return review


def _audit(session: Session, actor: Actor, action: Action, review: ReviewRow, details: Mapping[str, Any]) -> None:
    releases = Releases(review.suggestions.model, review.suggestions.terminology)
    append(session, actor.name, action, f"review/{review.id}", releases, details)

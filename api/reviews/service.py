"""What can be done with a review. Each function works in the transaction of its session, and writes the audit record
of what it did there too: both are kept, or neither.

All raise :class:`~api.reviews.errors.ReviewError`: for a review that is unknown, submitted, open at somebody else's or
not opened by the user, and for a version that is not the latest.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.reviews.blinding import refuse_blind
from api.reviews.checking import check
from api.reviews.coding import Coding, coded, decide, last_done, last_undone
from api.reviews.confidence import band_of, confidence
from api.reviews.errors import (
    AssigneeUnknown,
    DecisionImpossible,
    FindingsStand,
    NothingWaiting,
    OverrideRefused,
    ReviewUnknown,
)
from api.reviews.events import submitted_record
from api.reviews.locks import Actor, elsewhere, is_locked, leave, locked_row, mine, note, take, work
from api.reviews.locks import record as record_action
from api.reviews.outcomes import outcomes_of
from api.reviews.reading import read_decision
from api.reviews.worklist import Filters, next_for
from api.store.accounts import UserRow
from api.store.audit import Action
from api.store.base import now
from api.store.decisions import DecisionRow, OverrideRow
from api.store.events import publish
from api.store.notes import NoteRow, SuggestionsRow
from api.store.outcomes import OutcomeRow
from api.store.reviews import NORMAL, ReviewRow
from api.users import scopes_of
from codeassist.note import Note, note_from_record
from codeassist.result import CodingResult, Finding

if TYPE_CHECKING:
    from codeassist.assistant import CodeAssistant

LOTS = 2**32
"""How many lots there are to be drawn from at submission."""


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
    about = {
        "setting": result.setting,
        "date_of_service": result.date_of_service,
        "specialty": record.get("specialty"),
        "received": now(),
    }
    kept_note = NoteRow(**about, record=kept)
    session.add(kept_note)
    session.flush()
    suggestions = SuggestionsRow(
        note_id=kept_note.id, made=now(), model=made["model"], terminology=made["terminology"], result=made
    )
    session.add(suggestions)
    session.flush()
    trust = confidence(made["suggestions"])
    review = ReviewRow(
        note_id=kept_note.id,
        suggestions_id=suggestions.id,
        state="waiting",
        version=1,
        **about,
        record_id=result.id,
        dated=record.get("date_of_service") is not None,
        confidence=trust,
        band=band_of(trust),
        priority=NORMAL,
        seconds=0.0,
    )
    session.add(review)
    session.flush()
    record_action(session, actor, "create", review, {"suggestions": len(result.suggestions)}, None)
    return review


def view(session: Session, actor: Actor, number: int) -> ReviewRow:
    """A review, to be looked at by anybody."""
    review = session.get(ReviewRow, number)
    if review is None:
        raise ReviewUnknown(f"there is no review {number}")
    refuse_blind(session, actor.name, number)
    note(session, actor.name, "view", review, {"version": review.version})
    return review


def open_next(session: Session, actor: Actor, filters: Filters) -> ReviewRow:
    """Open the review that the user has open already, or else the first of those assigned to them, or else the first
    that waits and is assigned to nobody: by priority, and then the longest waiting. Raises :class:`NothingWaiting`."""
    for candidates in next_for(actor.name, filters):
        # two who ask at once get two notes: a row that somebody is about to take is passed over
        found = [session.scalars(q.with_for_update(skip_locked=True, of=ReviewRow)).first() for q in candidates]
        reviews = [review for review in found if review is not None]
        if reviews:
            return take(session, actor, min(reviews, key=lambda review: (review.priority, review.id)))
    raise NothingWaiting("no note waits for you here")


def open_review(session: Session, actor: Actor, number: int, take_over: bool = False) -> ReviewRow:
    """Open a review and lock it to the user. One that somebody else has open is refused until its lock has run out,
    unless the user means to ``take_over``."""
    review = locked_row(session, number)
    if elsewhere(review, actor) and not take_over:
        raise is_locked(review)
    return take(session, actor, review)


def assign(session: Session, actor: Actor, number: int, to: str | None, priority: int | None) -> ReviewRow:
    """Give a review to a coder, or with None to whoever comes; its priority stays unless one is given. Whoever has it
    open keeps it. Raises :class:`AssigneeUnknown`."""
    review = locked_row(session, number)
    if to is not None and to != actor.name:
        to = _assignee(session, to)
    review.assigned_to = to
    if priority is not None:
        review.priority = priority
    note(session, actor.name, "assign", review, {"to": to, "priority": review.priority})
    return review


def _assignee(session: Session, name: str) -> str:
    """The name as its account has it; without accounts, where nobody signs in, any name stands."""
    if session.scalars(select(UserRow.id).limit(1)).first() is None:
        return name
    user = session.scalars(select(UserRow).where(UserRow.name == name.strip().lower())).first()
    if user is None:
        raise AssigneeUnknown("no user has the name that the note is assigned to")
    if user.disabled or "reviews:write" not in scopes_of(user.roles):
        raise AssigneeUnknown(f"{user.name} can't review notes: the account is disabled, or lacks the role")
    return user.name


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
    review = mine(session, actor, number, version)
    coding = coding_of(review)
    details = read_decision(kind, sent, coding, note_of(review), assistant.terminology)
    decide(coding, kind, details)
    return _keep(session, actor, review, "decision", kind, details)


def undo(session: Session, actor: Actor, number: int, version: int) -> ReviewRow:
    """Take back the last decision that stands. Raises :class:`~api.reviews.errors.NothingToUndo`."""
    review = mine(session, actor, number, version)
    return _keep(session, actor, review, "undo", "undo", {}, last_done(review.decisions).number)


def redo(session: Session, actor: Actor, number: int, version: int) -> ReviewRow:
    """Make the decision that was taken back last stand again. Raises
    :class:`~api.reviews.errors.NothingToRedo`."""
    review = mine(session, actor, number, version)
    return _keep(session, actor, review, "redo", "redo", {}, last_undone(review.decisions).number)


def hold(session: Session, actor: Actor, number: int, version: int, reason: str) -> ReviewRow:
    """Put a review aside, with the reason. Its decisions stay, and anybody may open it again."""
    review = mine(session, actor, number, version)
    review.hold_reason = reason
    return leave(session, actor, review, "hold", "held")


def release(session: Session, actor: Actor, number: int, version: int) -> ReviewRow:
    """Give a review back to those that wait. Its decisions stay."""
    review = mine(session, actor, number, version)
    return leave(session, actor, review, "release", "waiting")


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
    review = mine(session, actor, number, version)
    coding = coding_of(review)
    if not coding.lines:
        raise DecisionImpossible("no code is chosen: hold the note with a reason if it has none")
    errors = [f for f in check(coding, note_of(review), assistant).findings if f.level == "error"]
    reasons = {_about(o["rule"], o["codes"]): o["reason"] for o in overrides}
    _refuse(errors, reasons)
    for finding in errors:
        _override(session, actor, review, finding, reasons[_about(finding.rule, finding.codes)])
    _finish(session, actor, review, coding)
    return review


def _finish(session: Session, actor: Actor, review: ReviewRow, coding: Coding) -> None:
    work(review)
    was, moment = review.state, now()
    review.state, review.submitted_by, review.submitted_at = "submitted", actor.name, moment
    review.submitted_on, review.lot = moment.date(), secrets.randbelow(LOTS) / LOTS
    review.holder = review.lock_until = review.taken_from = review.seen_at = None
    review.version += 1
    facts = {"submitted_on": moment.date(), "setting": review.setting, "specialty": review.specialty}
    for found in outcomes_of(review.suggestions.result, coding):
        session.add(OutcomeRow(review_id=review.id, coder=actor.name, **facts, **asdict(found)))
    record_action(session, actor, "submit", review, {"version": review.version, "codes": len(coding.lines)}, was)
    publish(session, "review.submitted", review.id, submitted_record(review, coding))


def close(session: Session, actor: Actor, number: int, reason: str) -> ReviewRow:
    """End a review without codes, because its document is no longer one to code; ``reason`` quotes nothing of it.
    Whoever has it open loses it. Raises :class:`ReviewSubmitted` where codes are final already."""
    review = locked_row(session, number)
    review.hold_reason = reason
    return leave(session, actor, review, "close", "closed")


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
    note(session, actor.name, "override", review, {"rule": finding.rule, "codes": codes})


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
    work(review)
    about = {"kind": kind, "supersedes": supersedes, "system": details.get("system"), "code": details.get("code")}
    named = {name: value for name, value in about.items() if value is not None}
    note(session, actor.name, action, review, {"version": review.version, "decision": number, **named})
    return review

"""The second look: an auditor recodes a submitted review, marks each difference, and the coder answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from api.reviews.coding import Coding, applied, decide, last_done, last_undone, offered
from api.reviews.comparison import Comparison, Difference, adjudicate, compare
from api.reviews.errors import (
    AuditExists,
    AuditForeign,
    AuditImpossible,
    AuditOwn,
    AuditUnknown,
    DecisionImpossible,
    NothingToAudit,
    NotSubmitted,
    ReviewUnknown,
    VersionStale,
)
from api.reviews.events import closed_record
from api.reviews.final import write_line
from api.reviews.reading import read_decision
from api.reviews.service import coding_of, note_of
from api.reviews.worklist import Filters
from api.store.audit import Action, Releases, append
from api.store.audits import (
    Answer,
    AuditState,
    DifferenceRow,
    Mode,
    SecondLookCodeRow,
    SecondLookDecisionRow,
    SecondLookRow,
    Verdict,
)
from api.store.base import now
from api.store.events import publish
from api.store.reviews import ReviewRow

if TYPE_CHECKING:
    from codeassist.assistant import CodeAssistant


@dataclass(frozen=True, slots=True)
class Sample:
    """Which submitted reviews are drawn: ``share`` of each coder's, by the lot that each drew at its submission."""

    filters: Filters = field(default_factory=Filters)
    coder: str | None = None
    share: float = 1.0


def auditing_of(look: SecondLookRow) -> Coding:
    """The auditor's coding: blind from the suggestions, open from the coder's codes."""
    start = offered(look.review.suggestions.result) if look.mode == "blind" else coding_of(look.review)
    return applied(start, look.decisions)


def comparison_of(look: SecondLookRow) -> Comparison:
    """The coder's and the auditor's codings compared."""
    return compare(coding_of(look.review), auditing_of(look))


def start(session: Session, user: str, number: int, mode: Mode) -> SecondLookRow:
    """Begin a second look at a certain review. Raises :class:`ReviewUnknown`, :class:`NotSubmitted`, :class:`AuditOwn`
    and :class:`AuditExists`."""
    review = session.scalars(select(ReviewRow).where(ReviewRow.id == number).with_for_update()).first()
    if review is None:
        raise ReviewUnknown(f"there is no review {number}")
    if review.state != "submitted":
        raise NotSubmitted(f"review {number} is not submitted: there is nothing to look at again")
    if review.submitted_by == user:
        raise AuditOwn(f"you have coded review {number} yourself")
    at_it = SecondLookRow.review_id == number, SecondLookRow.state != "abandoned"
    there = session.scalars(select(SecondLookRow.id).where(*at_it)).first()
    if there is not None:
        raise AuditExists(f"second look {there} is at review {number}")
    return _begin(session, user, review, mode)


def start_next(session: Session, user: str, mode: Mode, sample: Sample) -> SecondLookRow:
    """The second look that the user has open in this mode, or else one at the next review drawn, but for those that
    they gave up. Raises :class:`NothingToAudit`."""
    own = SecondLookRow.auditor == user, SecondLookRow.state == "open", SecondLookRow.mode == mode
    opened = session.scalars(select(SecondLookRow).where(*own).order_by(SecondLookRow.id)).first()
    if opened is not None:
        return opened
    drawn = select(ReviewRow).where(*sample.filters.conditions(), ReviewRow.lot < sample.share)
    gave_up = exists().where(SecondLookRow.review_id == ReviewRow.id, SecondLookRow.auditor == user)
    drawn = drawn.where(ReviewRow.submitted_by != user, ~gave_up)
    if sample.coder is not None:
        drawn = drawn.where(ReviewRow.submitted_by == sample.coder)
    first = drawn.order_by(ReviewRow.lot).limit(1).with_for_update(skip_locked=True, of=ReviewRow)
    review = session.scalars(first).first()
    if review is None:
        raise NothingToAudit("no submitted note is left in the sample")
    return _begin(session, user, review, mode)


def see(session: Session, user: str, number: int, auditing: bool) -> SecondLookRow:
    """A second look, for other auditors (``auditing``), and for its coder once the auditor has submitted. Raises
    :class:`AuditUnknown`."""
    look = session.get(SecondLookRow, number)
    if look is None or not (auditing or look.coder == user) or (look.coder == user and look.submitted_at is None):
        raise AuditUnknown(f"there is no second look {number}")
    _write(session, user, "view", look, {"version": look.version})
    return look


def decide_again(
    session: Session,
    user: str,
    number: int,
    version: int,
    kind: str,
    sent: Mapping[str, Any],
    assistant: CodeAssistant,
) -> SecondLookRow:
    """Keep a decision of the auditor. Raises what :func:`api.reviews.service.decide_on` does of a decision."""
    look = _own(session, user, number, version, ("open",))
    coding = auditing_of(look)
    details = read_decision(kind, sent, coding, note_of(look.review), assistant.terminology)
    decide(coding, kind, details)
    return _keep(session, user, look, "decision", kind, details)


def undo(session: Session, user: str, number: int, version: int) -> SecondLookRow:
    """Take back the auditor's last decision that stands. Raises :class:`~api.reviews.errors.NothingToUndo`."""
    look = _own(session, user, number, version, ("open",))
    return _keep(session, user, look, "undo", "undo", {}, last_done(look.decisions).number)


def redo(session: Session, user: str, number: int, version: int) -> SecondLookRow:
    """Make the auditor's decision that was taken back last stand again. Raises
    :class:`~api.reviews.errors.NothingToRedo`."""
    look = _own(session, user, number, version, ("open",))
    return _keep(session, user, look, "redo", "redo", {}, last_undone(look.decisions).number)


def submit(session: Session, user: str, number: int, version: int) -> SecondLookRow:
    """Compare the auditor's codes, which are final now, with the coder's."""
    look = _own(session, user, number, version, ("open",))
    if not auditing_of(look).lines:
        raise DecisionImpossible("no code is chosen")
    found, moment = comparison_of(look), now()
    look.submitted_at, look.submitted_on = moment, moment.date()
    look.agreed, look.missed, look.extra, look.neither = found.agreed, found.missed, found.extra, found.neither
    look.exact, look.principal_agreed = found.exact, found.principal_agreed
    for d in found.differences:
        look.differences.append(DifferenceRow(number=d.number, kind=d.kind, system=d.system, details=dict(d.details)))
    for (system, code), (by_coder, by_auditor) in found.codes.items():
        session.add(
            SecondLookCodeRow(
                second_look_id=look.id, system=system, code=code, by_coder=by_coder, by_auditor=by_auditor
            )
        )
    return _move(session, user, look, "submit", "submitted", {"differences": len(found.differences)})


def abandon(session: Session, user: str, number: int, version: int, anyones: bool) -> SecondLookRow:
    """Give up a second look that is open, ``anyones`` too: its decisions stay, and the review can be drawn again."""
    look = _locked(session, number) if anyones else _own(session, user, number, version, ("open",))
    _at(look, version, ("open",))
    look.review.lot = look.lot
    return _move(session, user, look, "abandon", "abandoned", {})


def mark(
    session: Session,
    user: str,
    number: int,
    version: int,
    difference: int,
    verdict: Verdict,
    reason: str,
    text: str | None,
) -> SecondLookRow:
    """Say who is right in a difference, and why. It may be said anew until the second look is closed."""
    look = _own(session, user, number, version, ("submitted", "answered"))
    row = _difference(look, difference)
    row.verdict, row.reason, row.text = verdict, reason, text
    about = {"difference": difference, "verdict": verdict, "reason": reason}
    return _move(session, user, look, "mark", look.state, about)


def answer(
    session: Session, user: str, number: int, version: int, difference: int, said: Answer, text: str | None
) -> SecondLookRow:
    """The coder's answer to a difference that is marked."""
    look = _locked(session, number)
    if look.submitted_at is None:
        raise AuditUnknown(f"there is no second look {number}")
    if look.coder != user:
        raise AuditForeign(f"second look {number} is not at your coding")
    _at(look, version, ("submitted", "answered"))
    row = _difference(look, difference)
    if row.verdict is None:
        raise AuditImpossible(f"difference {difference} is not marked yet")
    row.answer, row.answer_text, row.answered_at = said, text, now()
    done = all(d.answer is not None for d in look.differences)
    about = {"difference": difference, "answer": said}
    return _move(session, user, look, "answer", "answered" if done else look.state, about)


def close(session: Session, user: str, number: int, version: int, unanswered: bool) -> SecondLookRow:
    """Settle the codes as the verdicts have them. Raises :class:`AuditImpossible` while a difference is not marked, or
    not answered unless ``unanswered`` says that no answer will come."""
    look = _own(session, user, number, version, ("submitted", "answered"))
    if any(d.verdict is None for d in look.differences):
        raise AuditImpossible("mark every difference before you close")
    if not unanswered and any(d.answer is None for d in look.differences):
        raise AuditImpossible("the coder has not answered every difference")
    settled = adjudicate(coding_of(look.review), auditing_of(look), _verdicts(look))
    look.final, look.closed_at = [write_line(line) for line in settled], now()
    publish(session, "audit.closed", look.review_id, closed_record(look, settled))
    return _move(session, user, look, "close", "closed", {"codes": len(settled)})


def _verdicts(look: SecondLookRow) -> Iterable[tuple[Difference, Verdict]]:
    for row in look.differences:
        assert row.verdict is not None
        yield Difference(row.number, row.kind, row.system, row.details), row.verdict


def _begin(session: Session, user: str, review: ReviewRow, mode: Mode) -> SecondLookRow:
    assert review.submitted_by is not None
    look = SecondLookRow(
        review_id=review.id,
        coder=review.submitted_by,
        auditor=user,
        mode=mode,
        state="open",
        version=1,
        opened_at=now(),
        lot=review.lot,
        review=review,
    )
    review.lot = None
    session.add(look)
    session.flush()
    _write(session, user, "open", look, {"review": review.id, "mode": mode})
    return look


def _locked(session: Session, number: int) -> SecondLookRow:
    look = session.scalars(select(SecondLookRow).where(SecondLookRow.id == number).with_for_update()).first()
    if look is None:
        raise AuditUnknown(f"there is no second look {number}")
    return look


def _own(session: Session, user: str, number: int, version: int, states: tuple[AuditState, ...]) -> SecondLookRow:
    look = _locked(session, number)
    if look.auditor != user:
        raise AuditForeign(f"second look {number} is that of {look.auditor}")
    _at(look, version, states)
    return look


def _at(look: SecondLookRow, version: int, states: tuple[AuditState, ...]) -> None:
    if look.state not in states:
        raise AuditImpossible(f"second look {look.id} is {look.state}, not {' or '.join(states)}")
    if look.version != version:
        raise VersionStale(f"second look {look.id} is at version {look.version}, not {version}: read it again")


def _difference(look: SecondLookRow, number: int) -> DifferenceRow:
    for row in look.differences:
        if row.number == number:
            return row
    raise AuditImpossible(f"there is no difference {number}")


def _keep(
    session: Session,
    user: str,
    look: SecondLookRow,
    action: Action,
    kind: str,
    details: Mapping[str, Any],
    supersedes: int | None = None,
) -> SecondLookRow:
    number = len(look.decisions) + 1
    look.decisions.append(
        SecondLookDecisionRow(
            number=number, kind=kind, supersedes=supersedes, user_name=user, time=now(), details=dict(details)
        )
    )
    about = {"kind": kind, "supersedes": supersedes, "system": details.get("system"), "code": details.get("code")}
    named = {name: value for name, value in about.items() if value is not None}
    return _move(session, user, look, action, "open", {"decision": number, **named})


def _move(
    session: Session, user: str, look: SecondLookRow, action: Action, state: AuditState, details: Mapping[str, Any]
) -> SecondLookRow:
    look.state = state
    look.version += 1
    _write(session, user, action, look, {"version": look.version, **details})
    return look


def _write(session: Session, user: str, action: Action, look: SecondLookRow, details: Mapping[str, Any]) -> None:
    releases = Releases(look.review.suggestions.model, look.review.suggestions.terminology)
    append(session, user, action, f"audit/{look.id}", releases, details)

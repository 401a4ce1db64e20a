"""What can be done with a review, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from review_helpers import ANNE, BEN, RELEASES, add_note
from sqlalchemy import func, select, update

from api.reviews import errors, exports, records, service
from api.reviews.counting import counts
from api.reviews.service import Actor
from api.reviews.worklist import Filters, Listing, worklist
from api.store.audit import AuditRow
from api.store.database import Database
from api.store.decisions import DecisionRow, OverrideRow
from api.store.reviews import ReviewRow
from api.store.verify import verify
from training.audited import audited_from_record

if TYPE_CHECKING:
    from codeassist.assistant import CodeAssistant

E11 = {"system": "icd-10-cm", "code": "E11.9"}
I10 = {"system": "icd-10-cm", "code": "I10"}
METFORMIN = {"system": "icd-10-cm", "code": "Z79.84"}
VISIT = {"system": "cpt", "code": "99213"}
REASON = "<script>alert('reason')</script>"


TAKEN_BACK = "undo undo redo redo undo".split()


class Desk:
    """A coder at one review: each step takes the version that the step before it left."""

    def __init__(self, database: Database, assistant: CodeAssistant, number: int, version: int) -> None:
        self.database, self.assistant, self.number, self.version = database, assistant, number, version

    def decide(self, kind: str, actor: Actor = ANNE, **details: Any) -> dict[str, Any]:
        return self.do(service.decide_on, kind, details, self.assistant, actor=actor)

    def do(self, change: Callable[..., ReviewRow], *rest: Any, actor: Actor = ANNE) -> dict[str, Any]:
        with self.database.writing() as session:
            review = change(session, actor, self.number, self.version, *rest).load()
        self.version = review.version
        return records.state(review, self.assistant)

    def submit(self, *overrides: dict[str, Any]) -> dict[str, Any]:
        return self.do(service.submit, list(overrides), self.assistant)


@pytest.fixture
def desk(database: Database, assistant: CodeAssistant, opened: tuple[int, int]) -> Desk:
    return Desk(database, assistant, *opened)


def codes(state: dict[str, Any]) -> list[str]:
    return [line["code"] for line in state["codes"]]


def test_every_kind_of_decision(desk: Desk) -> None:
    assert codes(desk.decide("accepted", **E11)) == ["E11.9"]
    state = desk.decide("accepted", **I10)
    assert codes(state) == ["I10", "E11.9"], "at the place that the rules proposed"
    assert state["codes"][0]["evidence"][0]["text"]
    state = desk.decide("rejected", **METFORMIN, reason=REASON)
    assert {**METFORMIN, "reason": REASON} in state["rejected"]
    state = desk.decide("replaced", **E11, by={"system": "icd-10-cm", "code": "e1165"}, reason="hyperglycemia")
    assert codes(state) == ["I10", "E11.65"] and state["codes"][1]["instead_of"] == "E11.9"
    state = desk.decide("added", **VISIT, evidence=[{"start": 0, "end": 10}])
    assert state["codes"][2]["evidence"][0]["text"] == "Assessment"
    desk.decide("units", **VISIT, units=2)
    desk.decide("modifiers", **VISIT, modifiers=["25"])
    line = desk.decide("linked", **VISIT, diagnoses=["i10"])["codes"][2]
    assert (line["units"], line["modifiers"], line["diagnoses"]) == (2, ["25"], ["I10"])
    assert desk.decide("poa", **I10, poa="Y")["codes"][0]["poa"] == "Y"
    assert "poa" not in desk.decide("poa", **I10)["codes"][0]
    order = [VISIT, I10, {"system": "icd-10-cm", "code": "E11.65"}]
    assert codes(desk.decide("reordered", order=order)) == ["99213", "I10", "E11.65"]


def test_undo_and_redo_keep_the_history(desk: Desk) -> None:
    desk.decide("accepted", **E11)
    desk.decide("accepted", **I10)
    assert codes(desk.do(service.undo)) == ["E11.9"]
    assert codes(desk.do(service.undo)) == []
    assert codes(desk.do(service.redo)) == ["E11.9"]
    state = desk.do(service.redo)
    assert codes(state) == ["I10", "E11.9"] and state["can_redo"] is False
    desk.do(service.undo)
    state = desk.decide("rejected", **I10, reason="not treated")
    assert [d["kind"] for d in state["decisions"]] == [
        "accepted",
        "accepted",
        *"undo undo redo redo undo".split(),
        "rejected",
    ]
    assert [d.get("supersedes") for d in state["decisions"]] == [None, None, 2, 1, 4, 3, 2, None]
    with pytest.raises(errors.NothingToRedo):
        desk.do(service.redo)


def test_nothing_to_undo(desk: Desk) -> None:
    with pytest.raises(errors.NothingToUndo):
        desk.do(service.undo)


@pytest.mark.parametrize(
    ("kind", "details", "error"),
    [
        ("accepted", {"system": "icd-10-cm", "code": "J45.909"}, errors.DecisionImpossible),
        ("accepted", {"system": "icd-10-cm", "code": "Q99.99"}, errors.NotInRelease),
        ("added", {"system": "icd-10-cm", "code": "E11.99"}, errors.NotInRelease),
        ("added", {"system": "cpt", "code": "<script>"}, errors.NotInRelease),
        ("added", {**VISIT, "evidence": [{"start": 5, "end": 5}]}, errors.DecisionImpossible),
        ("added", {**VISIT, "evidence": [{"start": 0, "end": 100_000}]}, errors.DecisionImpossible),
        ("replaced", {**E11, "by": {"system": "icd-10-cm", "code": "nothing"}}, errors.NotInRelease),
        ("replaced", {**E11, "by": E11}, errors.DecisionImpossible),
        ("rejected", {"system": "icd-10-cm", "code": "J45.909", "reason": "x"}, errors.DecisionImpossible),
        ("poa", {**I10, "poa": "Y"}, errors.DecisionImpossible),
        ("linked", {**VISIT, "diagnoses": ["E11.99"]}, errors.NotInRelease),
        ("reordered", {"order": [I10]}, errors.DecisionImpossible),
    ],
)
def test_a_decision_that_does_not_fit_changes_nothing(
    desk: Desk, kind: str, details: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        desk.decide(kind, **details)
    with desk.database.reading() as session:
        assert session.scalars(select(func.count(DecisionRow.id))).one() == 0
        assert session.get_one(ReviewRow, desk.number).version == desk.version


def test_accepting_twice_is_refused(desk: Desk) -> None:
    desk.decide("accepted", **I10)
    with pytest.raises(errors.DecisionImpossible, match="already"):
        desk.decide("accepted", **I10)


def test_a_stale_version_is_refused_and_nothing_is_lost(desk: Desk) -> None:
    stale = desk.version
    desk.decide("accepted", **I10)
    desk.version = stale
    with pytest.raises(errors.VersionStale, match=f"not {stale}"):
        desk.decide("accepted", **E11)
    assert decisions(desk) == ["I10"]


def decisions(desk: Desk) -> list[str]:
    with desk.database.reading() as session:
        rows = session.scalars(select(DecisionRow).order_by(DecisionRow.number))
        return [row.details["code"] for row in rows]


def test_of_two_decisions_at_once_on_one_version_one_is_kept(desk: Desk) -> None:
    def attempt(code: dict[str, str]) -> bool:
        try:
            with desk.database.writing() as session:
                service.decide_on(session, ANNE, desk.number, desk.version, "accepted", code, desk.assistant)
        except errors.VersionStale:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        kept = list(pool.map(attempt, [E11, I10]))
    assert sorted(kept) == [False, True]
    assert len(decisions(desk)) == 1
    with desk.database.reading() as session:
        assert list(verify(session)) == []


def test_a_locked_note_is_refused_to_others_until_it_is_taken_over(desk: Desk) -> None:
    with pytest.raises(errors.ReviewLocked, match="anne"):
        desk.decide("accepted", actor=BEN, **I10)
    with pytest.raises(errors.ReviewLocked), desk.database.writing() as session:
        service.open_review(session, BEN, desk.number)
    with desk.database.writing() as session:
        taken = service.open_review(session, BEN, desk.number, take_over=True)
    assert taken.holder == "ben"
    with pytest.raises(errors.ReviewForeign, match="taken over by ben"):
        desk.decide("accepted", **I10)
    assert actions(desk.database)[-1] == ("ben", "take-over")


def test_a_lock_that_has_run_out_holds_until_somebody_takes_the_note(desk: Desk) -> None:
    expire(desk)
    assert codes(desk.decide("accepted", **I10)) == ["I10"]
    expire(desk)
    with desk.database.writing() as session:
        assert service.open_next(session, BEN, Filters()).id == desk.number
    with pytest.raises(errors.ReviewForeign, match="taken over by ben"):
        desk.decide("accepted", **E11)


def expire(desk: Desk) -> None:
    with desk.database.writing() as session:
        review = session.get_one(ReviewRow, desk.number)
        assert review.lock_until is not None
        review.lock_until -= timedelta(hours=1)


@pytest.mark.parametrize("leave", ["hold", "release"])
def test_a_note_that_is_put_aside_is_foreign_until_it_is_opened(desk: Desk, leave: str) -> None:
    desk.decide("accepted", **I10)
    state = desk.do(service.hold, REASON) if leave == "hold" else desk.do(service.release)
    assert state["state"] == ("held" if leave == "hold" else "waiting") and "lock" not in state
    assert state.get("hold_reason") == (REASON if leave == "hold" else None)
    with pytest.raises(errors.ReviewForeign):
        desk.decide("accepted", **E11)
    with desk.database.writing() as session:
        desk.version = service.open_review(session, ANNE, desk.number).version
    assert codes(desk.decide("accepted", **E11)) == ["I10", "E11.9"], "decisions stay"


def test_a_held_note_is_not_the_next(desk: Desk) -> None:
    desk.do(service.hold, "waiting for the operative report")
    with pytest.raises(errors.NothingWaiting), desk.database.writing() as session:
        service.open_next(session, ANNE, Filters())


def test_a_submitted_note_is_final(desk: Desk) -> None:
    desk.decide("accepted", **E11)
    state = desk.submit()
    assert state["state"] == "submitted" and state["submitted"]["by"] == "anne"
    for attempt in (service.undo, service.redo, service.release):
        with pytest.raises(errors.ReviewSubmitted):
            desk.do(attempt)
    with pytest.raises(errors.ReviewSubmitted):
        desk.decide("accepted", **I10)
    with pytest.raises(errors.ReviewSubmitted), desk.database.writing() as session:
        service.open_review(session, ANNE, desk.number, take_over=True)


def test_nothing_is_not_submitted(desk: Desk) -> None:
    with pytest.raises(errors.DecisionImpossible, match="no code"):
        desk.submit()


def errors_of(state: dict[str, Any]) -> list[dict[str, Any]]:
    return [f for f in state["findings"] if f["level"] == "error"]


def test_an_error_that_may_not_be_overridden_stops(desk: Desk) -> None:
    state = desk.decide("added", system="icd-10-cm", code="E11")
    (finding,) = [f for f in errors_of(state) if not f["overridable"]]
    with pytest.raises(errors.FindingsStand, match=finding["rule"]):
        desk.submit()
    with pytest.raises(errors.OverrideRefused, match="can't be overridden"):
        desk.submit({"rule": finding["rule"], "codes": finding["codes"], "reason": "please"})
    desk.do(service.undo)
    desk.decide("accepted", **E11)
    assert desk.submit()["state"] == "submitted"


def test_an_error_is_overridden_with_a_reason(desk: Desk) -> None:
    desk.decide("added", system="icd-10-cm", code="E10.9")
    state = desk.decide("accepted", **E11)
    found = errors_of(state)
    assert found and all(f["overridable"] for f in found), "type 1 and type 2 diabetes exclude each other"
    with pytest.raises(errors.FindingsStand, match=found[0]["rule"]):
        desk.submit()
    with pytest.raises(errors.OverrideRefused, match="no error of"):
        desk.submit({"rule": "no.such", "codes": ["I10"], "reason": "x"})
    assert desk.submit(*({"rule": f["rule"], "codes": f["codes"], "reason": REASON} for f in found))
    with desk.database.reading() as session:
        kept = session.scalars(select(OverrideRow)).all()
        assert [(o.rule, o.reason) for o in kept] == [(f["rule"], REASON) for f in found]
    assert ("anne", "override") in actions(desk.database)


def actions(database: Database) -> list[tuple[str, str]]:
    with database.reading() as session:
        return [(r.user_name, r.action) for r in session.scalars(select(AuditRow).order_by(AuditRow.number))]


def test_each_action_has_one_audit_record_with_releases_and_without_text(desk: Desk) -> None:
    desk.decide("rejected", **METFORMIN, reason="no metformin, secret-word")
    desk.decide("accepted", **I10)
    desk.do(service.undo)
    desk.do(service.redo)
    desk.do(service.hold, "secret-word")
    with desk.database.writing() as session:
        service.view(session, BEN, desk.number)
        desk.version = service.open_review(session, ANNE, desk.number).version
    desk.submit()
    wanted = "create open decision decision undo redo hold view open submit".split()
    assert [action for _, action in actions(desk.database)] == wanted
    with desk.database.reading() as session:
        kept = session.scalars(select(AuditRow)).all()
        assert list(verify(session)) == []
    for record in kept:
        assert record.subject == f"review/{desk.number}"
        assert record.model["sha256"] and record.terminology["icd-10-cm"]
        assert "secret-word" not in json.dumps(record.details)
        assert "metformin" not in json.dumps(record.details)


def test_next_gives_each_coder_another_note_and_the_open_one_again(
    database: Database, assistant: CodeAssistant
) -> None:
    first, second = add_note(database, assistant), add_note(database, assistant)

    def opened_by(actor: Actor) -> int:
        with database.writing() as session:
            return service.open_next(session, actor, Filters()).id

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(opened_by, [ANNE, BEN])) == [first, second]
    assert opened_by(ANNE) != opened_by(BEN)
    with pytest.raises(errors.NothingWaiting), database.writing() as session:
        service.open_next(session, Actor("carla", timedelta(minutes=1)), Filters())


def test_a_review_that_is_not_there(database: Database) -> None:
    with pytest.raises(errors.ReviewUnknown), database.writing() as session:
        service.view(session, ANNE, 99)
    with pytest.raises(errors.ReviewUnknown), database.writing() as session:
        service.open_review(session, ANNE, 99)


def test_the_worklist_filters_counts_and_pages(database: Database, assistant: CodeAssistant) -> None:
    facts = [
        {},
        {"setting": "inpatient", "date_of_service": "2026-02-01"},
        {"setting": "emergency", "specialty": "cardiology"},
        {"date_of_service": "2026-03-09"},
    ]
    a, b, c, d = (add_note(database, assistant, **f) for f in facts)
    with database.writing() as session:
        service.open_review(session, ANNE, c)
    with database.reading() as session:

        def listed(filters: Filters, **more: Any) -> list[int]:
            return [review.id for review in worklist(session, Listing(filters, **more)).reviews]

        assert listed(Filters()) == [a, b, c, d]
        assert listed(Filters(), state="waiting") == [a, b, d]
        assert listed(Filters(), mine="anne") == [c]
        assert listed(Filters(setting="inpatient")) == [b]
        assert listed(Filters(specialty="cardiology")) == [c]
        assert listed(Filters(date_from=date(2026, 3, 1), date_to=date(2026, 3, 2))) == [a, c]
        page = worklist(session, Listing(limit=3))
        assert [r.id for r in page.reviews] == [a, b, c] and page.next == c
        assert counts(session, Filters(), "anne").states == {
            "waiting": 3,
            "open": 1,
            "held": 0,
            "submitted": 0,
            "closed": 0,
        }
        page = worklist(session, Listing(after=c, limit=3))
        assert [r.id for r in page.reviews] == [d] and page.next is None


def test_an_audited_note_is_what_training_reads(desk: Desk) -> None:
    desk.decide("accepted", **E11)
    desk.decide("accepted", **I10)
    desk.decide("rejected", **METFORMIN, reason="denied")
    desk.submit()
    until = exports.record_export(desk.database, "anne", "audited", Filters(), RELEASES)
    (line,) = exports.audited(exports.submitted(desk.database, "anne", Filters(), until))
    record = json.loads(line)
    assert record["coder"] == "anne" and record["id"] == "visit-1"
    note = audited_from_record(record)
    assert [c.key for c in note.codes] == ["I10", "E119"]
    start, end = note.codes[0].evidence[0]
    assert "hypertension" in record["text"][start:end].lower()
    assert note.rejected == (("icd-10-cm", "Z7984"),)
    assert actions(desk.database)[-1] == ("anne", "export")


def test_final_codes_are_csv_without_formulas(database: Database, assistant: CodeAssistant) -> None:
    number = add_note(database, assistant, id="=HYPERLINK(1)", specialty="a, b")
    with database.writing() as session:
        version = service.open_next(session, ANNE, Filters()).version
    desk = Desk(database, assistant, number, version)
    desk.decide("accepted", **E11)
    desk.submit()
    until = exports.record_export(database, "anne", "codes", Filters(), RELEASES)
    header, line = exports.final_codes(exports.submitted(database, "anne", Filters(), until))
    assert header.startswith("review,note,setting,")
    assert line.startswith(f'{number},\'=HYPERLINK(1),outpatient,2026-03-02,"a, b",1,icd-10-cm,E11.9,')
    later = Filters(date_from=date(2026, 4, 1))
    assert list(exports.submitted(database, "anne", later, until)) == []


def test_an_export_goes_on_over_many_pages(
    desk: Desk, assistant: CodeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "FETCHED", 2)
    numbers = [desk.number, *(add_note(desk.database, assistant) for _ in range(4))]
    with desk.database.writing() as session:
        session.execute(update(ReviewRow).values(state="submitted", submitted_by="anne", submitted_at=func.now()))
    until = exports.record_export(desk.database, "anne", "audited", Filters(), RELEASES) + timedelta(seconds=2)
    assert [f.review.id for f in exports.submitted(desk.database, "anne", Filters(), until)] == numbers

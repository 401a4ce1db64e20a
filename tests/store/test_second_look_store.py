"""Second looks, counters, time worked and the migration, on both databases."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from review_helpers import ANNE, BEN, add_note, add_submitted
from sqlalchemy import MetaData, create_engine, func, insert, inspect, select, text

import api.store.database
from api.reviews import errors, locks, second_looks, service
from api.reviews.counting import counts
from api.reviews.reports import REPORTS, Span, report
from api.reviews.second_looks import Sample
from api.reviews.worklist import Filters
from api.store.audit import AuditRow
from api.store.database import Database, open_database
from api.store.migrations.versions import r0003_second_look
from api.store.outcomes import OutcomeRow
from api.store.reviews import ReviewRow, WorklistCount
from api.store.verify import verify

if TYPE_CHECKING:
    from codeassist.assistant import CodeAssistant

LOOKS = ("second_looks", "second_look_decisions", "differences", "second_look_codes")
I10 = {"system": "icd-10-cm", "code": "I10"}


def test_a_second_look_is_in_the_audit_trail_without_its_texts(database: Database, assistant: CodeAssistant) -> None:
    number = add_submitted(database, assistant)
    with database.writing() as session:
        look = second_looks.start_next(session, "ben", "blind", Sample()).id
    with database.writing() as session:
        second_looks.decide_again(session, "ben", look, 1, "added", {"system": "icd-10-cm", "code": "R51.9"}, assistant)
    with database.writing() as session:
        assert len(second_looks.submit(session, "ben", look, 2).differences) == 2
    for difference in (1, 2):
        with database.writing() as session:
            second_looks.mark(session, "ben", look, 2 + difference, difference, "auditor", "other", "secret-word")
    for difference in (1, 2):
        with database.writing() as session:
            second_looks.answer(session, "anne", look, 4 + difference, difference, "rebut", "secret-word")
    with database.writing() as session:
        assert second_looks.close(session, "ben", look, 7, False).state == "closed"
    with database.reading() as session:
        records = session.scalars(select(AuditRow).where(AuditRow.subject == f"audit/{look}").order_by(AuditRow.number))
        found = records.all()
        assert [r.action for r in found] == "open decision submit mark mark answer answer close".split()
        assert "secret-word" not in json.dumps([r.details for r in found])
        assert list(verify(session)) == []
        assert session.get_one(ReviewRow, number).lot is None, "it is not drawn again"
        for name in REPORTS:
            report(session, name, Span(coder="anne", setting="outpatient"))


def test_two_auditors_at_once_get_two_reviews(database: Database, assistant: CodeAssistant) -> None:
    numbers = {add_submitted(database, assistant) for _ in range(2)}

    def drawn(name: str) -> int:
        with database.writing() as session:
            return second_looks.start_next(session, name, "blind", Sample()).review_id

    with ThreadPoolExecutor(2) as pool:
        assert set(pool.map(drawn, ["ben", "dora"])) == numbers
    with pytest.raises(errors.NothingToAudit):
        drawn("eve")


def test_a_second_look_that_is_given_up_leaves_the_review_to_another(
    database: Database, assistant: CodeAssistant
) -> None:
    number = add_submitted(database, assistant)
    with database.reading() as session:
        lot = session.get_one(ReviewRow, number).lot
    with database.writing() as session:
        look = second_looks.start_next(session, "ben", "blind", Sample()).id
    with database.writing() as session:
        second_looks.decide_again(session, "ben", look, 1, "accepted", I10, assistant)
    with database.writing() as session, pytest.raises(errors.VersionStale):
        second_looks.abandon(session, "ben", look, 1, False)
    with database.writing() as session, pytest.raises(errors.AuditForeign):
        second_looks.abandon(session, "dora", look, 2, False)
    with database.writing() as session:
        assert second_looks.abandon(session, "ben", look, 2, False).state == "abandoned"
    with database.reading() as session:
        assert session.get_one(ReviewRow, number).lot == lot
        assert len(session.get_one(second_looks.SecondLookRow, look).decisions) == 1
    for refused in (
        lambda s: second_looks.abandon(s, "ben", look, 3, False),
        lambda s: second_looks.decide_again(s, "ben", look, 3, "accepted", I10, assistant),
        lambda s: second_looks.submit(s, "ben", look, 3),
    ):
        with database.writing() as session, pytest.raises(errors.AuditImpossible):
            refused(session)
    with database.writing() as session, pytest.raises(errors.NothingToAudit):
        second_looks.start_next(session, "ben", "open", Sample())
    with database.writing() as session:
        again = second_looks.start_next(session, "dora", "blind", Sample())
        assert again.review_id == number and not again.decisions
        again = again.id
    with database.writing() as session, pytest.raises(errors.AuditExists):
        second_looks.start(session, "eve", number, "blind")
    with database.writing() as session:
        assert second_looks.abandon(session, "root.admin", again, 1, True).state == "abandoned"
    with database.writing() as session:
        assert second_looks.start(session, "ben", number, "open").auditor == "ben"
    with database.reading() as session, pytest.raises(errors.AuditUnknown):
        second_looks.see(session, "anne", look, False)
    with database.reading() as session:
        records = session.scalars(select(AuditRow).where(AuditRow.action == "abandon").order_by(AuditRow.number)).all()
        assert [(r.user_name, r.subject) for r in records] == [
            ("ben", f"audit/{look}"),
            ("root.admin", f"audit/{again}"),
        ]
        assert list(verify(session)) == []


def test_second_looks_made_before_outlive_the_migration(url: str, assistant: CodeAssistant) -> None:
    """What the schema before could hold is put into a database of that schema, which is then brought up to date."""
    database = open_database(url)
    number = add_submitted(database, assistant)
    with database.writing() as session:
        look = second_looks.start_next(session, "ben", "blind", Sample()).id
    for version, action in ((1, "decide"), (2, "submit")):
        with database.writing() as session:
            if action == "submit":
                second_looks.submit(session, "ben", look, version)
            else:
                added = {"system": "icd-10-cm", "code": "R51.9"}
                second_looks.decide_again(session, "ben", look, version, "added", added, assistant)
    open_number = add_submitted(database, assistant)
    with database.writing() as session:
        second_looks.start(session, "ben", open_number, "open")

    def kept() -> dict[str, list[dict[str, Any]]]:
        with database.reading() as session:
            found = {name: session.execute(text(f"SELECT * FROM {name} ORDER BY 1, 2, 3")).mappings() for name in LOOKS}
            return {name: [{k: v for k, v in r.items() if k != "lot"} for r in rows] for name, rows in found.items()}

    before = kept()
    _back_to_the_sixth(url)
    database.upgrade()
    assert kept() == before and all(before.values())
    with database.reading() as session:
        assert session.get_one(second_looks.SecondLookRow, look + 1).lot is not None, "its review can be drawn again"
    with database.writing() as session, pytest.raises(errors.AuditExists):
        second_looks.start(session, "dora", number, "blind")
    with database.writing() as session:
        second_looks.abandon(session, "ben", look + 1, 1, False)
    database.close()


def test_the_counters_are_the_counts(database: Database, assistant: CodeAssistant) -> None:
    numbers = [add_note(database, assistant, specialty=s) for s in ("a", "b", None)]
    with database.writing() as session:
        version = service.open_review(session, ANNE, numbers[0]).version
    with database.writing() as session:
        service.hold(session, ANNE, numbers[0], version, "x")
    with database.writing() as session:
        service.open_review(session, BEN, numbers[1])
    with database.writing() as session:
        service.open_review(session, ANNE, numbers[1], take_over=True)
    add_submitted(database, assistant, specialty="b")
    with database.reading() as session:
        state = ReviewRow.state
        real = {row[0]: row[1] for row in session.execute(select(state, func.count()).group_by(state))}
        found = counts(session, Filters(), "anne")
        assert found.states == {**real, "closed": 0} and real == {"held": 1, "open": 1, "waiting": 1, "submitted": 1}
        assert found.mine == {"open": 1, "assigned": 0, "held": 1, "submitted": 1}
        assert found.specialties == ["a", "b"]
        assert counts(session, Filters(specialty="b"), "anne").states["submitted"] == 1
        assert counts(session, Filters(setting="inpatient"), "anne").states["submitted"] == 0


def test_time_worked_leaves_out_idle_gaps(
    database: Database, assistant: CodeAssistant, opened: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    number, version = opened
    with database.reading() as session:
        moment = session.get_one(ReviewRow, number).seen_at
    assert moment is not None
    steps = [timedelta(seconds=40), timedelta(hours=2), timedelta(seconds=20)]
    for step, code in zip(steps, ["I10", "E11.9", "Z79.84"], strict=True):
        moment += step
        monkeypatch.setattr(locks, "now", lambda at=moment: at)
        with database.writing() as session:
            sent = {"system": "icd-10-cm", "code": code}
            version = service.decide_on(session, ANNE, number, version, "accepted", sent, assistant).version
    with database.reading() as session:
        assert session.get_one(ReviewRow, number).seconds == 40 + locks.IDLE.total_seconds() + 20


def test_the_migration_fills_what_was_there_before(url: str, assistant: CodeAssistant, tmp_path: Path) -> None:
    database = open_database(url)
    waiting, done = add_note(database, assistant, specialty="a"), add_submitted(database, assistant, specialty="a")

    def kept() -> list[object]:
        with database.reading() as session:
            reviews = session.scalars(select(ReviewRow).order_by(ReviewRow.id)).all()
            facts = [
                (
                    r.record_id,
                    r.setting,
                    r.specialty,
                    r.date_of_service,
                    r.received,
                    r.confidence,
                    r.band,
                    r.submitted_on,
                )
                for r in reviews
            ]
            rows = [(o.review_id, o.number, o.code, o.outcome, o.coder) for o in session.scalars(select(OutcomeRow))]
            tallies = [
                (c.state, c.specialty, c.band, c.number) for c in session.scalars(select(WorklistCount)) if c.number
            ]
            return [facts, sorted(rows), sorted(tallies)]

    before = kept()
    _back_to_the_first(url)
    database.upgrade()
    assert kept() == before and waiting < done
    database.close()


def _back_to_the_sixth(url: str) -> None:
    """The tables of second looks as the migration before made them, with their rows."""
    kept = MetaData()
    engine = create_engine(url)
    with engine.begin() as connection:
        kept.reflect(connection, only=LOOKS)
        rows = {name: connection.execute(select(kept.tables[name])).mappings().all() for name in LOOKS}
        kept.drop_all(connection, [kept.tables[name] for name in LOOKS])
        context = MigrationContext.configure(connection)
        with Operations.context(context):
            r0003_second_look._make_second_looks()
        for name in LOOKS:
            for row in rows[name]:
                values = {key: value for key, value in row.items() if key != "lot" and value is not None}
                connection.execute(insert(kept.tables[name]).values(values))
        connection.execute(text("UPDATE alembic_version SET version_num = '0006'"))
    engine.dispose()


def _back_to_the_first(url: str) -> None:
    """The schema as it was before this migration, its rows kept."""
    columns = """taken_from submitted_on record_id setting specialty date_of_service dated received confidence band
        priority assigned_to seconds seen_at lot""".split()
    config = Config()
    config.set_main_option("script_location", str(Path(api.store.database.__file__).with_name("migrations")))
    with create_engine("sqlite://").begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        before = set(inspect(connection).get_table_names())
    engine = create_engine(url)
    cascade = " CASCADE" if engine.dialect.name == "postgresql" else ""
    with engine.begin() as connection:
        for table in set(inspect(connection).get_table_names()) - before:
            connection.execute(text(f"DROP TABLE {table}{cascade}"))
        indices = (i.name for i in ReviewRow.__table__.indexes if i.name != "ix_reviews_state_id")  # type: ignore[attr-defined]
        for index in indices:
            connection.execute(text(f"DROP INDEX {index}"))
        for column in columns:
            connection.execute(text(f"ALTER TABLE reviews DROP COLUMN {column}"))
        config.attributes["connection"] = connection
        command.stamp(config, "0002")
    engine.dispose()

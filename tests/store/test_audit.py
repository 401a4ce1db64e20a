"""The chain of audit records: whole as it is written, and every change to it named."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from processes import PROCESSES
from review_helpers import RELEASES
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from api.store.append_only import release
from api.store.audit import AuditHead, AuditRow, append, digest
from api.store.commands import app
from api.store.database import Database, open_database
from api.store.verify import Fault, verify

MANY = 30


@pytest.fixture
def guarded(database: Database) -> Database:
    """A database with an audit trail of some records."""
    for i in range(1, MANY + 1):
        with database.writing() as session:
            append(session, "anne", "view", f"review/{i}", RELEASES, {"version": i, "note": "é 😀"})
    return database


@pytest.fixture
def trail(guarded: Database) -> Database:
    """The same in the hands of somebody who owns the database, and has taken its triggers off."""
    with guarded.writing() as session:
        for statement in release("sqlite" if guarded.sqlite else "postgresql"):
            session.execute(text(statement))
    return guarded


def write(database: Database, name: str, times: int) -> None:
    for i in range(times):
        with database.writing() as session:
            append(session, name, "view", f"review/{i}", RELEASES, {})


def write_alone(url: str, name: str, times: int) -> None:
    """The same in another process: connections are not to be carried into one."""
    write(Database(url), name, times)


def faults(database: Database) -> list[tuple[str, int]]:
    return [(fault.kind, fault.number) for fault in found(database)]


def found(database: Database) -> list[Fault]:
    with database.reading() as session:
        return list(verify(session))


def change(database: Database, record: int, **values: Any) -> None:
    with database.writing() as session:
        session.execute(update(AuditRow).where(AuditRow.number == record).values(**values))


CHANGES = [
    "UPDATE audit SET user_name = 'ben' WHERE number = 7",
    "UPDATE audit SET user_name = 'ben'",
    "DELETE FROM audit WHERE number = 7",
    "DELETE FROM audit",
]
ON_SQLITE = [
    "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE number = 7",
    "REPLACE INTO audit SELECT * FROM audit",
]
ON_POSTGRESQL = [
    "TRUNCATE audit",
    "TRUNCATE audit CASCADE",
    "INSERT INTO audit SELECT * FROM audit WHERE number = 7 ON CONFLICT (number) DO UPDATE SET user_name = 'ben'",
]


def test_the_database_itself_refuses_to_change_a_record(guarded: Database) -> None:
    for statement in CHANGES + (ON_SQLITE if guarded.sqlite else ON_POSTGRESQL):
        with pytest.raises(DBAPIError, match="append-only"), guarded.writing() as session:
            session.execute(text(statement))
    assert found(guarded) == []
    with guarded.writing() as session:
        append(session, "anne", "view", "review/1", RELEASES, {})
    with guarded.reading() as session:
        assert session.scalars(select(AuditHead)).one().number == MANY + 1, "records are still added"


def test_what_was_written_is_whole(trail: Database) -> None:
    assert found(trail) == []


def test_no_records_are_whole(database: Database) -> None:
    assert found(database) == []


@pytest.mark.parametrize(
    "values",
    [
        {"user_name": "ben"},
        {"action": "submit"},
        {"subject": "review/99"},
        {"details": {"version": 1}},
        {"model": {"name": "another"}},
        {"terminology": {}},
        {"hash": "f" * 64},
        {"previous": "f" * 64},
    ],
    ids=lambda values: next(iter(values)),
)
@pytest.mark.parametrize("number", [1, 7, MANY])
def test_a_changed_record_is_named(trail: Database, number: int, values: dict[str, Any]) -> None:
    change(trail, number, **values)
    assert faults(trail) == [("changed", number)]


def test_a_time_that_is_changed_by_a_microsecond_is_named(trail: Database) -> None:
    with trail.writing() as session:
        record = session.scalars(select(AuditRow).where(AuditRow.number == 3)).one()
        record.time = record.time.replace(microsecond=(record.time.microsecond + 1) % 1_000_000)
    assert faults(trail) == [("changed", 3)]


@pytest.mark.parametrize("number", [1, 7, MANY])
def test_a_record_that_is_rewritten_with_its_hash_is_named(trail: Database, number: int) -> None:
    with trail.writing() as session:
        record = session.scalars(select(AuditRow).where(AuditRow.number == number)).one()
        record.user_name = "ben"
        record.hash = digest(record)
    assert faults(trail) == [("changed", number)]


@pytest.mark.parametrize(("first", "last"), [(1, 1), (7, 7), (7, 12), (MANY, MANY), (20, MANY), (1, MANY)])
def test_missing_records_are_named(trail: Database, first: int, last: int) -> None:
    with trail.writing() as session:
        session.execute(delete(AuditRow).where(AuditRow.number.between(first, last)))
    (fault,) = found(trail)
    assert (fault.kind, fault.number) == ("missing", first)
    assert fault.message == (
        f"record {first} is missing" if first == last else f"records {first} to {last} are missing"
    )


@pytest.mark.parametrize(("one", "other"), [(1, 2), (7, 8), (3, 29), (29, 30), (1, 30)])
def test_swapped_records_are_named(trail: Database, one: int, other: int) -> None:
    for old, new in ((one, 0), (other, one), (0, other)):
        change(trail, old, number=new)
    swapped = found(trail)
    assert [(f.kind, f.number) for f in swapped] == [("reordered", one), ("reordered", other)]
    assert swapped[0].message == f"record {one} was written as record {other}"


def test_a_record_removed_and_the_rest_renumbered_is_seen(trail: Database) -> None:
    with trail.writing() as session:
        session.execute(delete(AuditRow).where(AuditRow.number == 20))
    for number in range(21, MANY + 1):
        change(trail, number, number=number - 1)
    assert faults(trail) == [*(("reordered", n) for n in range(20, MANY)), ("missing", MANY)]


def test_several_faults_are_all_named(trail: Database) -> None:
    change(trail, 4, user_name="ben")
    with trail.writing() as session:
        session.execute(delete(AuditRow).where(AuditRow.number.in_([9, 10])))
    change(trail, 25, subject="review/1")
    assert faults(trail) == [("changed", 4), ("missing", 9), ("changed", 25)]


def test_a_record_that_is_put_behind_the_last_is_named(trail: Database) -> None:
    with trail.writing() as session:
        head = session.scalars(select(AuditHead)).one()
        number, before = head.number, head.hash
        append(session, "ben", "view", "review/1", RELEASES, {})
        head.number, head.hash = number, before
    assert faults(trail) == [("changed", MANY + 1)]


def test_a_record_and_its_action_are_kept_together(trail: Database) -> None:
    def fail(session: Session) -> None:
        append(session, "anne", "view", "review/1", RELEASES, {})
        raise RuntimeError

    with pytest.raises(RuntimeError), trail.writing() as session:
        fail(session)
    with trail.reading() as session:
        assert session.scalars(select(AuditHead)).one().number == MANY
    assert found(trail) == []


def test_threads_that_write_at_once_make_one_chain(database: Database) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: write(database, name, 20), "abcd"))
    assert found(database) == []
    with database.reading() as session:
        assert session.scalars(select(AuditHead)).one().number == 80


def test_processes_that_write_at_once_make_one_chain(database: Database, url: str) -> None:
    writers = [PROCESSES.Process(target=write_alone, args=(url, name, 25)) for name in ("anne", "ben")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert found(database) == []
    with database.reading() as session:
        assert session.scalars(select(AuditHead)).one().number == 50


def test_the_command_ends_with_0_and_1_and_names_the_record(
    trail: Database, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODEASSIST_DATABASE_URL", url)
    whole = CliRunner().invoke(app, ["audit", "verify"])
    assert whole.exit_code == 0 and f"{MANY} records" in whole.output
    change(trail, 7, user_name="ben")
    broken = CliRunner().invoke(app, ["audit", "verify"])
    assert broken.exit_code == 1 and "record 7 was changed" in broken.output


def test_a_database_that_is_not_there_is_not_whole(url: str, tmp_path: Path, run: Any) -> None:
    done = run("audit", "verify", CODEASSIST_DATABASE_URL=url)
    assert done.returncode == 1 and b"no database" in done.stderr
    assert not list(tmp_path.glob("*.sqlite3")), "none is made"


def test_the_upgrade_command_makes_the_schema_and_hides_the_password(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEASSIST_DATABASE_URL", url.replace("postgres@", "postgres:hidden@"))
    done = CliRunner().invoke(app, ["database", "upgrade"])
    assert done.exit_code == 0 and "hidden" not in done.output
    open_database(url).close()

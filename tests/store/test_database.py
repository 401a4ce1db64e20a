"""The schema and its migrations, the same on both databases."""

from __future__ import annotations

import importlib
import pkgutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from processes import PROCESSES
from sqlalchemy import URL, create_engine, inspect, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

import api.store
from api.store.audit import AuditHead
from api.store.base import Base
from api.store.database import Database, open_database
from api.store.errors import DatabaseError
from api.store.notes import NoteRow, SuggestionsRow


def test_the_migrations_make_what_the_models_say(database: Database, url: str) -> None:
    for module in pkgutil.iter_modules(api.store.__path__):
        importlib.import_module(f"api.store.{module.name}")  # every table, whatever other tests have imported
    engine = create_engine(url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
        inspector = inspect(connection)
        assert set(inspector.get_table_names()) == {*Base.metadata.tables, "alembic_version"}
        for table in Base.metadata.tables.values():
            assert inspector.get_pk_constraint(table.name)["name"] == f"pk_{table.name}"
    engine.dispose()


def test_an_upgrade_again_changes_nothing(database: Database) -> None:
    database.upgrade()
    with database.reading() as session:
        assert session.scalars(select(AuditHead)).one().number == 0


def test_processes_that_start_at_once_make_one_schema(url: str) -> None:
    started = [PROCESSES.Process(target=open_database, args=(url,)) for _ in range(6)]
    for process in started:
        process.start()
    for process in started:
        process.join(60)
    assert [process.exitcode for process in started] == [0] * 6
    opened = open_database(url)
    with opened.reading() as session:
        assert session.scalars(select(AuditHead)).one().number == 0
    opened.close()


def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    def fail(session: Session) -> None:
        session.add(a_note())
        session.flush()
        raise RuntimeError

    with pytest.raises(RuntimeError), database.writing() as session:
        fail(session)
    with database.reading() as session:
        assert session.scalars(select(NoteRow)).all() == []


def test_foreign_keys_hold(database: Database) -> None:
    with pytest.raises(IntegrityError), database.writing() as session:
        session.add(SuggestionsRow(note_id=99, made=datetime.now(UTC), model={}, terminology={}, result={}))


@pytest.mark.parametrize(
    "value", ["NUL \0 here", "😀 e\u0301 \u202e", "<script>alert(1)</script>", "'; DROP TABLE notes; --"]
)
def test_text_comes_back_as_it_was(database: Database, value: str) -> None:
    with database.writing() as session:
        session.add(a_note(text=value, number=0.1 + 0.2))
    with database.reading() as session:
        assert session.scalars(select(NoteRow)).one().record == {"text": value, "number": 0.1 + 0.2}


def test_a_moment_comes_back_in_utc_to_the_microsecond(database: Database) -> None:
    moment = datetime(2026, 3, 2, 9, 30, 1, 123456, tzinfo=UTC)
    with database.writing() as session:
        session.add(a_note(received=moment))
    with database.reading() as session:
        assert session.scalars(select(NoteRow)).one().received.isoformat() == moment.isoformat()


def test_the_schema_of_a_newer_version_is_refused(database: Database) -> None:
    with database.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseError, match="newer"):
        database.upgrade()


def test_sqlite_waits_keeps_and_is_private(tmp_path: Path) -> None:
    file = tmp_path / "new folder %41" / "store.sqlite3"
    opened = open_database(URL.create("sqlite", database=str(file)).render_as_string())
    with opened.reading() as session:
        values = [session.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "synchronous")]
    opened.close()
    assert values == ["wal", 2]
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "url", ["", "nonsense", "mysql://u@h/d", "sqlite://", "sqlite:///:memory:", "no-such-kind://x"], ids=str
)
def test_a_url_that_can_not_be_used(url: str) -> None:
    with pytest.raises(DatabaseError, match="sqlite:///FILE"):
        open_database(url)


@pytest.mark.parametrize(
    "url", ["sqlite:////proc/nothing/x.sqlite3", "postgresql://nobody@127.0.0.1:1/none?connect_timeout=2"], ids=str
)
def test_a_database_that_is_not_there(url: str) -> None:
    with pytest.raises(DatabaseError, match="database"):
        open_database(url)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    file = tmp_path / "x.sqlite3"
    file.write_bytes(b"not a database, by far" * 100)
    with pytest.raises(DatabaseError):
        open_database(f"sqlite:///{file}")


def a_note(received: datetime | None = None, **record: Any) -> NoteRow:
    moment = received or datetime.now(UTC)
    return NoteRow(setting="outpatient", date_of_service=moment.date(), record=record, received=moment)

"""The database of a site: SQLite in a file, or PostgreSQL, by one setting."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.orm import Session

from api.store.audit import AuditHead
from api.store.errors import DatabaseError

SECONDS_TO_WAIT = 30
"""How long a writer waits for the others before it gives up."""
MIGRATION_LOCK = 0xC0DEA551
"""The advisory lock of PostgreSQL that a process takes to bring the schema up to date."""
_PRAGMAS = (
    f"busy_timeout = {SECONDS_TO_WAIT * 1000}",  # first, because changing the journal mode may have to wait
    "journal_mode = WAL",
    "synchronous = FULL",  # what was acknowledged outlives a loss of power, not only the end of the process
    "foreign_keys = ON",
)


class Database:
    """Transactions of one database. Safe for threads; not to be carried over a fork.

    Raises :class:`DatabaseError` when the URL can't be used.
    """

    def __init__(self, url: str) -> None:
        self.url = _parsed(url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        try:
            self._engine = create_engine(self.url, pool_pre_ping=not self.sqlite, hide_parameters=True)
        except ImportError:
            raise DatabaseError("PostgreSQL needs its driver: pip install 'codeassist[postgresql]'") from None
        if self.sqlite:
            event.listen(self._engine, "connect", _set_up_sqlite)
            event.listen(self._engine, "begin", _begin_sqlite)
            self._readers: Engine = self._engine
        else:
            self._readers = self._engine.execution_options(isolation_level="REPEATABLE READ")
        self._writers = self._engine.execution_options(begin="IMMEDIATE") if self.sqlite else self._engine

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that sees the database as it was at its first query."""
        with Session(self._readers, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that is committed at the end, or rolled back when an exception leaves it.

        SQLite has one writer at a time; on PostgreSQL they meet at the rows that they lock.
        """
        with Session(self._writers, expire_on_commit=False) as session, session.begin():
            yield session

    def upgrade(self) -> None:
        """Bring the schema up to date, in one transaction. Of several processes that start at once, one does it and the
        others wait. Raises :class:`DatabaseError`."""
        if self.sqlite:
            _prepare_file(self.url)
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
        try:
            with self._writers.begin() as connection:
                if not self.sqlite:
                    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        except CommandError:
            raise DatabaseError("the database was made by a newer codeassist: install that one") from None
        except SQLAlchemyError as error:
            raise DatabaseError(f"the database can't be used: {_first_line(error)}") from None

    def require(self) -> None:
        """Raise :class:`DatabaseError` when there is no database of codeassist here; none is made."""
        missing = DatabaseError("there is no database of codeassist there: `codeassist database upgrade` makes one")
        if self.sqlite and not Path(str(self.url.database)).exists():
            raise missing
        try:
            with self._engine.connect() as connection:
                if not inspect(connection).has_table(AuditHead.__tablename__):
                    raise missing
        except SQLAlchemyError as error:
            raise DatabaseError(f"the database can't be used: {_first_line(error)}") from None

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def open_database(url: str) -> Database:
    """The database at ``url``, up to date. Raises :class:`DatabaseError`."""
    database = Database(url)
    database.upgrade()
    return database


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, NoSuchModuleError):
        raise DatabaseError("the database URL is none: sqlite:///FILE or postgresql://USER@HOST/NAME") from None
    if backend in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite" or not parsed.database or parsed.database == ":memory:":
        raise DatabaseError("the database is sqlite:///FILE or postgresql://USER@HOST/NAME")
    return parsed


def _prepare_file(url: URL) -> None:
    """A file that only its owner can read, because it holds notes; SQLite gives its side files the same rights."""
    file = Path(str(url.database))
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise DatabaseError(f"the database file {file} can't be opened: {error.strerror}") from None


def _set_up_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # the driver begins no transactions of its own: _begin_sqlite does
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('begin', 'DEFERRED')}")


def _first_line(error: SQLAlchemyError) -> str:
    cause = getattr(error, "orig", None) or error
    return (str(cause).strip().splitlines() or [type(error).__name__])[0]

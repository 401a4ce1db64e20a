"""Fill a PostgreSQL database with synthetic reviews, to see how the service does with many.

    python tools/load_reviews.py postgresql://coder@127.0.0.1/trial --reviews 5000000

One synthetic note is coded by the shipped model, and every review holds this note and these suggestions; setting,
specialty, date, coder, confidence and state differ. The last 2 % wait, as the latest do at a site. The database makes
the rows itself, ``--step`` at a time. The audit trail stays as it is: a record of it is read by its number alone, so
its length does not matter to the service.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, text

import codeassist
from api.store.database import Database, open_database
from codeassist.note import note_from_record

if TYPE_CHECKING:
    from codeassist.assistant import CodeAssistant

NOTE = {
    "id": "synthetic",
    "text": "Assessment and Plan:\n1. Type 2 diabetes mellitus, on metformin.\n2. Essential hypertension, stable.",
    "date_of_service": "2026-03-02",
}
STEP = 100_000
_FACTS = """
    SELECT i, (ARRAY['outpatient', 'inpatient', 'emergency'])[1 + i % 3] AS setting,
           'specialty ' || (i * 7919) % 30 AS specialty, DATE '2021-01-01' + (i * 1800 / :total)::int AS day,
           'coder ' || (i * 104729) % 200 AS coder, ((i * 15485863) % 10000) / 10000.0 AS lot,
           TIMESTAMPTZ '2021-01-01' + i * INTERVAL '30 seconds' AS received,
           CASE WHEN i <= :total * 0.98 THEN 'submitted' WHEN i % 200 = 0 THEN 'held' WHEN i % 1000 = 1 THEN 'open'
                ELSE 'waiting' END AS state
    FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS i
"""
_BAND = "CASE WHEN lot >= 0.8 THEN 'high' WHEN lot >= 0.6 THEN 'medium' ELSE 'low' END"
_ROWS = (
    "INSERT INTO notes (id, setting, date_of_service, specialty, record, received) "
    "SELECT i, setting, day, specialty, CAST(:record AS json), received FROM facts",
    "INSERT INTO suggestions (id, note_id, made, model, terminology, result) "
    "SELECT i, i, received, CAST(:model AS json), CAST(:terminology AS json), CAST(:result AS json) FROM facts",
    f"""INSERT INTO reviews (id, note_id, suggestions_id, state, holder, lock_until, hold_reason, version, submitted_by,
        submitted_at, submitted_on, record_id, setting, specialty, date_of_service, dated, received, confidence, band,
        priority, assigned_to, seconds, lot)
    SELECT i, i, i, state, CASE WHEN state IN ('open', 'held') THEN coder END,
        CASE WHEN state = 'open' THEN now() + INTERVAL '1 day' END, CASE WHEN state = 'held' THEN 'a reason' END, 1,
        CASE WHEN state = 'submitted' THEN coder END,
        CASE WHEN state = 'submitted' THEN received END, CASE WHEN state = 'submitted' THEN received::date END,
        'synthetic-' || i, setting, specialty, day, TRUE, received, lot, {_BAND}, 5,
        CASE WHEN i % 10 = 0 THEN coder END, 60 + i % 300, CASE WHEN state = 'submitted' THEN lot END FROM facts""",
    """INSERT INTO decisions (review_id, number, kind, user_name, time, details)
    SELECT i, number, 'accepted', coder, received,
        CAST(CASE WHEN number = 1 THEN '{"system": "icd-10-cm", "code": "I10"}'
                  ELSE '{"system": "icd-10-cm", "code": "E11.9"}' END AS json)
    FROM facts, generate_series(1, 2) AS number WHERE state = 'submitted'""",
    """INSERT INTO outcomes (review_id, number, system, code, outcome, suggested, probability, coder, submitted_on,
        setting, specialty)
    SELECT i, number, 'icd-10-cm', CASE WHEN number = 1 THEN 'I10' ELSE 'E11.9' END, 'accepted', TRUE, 0.9, coder,
        received::date, setting, specialty FROM facts, generate_series(1, 2) AS number WHERE state = 'submitted'""",
)
_COUNTED = """
    INSERT INTO worklist_counts (state, setting, specialty, band, number)
    SELECT state, setting, coalesce(specialty, ''), band, count(*) FROM reviews GROUP BY 1, 2, 3, 4
"""
_TABLES = ("notes", "suggestions", "reviews", "decisions")


def load(database: Database, assistant: CodeAssistant, reviews: int, step: int = STEP) -> None:
    """Fill an empty database with this many reviews."""
    made = assistant.suggest(note_from_record(NOTE)).as_record()
    contents = {name: json.dumps(made[name]) for name in ("model", "terminology")}
    contents |= {"record": json.dumps(NOTE), "result": json.dumps(made)}
    for first in range(1, reviews + 1, step):
        about = {"first": first, "last": min(first + step - 1, reviews), "total": reviews}
        with database.writing() as session:
            for statement in _ROWS:
                used = {name: value for name, value in contents.items() if f":{name} " in statement}
                head, rest = statement.split("SELECT", 1)
                session.execute(text(f"{head} WITH facts AS ({_FACTS}) SELECT{rest}"), {**about, **used})
    with database.writing() as session:
        session.execute(text("DELETE FROM worklist_counts"))
        session.execute(text(_COUNTED))
        for table in _TABLES:
            top = f"(SELECT coalesce(max(id), 1) FROM {table})"
            session.execute(text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {top})"))
    _analyze(database)


def _analyze(database: Database) -> None:
    """What PostgreSQL does by itself some time after: statistics for the planner, and the map of visible rows."""
    engine = create_engine(database.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("VACUUM ANALYZE"))
    engine.dispose()


def main() -> None:
    """Read the command line and load."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("database", help="postgresql://USER@HOST/NAME, empty")
    parser.add_argument("--reviews", type=int, default=200_000)
    parser.add_argument("--step", type=int, default=STEP)
    given = parser.parse_args()
    started = time.monotonic()
    database = open_database(given.database)
    load(database, codeassist.load(), given.reviews, given.step)
    database.close()
    print(f"{given.reviews:,} reviews in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()

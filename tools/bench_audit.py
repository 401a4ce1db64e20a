"""How many audit records a second a database takes, from one writer and from several. It adds records: use a trial.

python tools/bench_audit.py postgresql://coder@127.0.0.1/trial --seconds 5
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ThreadPoolExecutor

from api.store.audit import NO_RELEASES, append
from api.store.database import Database, open_database


def records(database: Database, seconds: float) -> int:
    """Records of one writer, a transaction each."""
    count, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        with database.writing() as session:
            append(session, "bench", "view", "review:1", NO_RELEASES, {})
        count += 1
    return count


def main() -> None:
    """Print a line for each number of writers."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--seconds", type=float, default=5)
    options = parser.parse_args()
    database = open_database(options.url)
    for writers in (1, 4):
        with ThreadPoolExecutor(writers) as pool:
            counts = list(pool.map(records, [database] * writers, [options.seconds] * writers))
        print(f"{writers} writers: {sum(counts) / options.seconds:.0f} records a second")
    database.close()


if __name__ == "__main__":
    main()

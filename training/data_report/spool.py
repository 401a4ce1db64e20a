"""Problems as they are found, on disk: many notes can have more of them than memory should hold."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator

from training.data_report.problems import KINDS, Problem

_ORDER = {kind: i for i, kind in enumerate(KINDS)}
_COLUMNS = "file, line, note, message, score"


class Problems:
    """Takes problems in any order, counts them by kind, and gives them back in the order of the report: by kind, the
    likeliest first, then by file and line."""

    def __init__(self) -> None:
        # with an empty name SQLite keeps the table in a file of its own that has no name and goes with the connection
        self._table = sqlite3.connect("")
        self._table.execute(f"create table problems (kind, {_COLUMNS})")
        self.counts: Counter[str] = Counter()
        """How many there are of each kind."""

    def append(self, problem: Problem) -> None:
        """Keep one more."""
        p = problem
        self.counts[p.kind] += 1
        values = (_ORDER[p.kind], p.file, p.line, p.note, p.message, p.score)
        self._table.execute("insert into problems values (?, ?, ?, ?, ?, ?)", values)

    def extend(self, problems: Iterable[Problem]) -> None:
        """Keep more."""
        for problem in problems:
            self.append(problem)

    def of(self, kind: str, most: int | None = None) -> Iterator[Problem]:
        """The first ``most`` of a kind; all of them unless that is given."""
        query = f"select {_COLUMNS} from problems where kind = ? order by -ifnull(score, 0), file, line, rowid limit ?"
        for row in self._table.execute(query, (_ORDER[kind], -1 if most is None else most)):
            yield Problem(kind, *row)

    def __iter__(self) -> Iterator[Problem]:
        for kind in KINDS:
            if self.counts[kind]:
                yield from self.of(kind)

    def __len__(self) -> int:
        return self.counts.total()

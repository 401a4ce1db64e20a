"""Reader of the tables of knowledge in ``rules/data``."""

from __future__ import annotations

from importlib import resources

from codeassist.errors import CodeassistError


def read_table(name: str, columns: int) -> list[tuple[str, ...]]:
    """The lines of ``data/<name>.tsv``, comments left out. Raises :class:`CodeassistError` that names a line with
    another number of columns."""
    file = resources.files("codeassist.rules.data") / f"{name}.tsv"
    rows = []
    for n, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if line and not line.startswith("#"):
            rows.append(tuple(line.split("\t")))
            if len(rows[-1]) != columns:
                raise CodeassistError(f"{name}.tsv line {n}: {columns} columns, not {len(rows[-1])}")
    return rows

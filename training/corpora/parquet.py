"""Audited notes as Parquet: a row a note, read a few rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from codeassist.errors import InputError
from training.rows import record_of_row

_ROWS = 256


def read_parquet(path: Path) -> Iterator[tuple[int, Mapping[str, Any] | InputError]]:
    """Records with the number of their row, counted from 1; for a bad row, why.

    Columns are named as the fields of JSON Lines. ``codes`` is a list of structs, or text as in CSV
    (``icd-10-cm:E11.9; cpt:99213``), with ``age``, ``sex`` and ``patient`` in columns of their own. Nulls count as not
    given. Raises :class:`InputError` without pyarrow, for a file that is no Parquet, or that lacks a column.
    """
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise InputError("Parquet needs pyarrow: install codeassist with its extra 'parquet'") from None
    try:
        with ParquetFile(path) as file:
            names = file.schema_arrow.names
            lacking = [c for c in ("codes",) if c not in names]
            if not {"text", "documents"} & set(names):
                lacking.insert(0, "text")
            if lacking:
                raise InputError(f"{path.name} has no column {' and no column '.join(lacking)}")
            number = 0
            for batch in file.iter_batches(_ROWS):
                for row in batch.to_pylist():
                    number += 1
                    yield number, _record(row)
    except ArrowException as error:
        raise InputError(f"{path.name} can't be read as Parquet: {str(error).splitlines()[0]}") from None


def _record(row: Mapping[str, Any]) -> Mapping[str, Any] | InputError:
    given = {name: value for name, value in row.items() if value is not None}
    if isinstance(given.get("codes"), str):
        return record_of_row(given)
    for code in given.get("codes") or ():
        if isinstance(code, dict):
            for name in [n for n, value in code.items() if value is None]:
                del code[name]
    return given

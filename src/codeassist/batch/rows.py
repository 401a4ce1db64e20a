"""Note records in Parquet: columns are named as the fields of a record, a row a note."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any

from codeassist.batch.lines import Line
from codeassist.errors import InputError

_ROWS = 64


def is_parquet(name: str) -> bool:
    """By the name of the file."""
    return name.lower().endswith((".parquet", ".pq"))


def open_parquet(file: IO[bytes], name: str) -> Any:
    """``pyarrow.parquet.ParquetFile``. Raises :class:`InputError` without pyarrow, and for what is no such file."""
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise InputError("Parquet needs pyarrow: install codeassist with its extra 'parquet'") from None
    try:
        table = ParquetFile(file)
    except ArrowException as error:
        raise InputError(f"{name} can't be read as Parquet: {str(error).splitlines()[0]}") from None
    if not {"text", "documents"} & set(table.schema_arrow.names):
        raise InputError(f"{name} has no column text and no column documents")
    return table


def row_groups(table: Any) -> list[int]:
    """Rows of each row group."""
    return [table.metadata.row_group(i).num_rows for i in range(table.num_row_groups)]


def read_rows(table: Any, groups: Sequence[int], first: int, skip: int = 0) -> Iterator[Line]:
    """Rows of some row groups as lines, the first of which is row ``first`` of the file (from 0), without those before
    row ``skip``. Nulls count as not given."""
    row = first
    for batch in table.iter_batches(_ROWS, row_groups=list(groups)):
        if row + batch.num_rows <= skip:
            row += batch.num_rows
            continue
        for record in batch.to_pylist():
            row += 1
            if row > skip:
                yield Line(row, row - 1, row, json.dumps(_given(record), default=_plain).encode())


def _given(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _given(v) for k, v in value.items() if v is not None}
    return [_given(v) for v in value] if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        value = value.date()
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else str(value)

"""Tables: those of this package, and CSV (RFC 4180) that a spreadsheet shows and does not run."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_line(cells: Iterable[Any]) -> str:
    """One row, its end included. Nothing stands for None, and a text that begins like a formula begins with ``'``.

    >>> csv_line(["=1+1", -1, None, "a,b"])
    "'=1+1,-1,,\\"a,b\\"\\r\\n"
    """
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(_safe(cell) for cell in cells)
    return out.getvalue()


def _safe(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


@cache
def read_table(name: str, columns: int) -> tuple[tuple[str, ...], ...]:
    """The rows of a table of ``api.reviews.data`` behind its header. Raises ``ValueError`` for one of another width."""
    text = resources.files("api.reviews.data").joinpath(name).read_text("utf-8")
    rows = [tuple(line.split("\t")) for line in text.splitlines() if line and not line.startswith("#")]
    if any(len(row) != columns for row in rows):
        raise ValueError(f"{name}: every row has {columns} columns")
    return tuple(rows[1:])

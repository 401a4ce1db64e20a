"""Tables as CSV (RFC 4180) that a spreadsheet shows and does not run."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
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

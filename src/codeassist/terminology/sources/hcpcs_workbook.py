"""Reader of the HCPCS Level II quarterly file as a workbook (``HCPCyyyy_mmm_ANWEB.xlsx``).

Notices come first, then a line of heads (HCPC, SEQNUM, RECID, LONG DESCRIPTION, SHORT DESCRIPTION, …,
ADD DT, ACT EFF DT, TERM DT, ACTION CD), then one line a record.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from zipfile import BadZipFile

from codeassist.errors import TerminologyError
from codeassist.terminology.sources.hcpcs import HcpcsCode, HcpcsRecord, hcpcs_day, join_records

HEADS = ("HCPC", "RECID", "LONG DESCRIPTION", "SHORT DESCRIPTION", "ADD DT", "ACT EFF DT", "TERM DT")
_HEAD_LINES = 40


def workbook_rows(path: Path) -> Iterator[list[object]]:
    """The cells of the first sheet, line by line; raises :class:`TerminologyError` for a damaged workbook."""
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(path, read_only=True, data_only=True)
        try:
            for row in book.worksheets[0].iter_rows(values_only=True):
                yield list(row)
        finally:
            book.close()
    except (BadZipFile, InvalidFileException, KeyError, IndexError, EOFError, SyntaxError, ValueError) as error:
        raise TerminologyError(f"{path.name} is not readable as a workbook: {type(error).__name__}") from None


def find_heads(rows: Iterator[list[object]]) -> dict[str, int] | None:
    """Head to column of the first line that has all of :data:`HEADS`, or ``None``; reads up to that line."""
    for _, row in zip(range(_HEAD_LINES), rows, strict=False):
        names = {re.sub(r"[\s_]+", " ", str(c)).strip().upper(): i for i, c in enumerate(row) if c is not None}
        names = {n.replace("DATE", "DT") if n.endswith("DATE") else n: i for n, i in names.items()}
        if "HCPC" not in names and "HCPCS" in names:
            names["HCPC"] = names["HCPCS"]
        if set(HEADS) <= set(names):
            return names
    return None


def read_hcpcs_workbook(path: Path) -> Iterator[HcpcsCode]:
    """Codes and modifiers, as :func:`codeassist.terminology.sources.hcpcs.read_hcpcs_text` gives them."""
    return join_records(_records(path), path)


def _records(path: Path) -> Iterator[HcpcsRecord]:
    rows = workbook_rows(path)
    heads = find_heads(rows)
    if heads is None:
        raise TerminologyError(f"{path.name} has no line with the heads {', '.join(HEADS)}")
    columns = [heads[h] for h in HEADS]
    for number, row in enumerate(rows, 1):
        cells = [row[c] if c < len(row) else None for c in columns]
        if cells[0] is None and cells[1] is None:
            continue
        where = f"{path.name}, record {number}"
        code, kind, long, short = (str(c).strip() if c is not None else "" for c in cells[:4])
        kind = kind.removesuffix(".0")
        if kind not in ("3", "4", "7", "8"):
            raise TerminologyError(f"{where}: record identifier {kind!r}, not 3, 4, 7 or 8")
        yield HcpcsRecord(where, code, kind, long, short, *(_cell_day(c, where) for c in cells[4:]))


def _cell_day(cell: object, where: str) -> int:
    if cell is None:
        return 0
    if isinstance(cell, datetime | date):
        return cell.year * 10000 + cell.month * 100 + cell.day
    return hcpcs_day(str(cell).removesuffix(".0"), where)

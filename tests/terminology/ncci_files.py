"""NCCI files in CMS's layouts, with edits of our own: pairs in parts, unit limits, add-on codes."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from codeassist.terminology.ncci.layout import code_text

PAIR_NOTICE = '"Nothing but edits of the tests, 2026"\t\t\t\t\t\t\r\nColumn1/Column2 Edits\t\t\t\t\t\t\r\n'
PAIR_HEADS = (
    "Column 1\tColumn 2\t*=in existence\tEffective\tDeletion\tModifier\tPTP Edit Rationale\r\n"
    "\t\tprior to 1996\tDate\tDate\t0=not allowed\t\r\n"
    "\t\t\t\t*=no data\t1=allowed\t\r\n"
    "\t\t\t\t\t9=not applicable\t\r\n"
)
RATIONALE = "Reason of this test"
PairRow = tuple[str, str, str, str, str, str]
"""Column 1, column 2, mark, effective date, deletion date, modifier indicator."""

PAIRS: tuple[PairRow, ...] = (
    ("10000", "10001", "", "20200101", "*", "0"),
    ("10000", "10002", "", "20200101", "*", "1"),
    ("10000", "A1000", "*", "19960101", "20251231", "1"),
    ("10000", "A1000", "", "20260401", "*", "0"),
    ("10000", "10003", "", "20240101", "20240101", "9"),
    ("0042T", "10000", "", "20220101", "20260331", "1"),
)


def pair_file(path: Path, rows: Iterable[PairRow] = PAIRS) -> Path:
    """A part of a table of pairs as text."""
    body = "".join("\t".join((*row, RATIONALE)) + "\r\n" for row in rows)
    path.write_text(PAIR_NOTICE + PAIR_HEADS + body, encoding="cp1252", newline="")
    return path


def pair_workbook(path: Path, rows: Iterable[PairRow] = PAIRS) -> Path:
    """The same as a workbook: codes and dates as CMS's cells have them, as texts or numbers."""
    heads = [
        "Column 1",
        "Column 2",
        "*=in existence\nprior to 1996",
        "Effective \nDate",
        "Deletion \nDate \n*=no data",
        "Modifier\n0=not allowed\n1=allowed\n9=not applicable",
        "PTP Edit Rationale",
    ]
    lines: list[list[object]] = [["Nothing but edits of the tests, 2026"], ["Column1/Column2 Edits"], list(heads), []]
    for first, second, mark, begin, end, indicator in rows:
        last: object = int(end) if end.isdigit() else end
        column = int(first) if first.isdigit() else first
        lines.append([column, second, mark or None, int(begin), last, int(indicator), RATIONALE])
    return workbook(path, lines)


def workbook(path: Path, lines: Iterable[Sequence[object]]) -> Path:
    """A workbook of one sheet."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for line in lines:
        sheet.append(list(line))
    book.save(path)
    return path


UNIT_HEADS = {
    "practitioner": "Practitioner Services MUE Values",
    "hospital": "Outpatient Hospital Services MUE Values",
    "supplier": "DME Supplier Services MUE Values",
}
UNITS = (("10000", 1, "2 Date of Service Edit: Policy"), ("A1000", 3, "3 Date of Service Edit: Clinical"))


def unit_lines(kind: str) -> list[list[object]]:
    """Notices, heads and limits."""
    heads = ["HCPCS/\nCPT Code", UNIT_HEADS[kind], "MUE Adjudication Indicator", "MUE Rationale"]
    notice = "Nothing but limits of the tests,\nover two lines, with a comma, 2026"
    return [[notice, "", "", ""], list(heads), *([*row, RATIONALE] for row in UNITS), ["10002", 0, "1 Line Edit", ""]]


def unit_file(path: Path, kind: str) -> Path:
    """Unit limits with commas."""
    with path.open("w", encoding="cp1252", newline="") as file:
        csv.writer(file).writerows(unit_lines(kind))
    return path


ADD_ON_HEADS = ("Add-On Code", "AOC Edit Type", "Primary Code", "Edit Eff Date", "Edit Del Date", "Notes")
ADD_ONS = (
    ("10001", "1", "10000", "20130101", "", ""),
    ("10001", "1", "10002", "2013001", "20251231", "gone"),
    ("10004", "2", "CCCCC", "20130101", "", ""),
    ("10005", "3", "10000", "01/01/2013", "*", ""),
    ("10005", "3", "CCCCC", "01/01/2013", "*", ""),
)


def add_on_file(path: Path, delimiter: str = "\t") -> Path:
    """Add-on code edits, parted by a character or, with none, by their place in the line."""
    rows = [["Nothing but edits of the tests"], ADD_ON_HEADS, *ADD_ONS]
    if delimiter:
        text = "".join(delimiter.join(row) + "\r\n" for row in rows)
    else:
        text = "".join("".join(f"{c:<16}" for c in row) + "\r\n" for row in rows)
    path.write_text(text, encoding="utf-8", newline="")
    return path


def many_pairs(folder: Path, rows: int, parts: int = 4, table: str = "ccioph", seed: int = 1) -> list[Path]:
    """A table of about ``rows`` pairs in parts, as ``<table>-v321r0-f1.txt``; a sixth has ended."""
    random = np.random.default_rng(seed)
    codes = [code_text(n) for n in sorted(random.choice(36**5, 12_000, replace=False).tolist())]
    first = np.sort(random.integers(0, len(codes), rows))
    second = random.integers(0, len(codes), rows)
    begun = random.integers(1996, 2026, rows) * 10000 + random.integers(1, 5, rows) * 300 - 199
    ended = random.random(rows) < 1 / 6
    indicator = random.integers(0, 2, rows)
    columns = [c.tolist() for c in (first, second, begun, ended, indicator)]
    lines = [
        f"{codes[a]}\t{codes[b]}\t\t{day}\t{20260331 if end else '*'}\t{kind}\t{RATIONALE}\r\n"
        for a, b, day, end, kind in zip(*columns, strict=True)
    ]
    out = []
    for part in range(parts):
        path = folder / f"{table}-v321r0-f{part + 1}.txt"
        mine = lines[part * rows // parts : (part + 1) * rows // parts]
        path.write_text(PAIR_NOTICE + PAIR_HEADS + "".join(mine), encoding="cp1252", newline="")
        out.append(path)
    return out

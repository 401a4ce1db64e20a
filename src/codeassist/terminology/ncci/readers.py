"""Readers of CMS's NCCI files: procedure-to-procedure edits, medically unlikely edits and add-on code edits.

Each is published as a workbook and as text (tab-delimited pairs, comma-separated unit limits), after lines of
notices and of column heads. Rationales and descriptors are not kept.
"""

from __future__ import annotations

import csv
import io
import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path

from codeassist.errors import TerminologyError
from codeassist.terminology.codes import FOREVER
from codeassist.terminology.ncci.layout import AddOns, Pairs, Units, code_number, pair_key
from codeassist.terminology.sources.hcpcs_workbook import workbook_rows
from codeassist.terminology.sources.text_files import read_lines

_HEAD_LINES = 60
Line = tuple[int, Sequence[object]]


def read_pairs(path: Path, part: int = 0) -> Pairs:
    """Pairs of a file of "Column1/Column2 Edits"; its columns are column 1, column 2, a mark for pairs from before
    1996, effective date, deletion date (``*`` none), modifier indicator, rationale.

    Raises :class:`TerminologyError` with the line's number when a line after the heads is no pair.
    """
    keys, firsts, lasts, indicators = array("Q"), array("i"), array("i"), array("B")
    codes, days, indicator_of = _Known(_code), _Known(_day), _Known(_indicator)
    begun = False
    for number, cells in _pair_lines(path):
        try:
            first, second, _, begin, end, indicator = cells[:6]
            key = pair_key(codes[first], codes[second])
            day, last, kind = days[begin], days[end], indicator_of[indicator]
        except ValueError:
            head = not begun and number <= _HEAD_LINES and not (cells and _is_code(cells[0]))
            if head or not any(_texts(cells)):
                continue
            raise _misfit(path, number, "column 1, column 2, dates and a modifier indicator of 0, 1 or 9") from None
        if not day:
            raise _misfit(path, number, "the day from which the pair is in force")
        begun = True
        keys.append(key)
        firsts.append(day)
        lasts.append(last or FOREVER)
        indicators.append(kind)
    return Pairs.of(keys, firsts, lasts, indicators, part)


class _Known(dict[object, int]):
    """Cells read once: files have millions of them, but few that differ."""

    def __init__(self, read: Callable[[object], int]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, cell: object) -> int:
        value = self[cell] = self._read(cell)
        return value


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bytes):
        cell = cell.decode("cp1252", "replace")
    elif isinstance(cell, datetime | date):
        return f"{cell:%Y%m%d}"
    return str(cell).strip(' "\t\r\n\x1a').removesuffix(".0")


def _texts(cells: Sequence[object]) -> list[str]:
    return [_text(c) for c in cells]


def _code(cell: object) -> int:
    text = _text(cell)
    number = code_number(text.zfill(5) if isinstance(cell, int | float) else text.upper())
    if number < 0:
        raise ValueError
    return number


def _is_code(cell: object) -> bool:
    return code_number(_text(cell)) >= 0


def _day(cell: object) -> int:
    """A date as yyyymmdd, 0 for none; written yyyymmdd, yyyyddd (day of the year) or mm/dd/yyyy."""
    text = _text(cell)
    if not text.strip("*- 0"):
        return 0
    forms = {7: "%Y%j", 8: "%Y%m%d"} if text.isdigit() else {10: "%m/%d/%Y"}
    when = datetime.strptime(text, forms.get(len(text), "%m/%d/%Y"))
    return min(when.year * 10000 + when.month * 100 + when.day, FOREVER)


def _indicator(cell: object) -> int:
    text = _text(cell)
    if text not in ("0", "1", "9"):
        raise ValueError
    return int(text)


def _pair_lines(path: Path) -> Iterator[Line]:
    if path.suffix.lower() == ".xlsx":
        yield from enumerate(workbook_rows(path), 1)
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            yield number, line.split(b"\t", 6)


def read_units(path: Path) -> tuple[str, Units]:
    """Whose unit limits a file holds (``hospital``, ``practitioner``, ``supplier``), and they.

    Columns: code, MUE values (their head names the provider), adjudication indicator, rationale.
    Raises :class:`TerminologyError` with the line's number when a line after the heads is no limit.
    """
    lines = _lines(path)
    for _, cells in lines:
        heads = [" ".join(c.split()).lower() for c in _texts(cells)]
        value = next((i for i, h in enumerate(heads) if "mue value" in h), -1)
        indicator = next((i for i, h in enumerate(heads) if "adjudication" in h), -1)
        if value >= 0 and indicator >= 0:
            break
    else:
        raise TerminologyError(f"{path.name} has no line with the heads of unit limits (MUE Values, …)")
    kinds = {"hospital": "hospital", "practitioner": "practitioner", "dme": "supplier", "supplier": "supplier"}
    kind = next((k for word, k in kinds.items() if word in heads[value]), "")
    if not kind:
        raise TerminologyError(f"{path.name}: {heads[value]!r} does not say whose unit limits these are")
    rows = []
    for number, cells in lines:
        texts = _texts(cells)
        if not any(texts):
            continue
        try:
            rows.append((_code(cells[0]), int(texts[value]), int(texts[indicator][:1])))
        except (ValueError, IndexError):
            raise _misfit(path, number, "a code, its units and an adjudication indicator of 1, 2 or 3") from None
        if rows[-1][1] < 0 or rows[-1][2] not in (1, 2, 3):
            raise _misfit(path, number, "units and an adjudication indicator of 1, 2 or 3")
    return kind, Units.of(*zip(*rows, strict=True)) if rows else Units.of([], [], [])


def read_add_ons(path: Path) -> AddOns:
    """Add-on codes with their primary codes (0 where the contractor says which).

    Columns are told by their heads, in text parted by tabs, bars, commas or their place in the line: add-on code,
    primary code, edit type (1, 2, 3 or I, II, III), effective and deletion dates of either.
    Raises :class:`TerminologyError` with the line's number when a line after the heads does not fit.
    """
    lines = _lines(path)
    columns: dict[str, list[int]] = {}
    for _, cells in lines:
        columns = _add_on_columns(_texts(cells))
        if columns:
            break
    else:
        raise TerminologyError(f"{path.name} has no line with the heads of add-on code edits")
    rows = []
    for number, cells in lines:
        if any(_texts(cells)):
            try:
                rows.append(_add_on(cells, columns))
            except (ValueError, IndexError):
                raise _misfit(path, number, "an add-on code, its type (1, 2, 3), a primary code and dates") from None
    return AddOns.of(*zip(*rows, strict=True)) if rows else AddOns.of([], [], [], [])


def _add_on_columns(cells: Iterable[str]) -> dict[str, list[int]]:
    """Columns by what they hold, or nothing when these are not the heads."""
    out: dict[str, list[int]] = {"add-on": [], "primary": [], "type": [], "first": [], "last": []}
    for i, cell in enumerate(cells):
        head = re.sub(r"[\s_/.-]+", " ", cell).lower()
        dated = re.search(r"\b(date|dt|day|eff\w*|del\w*|end|term\w*)\b", head)
        if dated:
            out["first" if re.search(r"\beff|\bbeg|\bstart", head) else "last"].append(i)
        elif "type" in head.split():
            out["type"].append(i)
        elif "primary" in head and "code" in head:
            out["primary"].append(i)
        elif re.search(r"\badd ?on\b.*\bcode\b|\baoc\b", head):
            out["add-on"].append(i)
    return out if out["add-on"] and out["primary"] and out["type"] else {}


def _add_on(cells: Sequence[object], columns: dict[str, list[int]]) -> tuple[int, int, int, int]:
    kinds = {"1": 1, "2": 2, "3": 3, "I": 1, "II": 2, "III": 3}
    kind = kinds.get(_text(cells[columns["type"][0]]).upper().removeprefix("TYPE").strip(), 0)
    listed = cells[columns["primary"][0]]
    none = _text(listed).upper() in ("", "CCCCC", "*", "N/A", "NA")
    if not kind or (none and kind == 1):
        raise ValueError
    first = max((_day(cells[i]) for i in columns["first"]), default=0)
    last = min((_day(cells[i]) or FOREVER for i in columns["last"] if i < len(cells)), default=FOREVER)
    key = pair_key(_code(cells[columns["add-on"][0]]), 0 if none else _code(listed))
    return key, first, last, kind


def _lines(path: Path) -> Iterator[Line]:
    """Numbered lines of cells of a workbook or of a text, whatever parts its columns."""
    if path.suffix.lower() == ".xlsx":
        return iter(enumerate(workbook_rows(path), 1))
    text = [line for _, line in read_lines(path)]
    best = max(("\t", ",", "|"), key=lambda d: sum(line.count(d) for line in text))
    head = next((line for line in text if re.search(r"add.?on", line, re.I) and re.search("primary", line, re.I)), "")
    if best in head or not head:
        return _separated(path, best)
    starts = [m.start() for m in re.finditer(r"\S+(?: \S+)*", head)]
    cuts = list(zip(starts, [*starts[1:], None], strict=True))
    return ((number, [line[a:b].strip() for a, b in cuts]) for number, line in read_lines(path))


def _separated(path: Path, delimiter: str) -> Iterator[Line]:
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", "replace")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    for cells in reader:
        yield reader.line_num, cells


def _misfit(path: Path, number: int, wanted: str) -> TerminologyError:
    return TerminologyError(f"{path.name}, line {number}: not {wanted}: the file is damaged or has another layout")

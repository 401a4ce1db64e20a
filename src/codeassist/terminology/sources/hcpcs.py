"""Reader of the HCPCS Level II quarterly file as fixed-width text (``HCPCyyyy_mmm_ANWEB.txt``).

CMS's record layout, 320 columns: code 1-5 (a modifier stands at 4-5), sequence 6-10, record identifier 11
(3 a procedure's first line, 4 its next ones, 7 and 8 the same of a modifier), long description 12-91,
short description 92-119, date added 269-276, effective date of the last action 277-284, termination date
285-292, action code 293.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from codeassist.errors import TerminologyError
from codeassist.terminology.sources.text_files import read_lines

PROCEDURE, PROCEDURE_NEXT, MODIFIER, MODIFIER_NEXT = "3", "4", "7", "8"
_CODE = re.compile(r"^[A-CE-V][0-9]{4}$")
_DENTAL = re.compile(r"^D[0-9]{4}$")
_MODIFIER = re.compile(r"^[A-Z0-9]{2}$")


@dataclass(frozen=True, slots=True)
class HcpcsRecord:
    """One printed record, before continuation lines are joined. Dates are yyyymmdd, 0 when not stated."""

    where: str
    code: str
    kind: str
    long: str
    short: str
    added: int
    acted: int
    ended: int


@dataclass(frozen=True, slots=True)
class HcpcsCode:
    """A HCPCS code, or a modifier, with its descriptions and dates (yyyymmdd, 0 when not stated)."""

    code: str
    modifier: bool
    long: str
    short: str
    added: int
    acted: int
    ended: int


def read_hcpcs_text(path: Path) -> Iterator[HcpcsCode]:
    """Codes and modifiers; dental (D) codes, which are the ADA's, are skipped.

    Raises :class:`TerminologyError` with the line's number when a line does not fit the layout.
    """
    return join_records(_records(path), path)


def _records(path: Path) -> Iterator[HcpcsRecord]:
    for number, line in read_lines(path):
        where = f"{path.name}, line {number}"
        kind = line[10:11]
        whole = len(line) >= 276 or kind in (PROCEDURE_NEXT, MODIFIER_NEXT)
        if not whole or len(line) > 320 or kind not in ("3", "4", "7", "8") or not line[5:10].strip().isdigit():
            raise TerminologyError(
                f"{where}: not a record of the HCPCS quarterly file (320 columns, record identifier in column 11)"
            )
        days = [hcpcs_day(line[a:b], where) for a, b in ((268, 276), (276, 284), (284, 292))]
        yield HcpcsRecord(where, line[:5].strip(), kind, line[11:91].strip(), line[91:119].strip(), *days)


def join_records(records: Iterable[HcpcsRecord], path: Path) -> Iterator[HcpcsCode]:
    """Codes from their records, continuation lines joined."""
    first: HcpcsRecord | None = None
    text: list[str] = []
    for record in records:
        if record.kind in (PROCEDURE_NEXT, MODIFIER_NEXT):
            if first is None or record.code != first.code:
                raise TerminologyError(f"{record.where}: a continuation line of {record.code!r} without its first line")
            text.append(record.long)
            continue
        if first is not None:
            yield from _code(first, text)
        first, text = record, [record.long]
    if first is not None:
        yield from _code(first, text)


def _code(first: HcpcsRecord, text: list[str]) -> Iterator[HcpcsCode]:
    modifier = first.kind == MODIFIER
    if not modifier and _DENTAL.match(first.code):
        return
    if not (_MODIFIER if modifier else _CODE).match(first.code) or not (first.long or first.short):
        raise TerminologyError(f"{first.where}: {first.code!r} is no HCPCS {'modifier' if modifier else 'code'}")
    long = " ".join(" ".join(text).split())
    yield HcpcsCode(first.code, modifier, long, first.short, first.added, first.acted, first.ended)


def hcpcs_day(value: str, where: str) -> int:
    """A date of the file as yyyymmdd; 0 for blanks. Raises :class:`TerminologyError` for anything else."""
    text = value.strip()
    if not text or text == "0" * len(text):
        return 0
    try:
        day = int(text)
        date(day // 10000, day // 100 % 100, day % 100)
    except ValueError:
        raise TerminologyError(f"{where}: {text!r} stands where the layout has a date (yyyymmdd)") from None
    return day

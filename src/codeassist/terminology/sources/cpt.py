"""Reader of the AMA's CPT files, from the copy that the site has a licence for. None of their text is shipped.

``LONGULT.txt``, ``MEDU.txt``, ``SHORTU.txt``: some lines of notices, then code, tab or blanks, description.
``Consolidated_Code_List.txt``: a line of heads (Concept Id, CPT Code, Long, Medium, Short, …), then one
tab-separated line a code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from codeassist.errors import TerminologyError
from codeassist.terminology.sources.text_files import read_lines

CPT_CODE = re.compile(r"^[0-9]{4}[0-9AFMTU]$")
_LINE = re.compile(r"^([0-9]{4}[0-9AFMTU])(?:\t|\s+)(\S.*)$")
_YEAR = re.compile(r"(?<![0-9])(20[0-9]{2})(?![0-9])")
_NOTICE_LINES = 60
_HEADS = ("cpt code", "long", "medium", "short")


@dataclass(frozen=True, slots=True)
class CptCode:
    """A CPT code and its description in the file's length."""

    code: str
    description: str


@dataclass(frozen=True, slots=True)
class CptFile:
    """A CPT file: ``length`` of its descriptions (long, medium, short), latest year in its notices, codes."""

    length: str
    year: int | None
    codes: tuple[CptCode, ...]


def read_cpt(path: Path) -> CptFile:
    """A CPT file; raises :class:`TerminologyError` with the line's number when a line is not a code and its text.

    The length is told by the longest description: the AMA keeps short ones within 28 and medium ones
    within 48 characters.
    """
    lines = list(read_lines(path))
    notices: list[str] = []
    start = 0
    while start < len(lines) and start < _NOTICE_LINES and not _LINE.match(lines[start][1]):
        heads = [c.strip().lower() for c in lines[start][1].split("\t")]
        if "cpt code" in heads and "long" in heads:
            return CptFile("long", _year(notices), tuple(_consolidated(lines[start + 1 :], heads, path)))
        notices.append(lines[start][1])
        start += 1
    codes = tuple(_plain(lines[start:], path))
    if not codes:
        raise TerminologyError(f"{path.name} holds no line with a CPT code and its description")
    longest = max(len(c.description) for c in codes)
    return CptFile("short" if longest <= 28 else "medium" if longest <= 48 else "long", _year(notices), codes)


def _plain(lines: list[tuple[int, str]], path: Path) -> Iterator[CptCode]:
    for number, line in lines:
        found = _LINE.match(line)
        if found is None:
            raise TerminologyError(f"{path.name}, line {number}: not a CPT code, a tab and its description")
        yield CptCode(found[1], " ".join(found[2].split()))


def _consolidated(lines: list[tuple[int, str]], heads: list[str], path: Path) -> Iterator[CptCode]:
    places = [heads.index(h) for h in _HEADS if h in heads]
    for number, line in lines:
        cells = [c.strip().strip('"') for c in line.split("\t")]
        if len(cells) <= max(places) or not CPT_CODE.match(cells[places[0]]):
            raise TerminologyError(f"{path.name}, line {number}: not a line of a consolidated code list")
        description = next((cells[p] for p in places[1:] if cells[p]), "")
        if not description:
            raise TerminologyError(f"{path.name}, line {number}: {cells[places[0]]} has no description")
        yield CptCode(cells[places[0]], " ".join(description.split()))


def _year(notices: list[str]) -> int | None:
    years = [int(y) for line in notices for y in _YEAR.findall(line)]
    return max(years) if years else None

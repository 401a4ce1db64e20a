"""Personal data that should not be in notes to train on: found by patterns, and quoted only in part."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from training.data_report.problems import Problem
from training.data_report.reading import Placed

_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_DAY = rf"(?:\d{{1,2}}[/.-]\d{{1,2}}[/.-](?:\d{{4}}|\d{{2}})|\d{{4}}-\d{{2}}-\d{{2}}|{_MONTH}\.? \d{{1,2}},? \d{{4}})"
_PATTERNS = {
    "date of birth": re.compile(
        rf"\b(?:dob|d\.o\.b\.?|date of birth|birth ?date|born(?: on)?)\b[\s:,(=-]{{0,4}}({_DAY})", re.I
    ),
    "social security number": re.compile(r"(?<![\d-])((?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4})(?![\d-])"),
    "record number": re.compile(
        r"\b(?:mrn|m\.r\.n\.|medical record|chart|account|acct|patient id)\.?\s*(?:no\.?|number|num\.?|#)?[\s:#=]{0,4}"
        r"((?=[a-z-]{0,4}\d)[a-z\d-]{5,14})\b",
        re.I,
    ),
    "e-mail address": re.compile(r"\b([\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4})"),
    "telephone number": re.compile(
        r"(?<![\d.-])((?:\+?1[ .-])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[.-])\d{3}[ .-]\d{4})(?!\d|[.-]\d)"
    ),
}
_NAME = re.compile(
    r"\b(?:(?:Mr|Mrs|Ms|Mx|Dr|Prof)\b\.?|Miss|Doctor|(?:Patient|Patient name|Name|Pt name|Attending|Surgeon):)[ \t]+"
    r"((?:[A-Z]\.[ ])?[A-Z][a-z]+(?:['-][A-Z][a-z]+)?(?: [A-Z][a-z]+)?)\b"
)


@dataclass(frozen=True, slots=True)
class Found:
    """Personal data in a text: what it is, where it begins, and its first characters."""

    what: str
    start: int
    part: str


def find_personal(text: str) -> list[Found]:
    """Personal data of a text, in order.

    >>> [(f.what, f.part) for f in find_personal("DOB: 03/04/1961, call (212) 555-0100. Mr. Miller is well.")]
    [('date of birth', '03…'), ('telephone number', '(2…'), ('name', 'Mi…')]
    """
    out = [Found(what, m.start(1), _part(m[1])) for what, p in _PATTERNS.items() for m in p.finditer(text)]
    out += [Found("name", m.start(1), _part(m[1])) for m in _NAME.finditer(text)]
    return sorted(out, key=lambda f: (f.start, f.what))


def _part(quote: str) -> str:
    return quote[:2] + "…"


def check_personal(placed: Placed) -> Iterator[Problem]:
    """Personal data of a note, at its line of the file; where a file has a note a line, with the line of the text."""
    for document in placed.audited.note.parts:
        for found in find_personal(document.text):
            line = document.text.count("\n", 0, found.start)
            kind = "name" if found.what == "name" else "personal-data"
            if placed.text_line is not None:
                message = f"{found.what} {found.part!r}"
                yield Problem(kind, placed.file, placed.text_line + line, placed.audited.note.id, message)
            else:
                yield placed.problem(kind, f"{found.what} {found.part!r} in line {line + 1} of its text")

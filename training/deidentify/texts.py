"""A text without its identifiers, and where each place of the old text lies in the new one."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from datetime import date

from training.deidentify.dates import OLDEST, find_ages, find_dates, shifted
from training.deidentify.kinds import Identifier, Kind, settle
from training.deidentify.names import find_names, find_places
from training.deidentify.numbers import find_numbers
from training.deidentify.patterns import find_patterns
from training.deidentify.surrogates import Surrogates

_BORN = re.compile(r"(?:dob|d\.o\.b\.?|birth(?: ?date)?|born(?: on)?)[\s:,(=-]{0,4}$", re.I)
UNREADABLE = "[date]"
"""What stands for a date that can't be moved, such as 02/31/2026."""


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The new text, what was replaced in the old one, and for each replacement where it ends in both."""

    text: str
    found: tuple[Identifier, ...]
    _starts: tuple[int, ...]
    _pieces: tuple[tuple[int, int, int, int], ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """A span of the old text in the new one. A span that ends inside a replacement takes all of it."""
        return self._place(start, False), self._place(end, True)

    def _place(self, at: int, is_end: bool) -> int:
        i = bisect_right(self._starts, at - 1 if is_end else at) - 1
        if i < 0:
            return at
        start, end, new_start, new_end = self._pieces[i]
        if at >= end:
            return new_end + at - end
        return new_end if is_end and at > start else new_start


def find_identifiers(text: str) -> list[Identifier]:
    """Every identifier of a text, in order, none over another."""
    found = [*find_patterns(text), *find_numbers(text), *find_dates(text), *find_ages(text)]
    return settle([*found, *find_names(text), *find_places(text)])


def rewrite(text: str, surrogates: Surrogates, near: date) -> Rewritten:
    """``text`` with every identifier replaced; ``near`` is the note's date, for dates without a year."""
    found = find_identifiers(text)
    out: list[str] = []
    pieces = []
    last = length = 0
    for one in found:
        new = _replacement(text, one, surrogates, near)
        out += [text[last : one.start], new]
        length += one.start - last
        pieces.append((one.start, one.end, length, length + len(new)))
        length, last = length + len(new), one.end
    out.append(text[last:])
    return Rewritten("".join(out), tuple(found), tuple(p[0] for p in pieces), tuple(pieces))


def _replacement(text: str, one: Identifier, surrogates: Surrogates, near: date) -> str:
    quote, kind = text[one.start : one.end], one.kind
    if kind == "age":
        return str(OLDEST)
    if kind == "date":
        born = _BORN.search(text[max(0, one.start - 20) : one.start])
        return shifted(quote, surrogates.days, near, near.year - OLDEST if born else None) or UNREADABLE
    return surrogates.replacement(kind, quote)


def kinds_of(found: tuple[Identifier, ...]) -> dict[Kind, int]:
    """How many identifiers of each kind were found."""
    out: dict[Kind, int] = {}
    for one in found:
        out[one.kind] = out.get(one.kind, 0) + 1
    return out

"""Dates and great ages of a text, and how they are moved."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

from training.deidentify.kinds import Identifier

_MONTHS = "january february march april may june july august september october november december".split()
_MONTH = r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"  # noqa: E501
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_FORMS = (
    re.compile(rf"(?<![\d-]){_YEAR}(?P<mark>-)(?P<month>\d\d)-(?P<day>\d\d)(?![\d-])"),
    re.compile(
        r"(?<![\d/.-])(?P<month>0?[1-9]|1[0-2])(?P<mark>[/.-])(?P<day>0?[1-9]|[12]\d|3[01])(?P=mark)"
        r"(?P<year>(?:19|20)\d\d|\d\d)(?![\d/-]|\.\d)"
    ),
    re.compile(
        rf"\b(?P<name>{_MONTH})\.? (?P<day>\d{{1,2}})(?P<suffix>st|nd|rd|th)?(?:(?P<mark>,?) {_YEAR})?\b"
        r"(?!\s?(?:mg|ml|mcg|units|%))",
        re.I,
    ),
    re.compile(
        rf"\b(?P<day>\d{{1,2}})(?P<suffix>st|nd|rd|th)?(?P<mark>[ -])(?P<name>{_MONTH})\.?(?:[ -]{_YEAR})?\b", re.I
    ),
    re.compile(rf"\b(?P<name>{_MONTH})\.?(?P<mark>,?) {_YEAR}\b", re.I),
    re.compile(
        r"(?:(?<=\bon )|(?<=\bby )|(?<=\bof )|(?<=\bfrom )|(?<=\bsince )|(?<=\bdated )|(?<=\buntil ))"
        r"(?P<month>0?[1-9]|1[0-2])(?P<mark>/)(?P<day>0?[1-9]|[12]\d|3[01])(?![\d/])"
    ),
)
_CAPITAL_MONTH = re.compile(r"(?:\d|\b)(?:may|mar)\b")
_AGE = re.compile(
    r"\b(?P<age>9\d|1[01]\d)(?=[ -]?(?:years?|yrs?|y)[ -]?(?:old|/?o\b)|[ -]?(?:yo|y/o|y\.o\.)(?![a-z]))"
    r"|(?<=\bage )(?P<age2>9\d|1[01]\d)\b|(?<=\bage: )(?P<age3>9\d|1[01]\d)\b|(?<=\baged )(?P<age4>9\d|1[01]\d)\b",
    re.I,
)
OLDEST = 90
"""An age above 89 becomes this, as 45 CFR 164.514(b)(2)(i)(C) asks for."""


def find_dates(text: str) -> Iterator[Identifier]:
    """Dates with a day or a month; a year alone is none. Fractions ("strength 5/5") are left where no word such as
    "on" or "since" stands before."""
    for form in _FORMS:
        for m in form.finditer(text):
            named = m.groupdict().get("name")
            if named and named.islower() and _CAPITAL_MONTH.fullmatch(named):
                continue  # the verb, not the month
            yield Identifier(m.start(), m.end(), "date", 3 if m.groupdict().get("year") else 2)


def find_ages(text: str) -> Iterator[Identifier]:
    """Ages above 89."""
    for m in _AGE.finditer(text):
        yield Identifier(m.start(), m.end(), "age", 3)


def shifted(quote: str, days: int, near: date, least_year: int | None = None) -> str | None:
    """The date that ``quote`` tells, moved by ``days`` and written as it was; ``None`` where it tells none.

    A date without its year is one of the year of ``near``. With ``least_year`` an earlier year becomes that one.

    >>> shifted("03/02/2026", 30, date(2026, 3, 2)), shifted("March 30th", 5, date(2026, 3, 2))
    ('04/01/2026', 'April 4th')
    >>> shifted("Feb 2024", -40, date(2026, 3, 2)), shifted("13/45/2026", 3, date(2026, 3, 2))
    ('Jan 2024', None)
    """
    m = next((m for form in _FORMS if (m := form.fullmatch(quote) or _after_word(form, quote))), None)
    if m is None:
        return None
    parts = m.groupdict()
    named = parts.get("name")
    month = _MONTHS.index(next(n for n in _MONTHS if n.startswith(named[:3].lower()))) + 1 if named else int(m["month"])
    year = parts.get("year")
    whole = int(year) if year and len(year) == 4 else _century(int(year), near) if year else near.year
    try:
        moved = date(whole, month, int(parts.get("day") or 15)) + timedelta(days)
    except (ValueError, OverflowError):
        return None
    if least_year is not None and moved.year < least_year:
        moved = moved.replace(year=least_year, day=min(moved.day, 28))
    return _written(quote, m, moved)


def _after_word(form: re.Pattern[str], quote: str) -> re.Match[str] | None:
    """A date that only counts after a word, which the quote alone does not hold."""
    for word in ("on ", "since "):
        m = form.match(word + quote, len(word))
        if m and m.end() == len(word) + len(quote):
            return m
    return None


def _century(year: int, near: date) -> int:
    return 2000 + year if 2000 + year <= near.year + 1 else 1900 + year


def _written(quote: str, m: re.Match[str], moved: date) -> str:
    parts = m.groupdict()
    fields = {"year": str(moved.year), "day": str(moved.day), "month": str(moved.month)}
    if parts.get("year") and len(parts["year"]) == 2:
        fields["year"] = f"{moved.year % 100:02d}"
    for name in ("day", "month"):
        if parts.get(name, "") and parts[name].startswith("0"):
            fields[name] = fields[name].zfill(2)
    if not parts.get("name") and len(parts["day"]) == len(parts["month"]) == 2:
        fields |= {name: fields[name].zfill(2) for name in ("day", "month")}
    if parts.get("name"):
        was, full = parts["name"], _MONTHS[moved.month - 1]
        new = full if was.lower() in _MONTHS and (was.lower() != "may" or len(full) < 5) else full[:3]
        fields["name"] = new.upper() if was.isupper() else new.title() if was[0].isupper() else new
    if parts.get("suffix"):
        fields["suffix"] = "th" if 11 <= moved.day <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(moved.day % 10, "th")
    out, last = [], m.start()
    whole = m.string
    for name, (start, end) in sorted(((n, m.span(n)) for n in fields if parts.get(n)), key=lambda x: x[1]):
        out += [whole[last:start], fields[name]]
        last = end
    return "".join([*out, whole[last : m.end()]])

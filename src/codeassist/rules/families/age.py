"""Whether each diagnosis fits the patient's age."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from codeassist.result import Finding
from codeassist.rules.case import Case, Line
from codeassist.rules.family import read_rules
from codeassist.rules.tables import read_table
from codeassist.terminology.edits import Edit
from codeassist.terminology.store import normal_key

RULES = read_rules("age")
_YEARS = {"y": 1.0, "d": 1 / 365.25}


@dataclass(frozen=True, slots=True)
class Group:
    """An age group of the code editor: its rule, and ages in whole years."""

    rule: str
    edit: Edit
    youngest: int
    oldest: int
    whom: str


@dataclass(frozen=True, slots=True)
class Stated:
    """The ages that the tabular states, in years: from ``low`` to below ``high``."""

    low: float
    high: float
    whom: str
    instead: str
    source: str


def _years(cell: str, otherwise: float) -> float:
    return otherwise if cell == "-" else float(cell[:-1]) * _YEARS[cell[-1]]


GROUPS = tuple(
    Group(rule, Edit[rule.upper()], int(low), int(high), whom) for rule, low, high, whom in read_table("age_groups", 4)
)
STATED = {
    normal_key(code): Stated(_years(low, 0.0), _years(high, 200.0), whom, instead, source)
    for code, low, high, whom, instead, source in read_table("age_stated", 6)
}
_AGED = sum(g.edit for g in GROUPS)
_STARTS = frozenset(code[:3] for code in STATED)


def check_age(case: Case) -> Iterator[Finding]:
    """Findings on diagnoses whose age group, or whose own title or note, leaves the patient's age out.

    A whole number is an age in completed years: 0 is anything from birth to the first birthday.
    """
    age = case.encounter.patient.age
    if age is None:
        return
    flags = case.store.edits.on(case.day)
    for line in case.diagnoses:
        if line.row < 0:
            continue
        conflict = None
        has = int(flags[line.row]) & _AGED
        if has:
            conflict = next((g for g in GROUPS if has & g.edit and not g.youngest <= int(age) <= g.oldest), None)
        if conflict:
            yield RULES[conflict.rule].finding(
                f"{line.code} is for {conflict.whom}; the patient is {_said(age)}",
                [line.code],
                "check the patient's age and the code",
            )
        elif line.key[:3] in _STARTS:
            yield from _stated(line, age)


def _stated(line: Line, age: float) -> Iterator[Finding]:
    key = line.key
    stated = next((STATED[key[:n]] for n in range(len(key), 2, -1) if key[:n] in STATED), None)
    if stated is None:
        return
    latest = age + 1 if age == int(age) else age
    if age < stated.high and (latest > stated.low or age >= stated.low):
        return
    yield RULES["stated"].finding(
        f"{line.code} is for {stated.whom}; the patient is {_said(age)}",
        [line.code],
        f"at this age: {stated.instead}" if stated.instead != "-" else "check the patient's age and the code",
        stated.source,
    )


def _said(age: float) -> str:
    """An age in words: years, and days below one year where the age is known so exactly."""
    if 0 < age < 1:
        return f"{round(age * 365.25)} days old"
    return f"{int(age)} years old"

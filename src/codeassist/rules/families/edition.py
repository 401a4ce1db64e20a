"""Whether an edition of the code systems was in force on the date of service."""

from __future__ import annotations

from collections.abc import Iterator

from codeassist.result import Finding
from codeassist.rules.case import Case
from codeassist.rules.family import read_rules

RULES = read_rules("edition")


def check_edition(case: Case) -> Iterator[Finding]:
    """A warning when the date lies outside every edition held, and the nearest one was used."""
    date = case.encounter.date_of_service
    if case.store.covers(date):
        return
    day = str(case.day)
    yield RULES["date-of-service"].finding(
        f"no edition held here was in force on {date.isoformat()}; "
        f"codes are those of {day[:4]}-{day[4:6]}-{day[6:]}, the nearest day covered",
        fix="check the date of service, or import the edition of that year",
    )

"""Codes that may not come first."""

from __future__ import annotations

from collections.abc import Iterator

from codeassist.result import Finding
from codeassist.rules.case import Case
from codeassist.rules.family import read_rules

RULES = read_rules("position")
_EXTERNAL = ("V", "W", "X", "Y")


def check_position(case: Case) -> Iterator[Finding]:
    """An error when the first diagnosis is an external cause or a manifestation in a disease classified elsewhere."""
    if not case.diagnoses:
        return
    first = case.diagnoses[0]
    if first.key.startswith(_EXTERNAL):
        yield RULES["external-cause"].finding(
            f"{first.code} says how it happened and is never the first diagnosis",
            [first.code],
            "put the injury or condition first",
        )
    if "diseases classified elsewhere" in case.title(first):
        yield RULES["manifestation"].finding(
            f"{first.code} is a manifestation; its underlying disease comes first",
            [first.code],
            "put the underlying disease first",
        )

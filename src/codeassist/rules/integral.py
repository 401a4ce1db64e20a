"""Symptoms that belong to a condition: the table of guideline I.B.5."""

from __future__ import annotations

from functools import cache

from codeassist.rules.combinations import Use
from codeassist.rules.tables import read_table


@cache
def integral_table(use: Use) -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
    """Pairs of symptom prefixes and condition prefixes, for one use."""
    return tuple(
        (tuple(symptom.split("|")), tuple(conditions.split("|")))
        for symptom, conditions, used, _ in read_table("integral", 4)
        if used == use
    )

"""Symptoms that belong to a condition: which of a note's codes are integral to which."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from codeassist.rules.integral import integral_table


@cache
def _conditions_of(symptom: str) -> tuple[str, ...]:
    return tuple(c for s, conditions in integral_table("ranking") if symptom.startswith(s) for c in conditions)


def integral_to(codes: Mapping[str, float]) -> dict[str, tuple[str, float]]:
    """For each symptom among ``codes`` (key without dot to how strongly the note asserts it) the condition that it
    belongs to, with that condition's strength; the strongest where there are several.

    >>> integral_to({"R05": 1.0, "J189": 2.0})
    {'R05': ('J189', 2.0)}
    """
    out: dict[str, tuple[str, float]] = {}
    for symptom in codes:
        conditions = _conditions_of(symptom)
        if not conditions:
            continue
        for other, strength in codes.items():
            if other != symptom and other.startswith(conditions) and strength > out.get(symptom, ("", 0.0))[1]:
                out[symptom] = (other, strength)
    return out

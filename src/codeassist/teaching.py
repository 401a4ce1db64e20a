"""How much a coder's work on a note would teach: from what was suggested, before anybody looks."""

from __future__ import annotations

import math

from codeassist.result import CodingResult, Suggestion

_HALF = 5.0
"""Bits of doubt that make half of the greatest uncertainty."""


def uncertainty(result: CodingResult) -> float:
    """Expected doubt of a result, from 0 to below 1: the entropy of its suggestions, in bits, as ``bits / (bits + 5)``.

    A suggestion at 0.5 adds one bit, one at 0.02 or 0.98 a seventh.
    """
    bits = sum(_entropy(s.probability) for s in result.suggestions)
    return bits / (bits + _HALF)


def disagreement(first: CodingResult, second: CodingResult) -> float:
    """How far two releases are apart on a note, between 0 and 1: the mean difference of the probabilities that they
    give, over the codes that either has at tier ``code``."""
    a, b = _by_code(first), _by_code(second)
    coded = {key for found in (a, b) for key, s in found.items() if s.tier == "code"}
    if not coded:
        return 0.0
    return sum(abs(_chance(a, key) - _chance(b, key)) for key in coded) / len(coded)


def priority(result: CodingResult, other: CodingResult | None = None) -> float:
    """The place of a note in a worklist, between 0 and 1: the greater, the more its codes would teach.

    ``other`` is the result of a second release, where there is one: what the two disagree on teaches most.
    """
    doubt = uncertainty(result)
    return doubt if other is None else (doubt + disagreement(result, other)) / 2


def _entropy(p: float) -> float:
    return 0.0 if p <= 0 or p >= 1 else -p * math.log2(p) - (1 - p) * math.log2(1 - p)


def _by_code(result: CodingResult) -> dict[tuple[str, str], Suggestion]:
    return {(s.system, s.code): s for s in result.suggestions}


def _chance(found: dict[tuple[str, str], Suggestion], key: tuple[str, str]) -> float:
    return found[key].probability if key in found else 0.0

"""How much a title says beyond a query: among codes that a text could mean, the plainest is the one to show first."""

from __future__ import annotations

import re
from collections.abc import Set
from functools import lru_cache

from codeassist.terminology.words import content_stems

SIDES = frozenset({"left", "right", "bilateral"})
_PARENTHESES = re.compile(r"\s*[\[(][^\])]*[\])]")
_ABSENT = re.compile(
    r"\bwithout [^,]*(?:(?:, [^,]*)*, and [^,]*)?"
    r"|\bnot (specified as|intractable|elsewhere|otherwise) ?[^,]*"
    r"|\binitial encounter.*",
    re.I,
)
"""What a title rules out, or says of the encounter: a text that is silent on it agrees."""
_FREE = frozenset(
    "unspecified uncomplicated unilateral not site part type organism disease disorder syndrome mellitus nos".split()
)
_RESIDUAL = frozenset({"other", "specified", "bilateral"})
_WORD, _MISSING, _PLAIN, _OTHER = 0.004, 0.004, 0.004, 0.003
_SIDE = 0.03


def departure(title: str, query: Set[str]) -> float:
    """What a title's score loses against ``query`` (stems): for each word that only one of them holds, for "other",
    for another side; a plain "unspecified" gains a little.

    >>> asthma = {"asthma"}
    >>> departure("Unspecified asthma, uncomplicated", asthma) < departure("Other asthma", asthma)
    True
    """
    whole, said, unspecified = _words(title)
    extra = said - query - _FREE
    residual = extra & _RESIDUAL
    loss = _WORD * min(len(extra - residual), 8) + _OTHER * len(residual) + _MISSING * len(query - whole)
    sides = query & SIDES
    if sides:
        loss += _SIDE * (len(sides - whole) - len(sides & whole)) + 2 * _SIDE * bool(said & SIDES - sides)
    return loss - _PLAIN * unspecified


@lru_cache(maxsize=65536)
def _words(title: str) -> tuple[frozenset[str], frozenset[str], bool]:
    """All stems of a title, those of what it asserts, and whether it says that nothing more is known."""
    stems = frozenset(content_stems(title))
    said = frozenset(content_stems(_ABSENT.sub("", _PARENTHESES.sub("", title))))
    return stems, said, bool(stems & {"unspecified", "uncomplicated"})

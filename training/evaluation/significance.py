"""Two releases code by code: McNemar's test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import binomtest

from training.accuracy.judging import Judged


@dataclass(frozen=True, slots=True)
class McNemar:
    """Codes on which exactly one of two releases is right, and the exact two-sided p of so uneven a split by chance.

    A code of a note is right where it is coded and in the gold, or neither. Source: McNemar 1947, with the exact
    binomial. Codes of one note depend on each other, so p is somewhat too small; the paired bootstrap draws notes.
    """

    only_first: int
    only_second: int
    p: float


def mcnemar(first: Sequence[Judged], second: Sequence[Judged]) -> McNemar:
    """The test on the notes that both releases were judged on, in the same order.

    >>> from training.accuracy.judging import Ranked
    >>> good = Judged(frozenset({("cpt", "99213")}), (Ranked(("cpt", "99213"), .9, True, True),))
    >>> mcnemar([Judged(good.gold, ())] * 6, [good] * 6)
    McNemar(only_first=0, only_second=6, p=0.03125)
    """
    one = two = 0
    for a, b in zip(first, second, strict=True):
        coded_a, coded_b = ({r.code for r in n.ranked if r.coded} for n in (a, b))
        for code in coded_a ^ coded_b:
            a_right = (code in coded_a) == (code in a.gold)
            one, two = one + a_right, two + (not a_right)
    p = float(binomtest(one, one + two).pvalue) if one + two else 1.0
    return McNemar(one, two, p)

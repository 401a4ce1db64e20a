"""Figures of agreement between two coders, from counts of codes."""

from __future__ import annotations


def scores(agreed: int, missed: int, extra: int) -> dict[str, float | None]:
    """Precision, recall and F1 of the coder's codes against the auditor's; None where nothing is to be divided by.

    >>> scores(3, 1, 0)
    {'precision': 1.0, 'recall': 0.75, 'f1': 0.8571}
    """
    return {
        "precision": ratio(agreed, agreed + extra),
        "recall": ratio(agreed, agreed + missed),
        "f1": ratio(2 * agreed, 2 * agreed + missed + extra),
    }


def kappa(both: int, first: int, second: int, neither: int) -> float | None:
    """Cohen's kappa of two who said yes or no to the same things; None when chance alone would make them agree.

    ``both`` said yes, ``first`` and ``second`` one of them alone. (Cohen, J.: A coefficient of agreement for nominal
    scales. Educational and Psychological Measurement 20, 1960.)

    >>> kappa(20, 5, 10, 15)
    0.4
    """
    total = both + first + second + neither
    if total == 0:
        return None
    observed = (both + neither) / total
    yes = (both + first) * (both + second) / total**2
    no = (second + neither) * (first + neither) / total**2
    return None if yes + no >= 1 else round((observed - yes - no) / (1 - yes - no), 4)


def ratio(part: float, whole: float) -> float | None:
    """The share, to four places; None of nothing."""
    return round(part / whole, 4) if whole else None

"""What could be coded unattended: how much is left above the threshold that keeps the precision asked for.

A threshold chosen on the notes that it is measured on flatters itself. Patients are therefore dealt into folds; each
fold is measured with the threshold chosen on the others, and the precision that was then reached stands beside the
coverage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.accuracy.judging import Judged
from training.evaluation.bootstrap import SEED

PRECISION = 0.95
"""The precision that unattended coding must keep."""
FOLDS = 5
LEAST = 20
"""A threshold is chosen only where at least so many lie above it: fewer say nothing of 95 %."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of ``total`` items, the ``share`` above the threshold, and the ``precision`` reached among those; ``None`` where
    nothing lies above. ``threshold`` is the median of the folds', ``None`` where a fold has none."""

    total: int
    covered: int
    right: int
    threshold: float | None

    @property
    def share(self) -> float:
        """Share of all items that is covered, rightly or not."""
        return self.covered / self.total if self.total else 0.0

    @property
    def precision(self) -> float | None:
        """Share of the covered items that is right."""
        return self.right / self.covered if self.covered else None


def code_coverage(notes: Sequence[Judged], patients: np.ndarray, precision: float = PRECISION) -> Coverage:
    """Of the gold codes, those that suggestions above the threshold would code: ``covered`` counts the suggestions."""
    chance = np.array([r.probability for n in notes for r in n.ranked])
    right = np.array([r.right for n in notes for r in n.ranked], dtype=bool)
    owner = np.repeat(patients, [len(n.ranked) for n in notes])
    return _crossed(chance, right, owner, sum(len(n.gold) for n in notes), precision)


def note_coverage(notes: Sequence[Judged], patients: np.ndarray, precision: float = PRECISION) -> Coverage:
    """Of the notes, those that could go out as suggested: right is a note whose codes of tier ``code`` are exactly the
    gold. A note's confidence is the product of the chances that each suggestion stands where it belongs."""
    chance = np.array([_confidence(n) for n in notes])
    right = np.array([n.gold == frozenset(r.code for r in n.ranked if r.coded) for n in notes], dtype=bool)
    return _crossed(chance, right, patients, len(notes), precision)


def _confidence(note: Judged) -> float:
    if not any(r.coded for r in note.ranked):
        return 0.0
    return float(np.prod([r.probability if r.coded else 1 - r.probability for r in note.ranked]))


def _crossed(chance: np.ndarray, right: np.ndarray, owner: np.ndarray, total: int, precision: float) -> Coverage:
    number = int(owner.max(initial=-1)) + 1
    fold = (np.random.default_rng(SEED).permutation(number) % FOLDS)[owner] if number else owner
    thresholds, covered, hits = [], 0, 0
    for f in range(min(FOLDS, number)):
        mine = fold == f
        threshold = least_threshold(chance[~mine], right[~mine], precision)
        thresholds.append(threshold)
        above = mine & (chance >= threshold)
        covered, hits = covered + int(above.sum()), hits + int(right[above].sum())
    found = float(np.median(thresholds)) if thresholds else np.inf
    return Coverage(total, covered, hits, found if np.isfinite(found) else None)


def least_threshold(chance: np.ndarray, right: np.ndarray, precision: float) -> float:
    """The least probability from which on at least ``precision`` is right, or infinity.

    >>> p, y = np.linspace(1, 0, 100, endpoint=False), np.arange(100) < 38
    >>> round(least_threshold(p, y, .95), 2)
    0.61
    """
    order = np.argsort(-chance, kind="stable")
    values = chance[order]
    reached = np.cumsum(right[order]) / np.arange(1, len(values) + 1)
    last = np.append(values[1:] != values[:-1], True) if len(values) else np.zeros(0, dtype=bool)  # ties go together
    good = np.flatnonzero(last & (reached >= precision) & (np.arange(1, len(values) + 1) >= LEAST))
    return float(values[good[-1]]) if len(good) else float("inf")

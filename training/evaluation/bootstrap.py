"""Intervals by the bootstrap: whole patients are drawn with replacement, or notes where no patient is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from training.audited import AuditedNote

SAMPLES = 2000
SEED = 20260401
CONFIDENCE = 0.95
_AT_ONCE = 4_000_000
"""How many draws are held at the same time, whatever the number of notes."""
Measure = Callable[[np.ndarray], Mapping[str, np.ndarray]]


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure, and the bounds between which it lies with the confidence asked for."""

    value: float
    low: float
    high: float


def patients_of(notes: Sequence[AuditedNote]) -> np.ndarray:
    """A number for each note, the same for notes of one patient; a note without a patient's id is one of its own."""
    numbers: dict[str, int] = {}
    names = [f"patient {n.note.patient.id}" if n.note.patient.id else f"note {i}" for i, n in enumerate(notes)]
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int64)


class Bootstrap:
    """Draws of the same patients for every measure: the same notes give the same intervals.

    ``patients`` numbers the patient of each note (:func:`patients_of`).
    """

    def __init__(self, patients: np.ndarray, confidence: float = CONFIDENCE, samples: int = SAMPLES) -> None:
        self.confidence, self._samples, self._patients = confidence, samples, patients
        self._kept: list[np.ndarray] | None = None

    def intervals(self, rows: np.ndarray, measure: Measure) -> dict[str, Interval]:
        """Each value of ``measure`` on the sum of ``rows`` (one a note; a sparse matrix will do) with its interval."""
        drawn: dict[str, list[np.ndarray]] = {}
        for weights in self._draws():
            for name, values in measure(weights @ rows).items():
                drawn.setdefault(name, []).append(values)
        whole = measure(np.asarray(rows.sum(axis=0)).ravel())
        ends = [(1 - self.confidence) / 2, (1 + self.confidence) / 2]
        out = {}
        for name, pieces in drawn.items():
            low, high = np.quantile(np.concatenate(pieces), ends)
            out[name] = Interval(float(whole[name]), float(low), float(high))
        return out

    def _draws(self) -> Iterator[np.ndarray]:
        """How often each note is drawn, a row a sample."""
        if self._kept is not None:
            yield from self._kept
            return
        if self._samples * len(self._patients) <= _AT_ONCE:
            self._kept = list(self._fresh())
            yield from self._kept
        else:
            yield from self._fresh()

    def _fresh(self) -> Iterator[np.ndarray]:
        number = int(self._patients.max(initial=-1)) + 1
        rng = np.random.default_rng(SEED)
        chance = np.full(number, 1 / max(1, number))
        left, most = self._samples, max(1, min(500, _AT_ONCE // max(1, len(self._patients))))
        while left:
            now = min(left, most)
            yield rng.multinomial(number, chance, size=now).astype(np.float64)[:, self._patients]
            left -= now

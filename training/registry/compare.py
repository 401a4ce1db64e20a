"""Two releases on the same audited notes: each measure, the difference, and its interval by a paired bootstrap."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from training.registry.scoring import LOWER_IS_BETTER, Scores, f1, measures

SAMPLES = 2000
SEED = 20260401
CONFIDENCE = 0.95
_AT_ONCE = 4_000_000
"""How many draws are held at the same time, whatever the number of notes."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A measure of the releases ``a`` and ``b``, and ``b`` minus ``a`` with its interval."""

    a: float
    b: float
    difference: float
    low: float
    high: float
    lower_is_better: bool = False

    @property
    def verdict(self) -> str:
        """What can be said of ``b`` beyond chance: better, worse or open.

        >>> Difference(.6, .5, -.1, -.15, -.05).verdict, Difference(.6, .5, -.1, -.2, .01).verdict
        ('worse', 'open')
        """
        low, high = (-self.high, -self.low) if self.lower_is_better else (self.low, self.high)
        return "better" if low > 0 else "worse" if high < 0 else "open"

    def as_record(self) -> dict[str, Any]:
        """For JSON."""
        return {**{k: v for k, v in asdict(self).items() if k != "lower_is_better"}, "verdict": self.verdict}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Differences by code system and measure, and of F1 by ICD-10-CM chapter, with the gold codes of each."""

    notes: int
    confidence: float
    systems: dict[str, dict[str, Difference]]
    chapters: dict[str, Difference]
    chapter_codes: dict[str, int]

    def as_record(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "notes": self.notes,
            "confidence": self.confidence,
            "samples": SAMPLES,
            "systems": {s: {m: d.as_record() for m, d in by.items()} for s, by in self.systems.items()},
            "chapters": {c: {**d.as_record(), "codes": self.chapter_codes[c]} for c, d in self.chapters.items()},
        }


def compare(a: Scores, b: Scores, confidence: float = CONFIDENCE) -> Comparison:
    """Compare two releases that were scored on the same notes. The same scores give the same intervals."""
    notes = len(next(iter(a.systems.values()))) if a.systems else 0
    systems = {s: _differences(a.systems[s], b.systems[s], measures, confidence) for s in a.systems}
    chapters = {}
    for name, rows in a.chapters.items():
        other = b.chapters[name]  # both hold every chapter that has gold codes
        chapters[name] = _differences(rows, other, lambda sums: {"f1": f1(sums)}, confidence)["f1"]
    return Comparison(notes, confidence, systems, chapters, {c: int(r[:, 2].sum()) for c, r in a.chapters.items()})


def _differences(
    a: np.ndarray, b: np.ndarray, measure: Callable[[np.ndarray], Mapping[str, np.ndarray]], confidence: float
) -> dict[str, Difference]:
    drawn: dict[str, list[np.ndarray]] = {}
    for weights in _draws(len(a)):
        of_a, of_b = measure(weights @ a), measure(weights @ b)
        for name in of_a:
            drawn.setdefault(name, []).append(of_b[name] - of_a[name])
    first, second = measure(a.sum(axis=0)), measure(b.sum(axis=0))
    out = {}
    for name, values in drawn.items():
        low, high = np.quantile(np.concatenate(values), [(1 - confidence) / 2, (1 + confidence) / 2])
        x, y = float(first[name]), float(second[name])
        out[name] = Difference(x, y, y - x, float(low), float(high), name in LOWER_IS_BETTER)
    return out


def _draws(notes: int) -> Iterator[np.ndarray]:
    """How often each note is drawn, a row a sample: the same rows for every measure and both releases."""
    rng = np.random.default_rng(SEED)
    chance = np.full(notes, 1 / notes)
    left, most = SAMPLES, max(1, _AT_ONCE // notes)
    while left:
        now = min(left, most)
        yield rng.multinomial(notes, chance, size=now).astype(np.float64)
        left -= now


def seen_in_training(manifest: Mapping[str, Any], fingerprints: Sequence[str]) -> bool:
    """Whether a release was trained on one of the files with these SHA-256."""
    return bool({d.get("sha256") for d in manifest.get("data", ())} & set(fingerprints))

"""Two releases on the same audited notes: each measure, the difference, and its interval by a paired bootstrap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from training.evaluation.bootstrap import CONFIDENCE, SAMPLES, Bootstrap, Measure
from training.evaluation.scoring import Scores
from training.metrics import LOWER_IS_BETTER, f1, measures


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
    draws = Bootstrap(a.patients if a.patients is not None else np.arange(notes), confidence)
    systems = {s: _differences(a.systems[s], b.systems[s], measures, draws) for s in a.systems}
    chapters = {}
    for name, rows in a.chapters.items():
        other = b.chapters[name]  # both hold every chapter that has gold codes
        chapters[name] = _differences(rows, other, lambda sums: {"f1": f1(sums)}, draws)["f1"]
    return Comparison(notes, confidence, systems, chapters, {c: int(r[:, 2].sum()) for c, r in a.chapters.items()})


def _differences(a: np.ndarray, b: np.ndarray, measure: Measure, draws: Bootstrap) -> dict[str, Difference]:
    width = a.shape[1]

    def difference(sums: np.ndarray) -> dict[str, np.ndarray]:
        first, second = measure(sums[..., :width]), measure(sums[..., width:])
        return {name: second[name] - first[name] for name in first}

    first, second = measure(a.sum(axis=0)), measure(b.sum(axis=0))
    out = {}
    for name, d in draws.intervals(np.hstack([a, b]), difference).items():
        x, y = float(first[name]), float(second[name])
        out[name] = Difference(x, y, y - x, d.low, d.high, name in LOWER_IS_BETTER)
    return out


def seen_in_training(manifest: Mapping[str, Any], fingerprints: Sequence[str]) -> bool:
    """Whether a release was trained on one of the files with these SHA-256."""
    return bool({d.get("sha256") for d in manifest.get("data", ())} & set(fingerprints))

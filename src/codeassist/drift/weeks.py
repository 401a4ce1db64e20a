"""Weeks held against the training data: population stability index, Jensen-Shannon divergence, and findings."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from codeassist.drift.observing import Observed
from codeassist.drift.profile import CLASSES, NUMBERS, Profile

_PROBABILITY_BINS = 10
_BITS = 1 / (8 * math.log(2))
"""Of small shifts the divergence in bits is so much of the index."""


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on a week raises a finding.

    Parameters
    ----------
    psi : population stability index beyond what chance alone makes of so few notes; .25 is the usual bound of a
        considerable shift (Siddiqi 2006, "Credit Risk Scorecards")
    divergence : Jensen-Shannon divergence in bits, between 0 and 1, in the same way
    acceptance : gap between the share of codes accepted and the mean probability shown with them
    notes : weeks with fewer notes raise nothing
    """

    psi: float = 0.25
    divergence: float = 0.1
    acceptance: float = 0.1
    notes: int = 30


@dataclass(frozen=True, slots=True)
class Shift:
    """One measure of one week. ``chance`` is the index that so few notes have on average without any drift."""

    psi: float
    chance: float
    divergence: float


@dataclass(frozen=True, slots=True)
class Week:
    """A week from its Monday on. ``acceptance`` and ``promised`` (the mean probability shown) are of decided codes of
    tier ``code``, ``None`` where there are none."""

    monday: date
    notes: int
    shifts: Mapping[str, Shift]
    decided: int
    acceptance: float | None
    promised: float | None
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drift:
    """All weeks that have notes, in order, with the limits that they were held against."""

    training_notes: int
    limits: Limits
    weeks: tuple[Week, ...]

    def as_record(self) -> dict[str, Any]:
        """For JSON."""
        weeks = [{**asdict(w), "monday": w.monday.isoformat(), "findings": list(w.findings)} for w in self.weeks]
        return {"training_notes": self.training_notes, "limits": asdict(self.limits), "weeks": weeks}


def psi(expected: np.ndarray, found: np.ndarray) -> float:
    """Population stability index of two arrays of counts over the same classes; half a count is added to each.

    >>> psi(np.array([50, 50]), np.array([50, 50])), round(psi(np.array([500, 500]), np.array([900, 100])), 2)
    (0.0, 0.88)
    """
    p, q = _share(expected), _share(found)
    return float(np.sum((q - p) * np.log(q / p)))


def divergence(expected: np.ndarray, found: np.ndarray) -> float:
    """Jensen-Shannon divergence in bits: 0 for the same shares, 1 for classes that never meet.

    >>> round(divergence(np.array([500, 500]), np.array([900, 100])), 2)
    0.15
    """
    p, q = _share(expected), _share(found)
    middle = (p + q) / 2
    return float(np.sum(p * np.log2(p / middle)) / 2 + np.sum(q * np.log2(q / middle)) / 2)


def _share(counts: np.ndarray) -> np.ndarray:
    return np.asarray((counts + 0.5) / (counts.sum() + 0.5 * len(counts)))


def drift_by_week(profile: Profile, observed: Iterable[Observed], limits: Limits) -> Drift:
    """Each week's notes, suggestions and acceptance against the profile of the training data.

    What the training data say nothing of, the probabilities shown, is held against the first week with enough notes.
    """
    weeks: dict[date, list[Observed]] = {}
    for one in observed:
        weeks.setdefault(one.day - timedelta(one.day.weekday()), []).append(one)
    expected = {name: Counter(profile.counts[name]) for name in (*NUMBERS, *CLASSES)}
    out = []
    for monday in sorted(weeks):
        mine = weeks[monday]
        chances = _probability_counts(mine)
        if "probability" not in expected and len(mine) >= limits.notes and chances:
            expected["probability"] = chances
        out.append(_week(monday, mine, expected, chances, limits))
    return Drift(profile.notes, limits, tuple(out))


def _week(
    monday: date, mine: Sequence[Observed], expected: Mapping[str, Counter[str]], chances: Counter[str], limits: Limits
) -> Week:
    shifts = {}
    for name, base in expected.items():
        found = chances if name == "probability" else Counter(c for o in mine for c in o.classes[name])
        if base and found:
            shifts[name] = _shift(base, found)
    decided = [o for o in mine if o.accepted is not None]
    offered = sum(len(o.probabilities) for o in decided)
    acceptance = sum(o.accepted or 0 for o in decided) / offered if offered else None
    promised = sum(sum(o.probabilities) for o in decided) / offered if offered else None
    findings = []
    if len(mine) >= limits.notes:
        findings = [
            f"{name}: PSI {s.psi:.2f} (by chance {s.chance:.2f}), divergence {s.divergence:.2f}"
            for name, s in shifts.items()
            if s.psi - s.chance > limits.psi or s.divergence - s.chance * _BITS > limits.divergence
        ]
    gap = abs(acceptance - promised) if acceptance is not None and promised is not None else 0.0
    if len(decided) >= limits.notes and gap > limits.acceptance:
        findings.append(f"acceptance: {acceptance:.2f} of the codes, where {promised:.2f} was shown")
    return Week(monday, len(mine), shifts, len(decided), acceptance, promised, tuple(findings))


def _shift(base: Counter[str], found: Counter[str]) -> Shift:
    names = sorted({*base, *found})
    a, b = (np.array([c[n] for n in names], dtype=float) for c in (base, found))
    chance = (len(names) - 1) * (1 / a.sum() + 1 / b.sum())  # the index is chi-squared over the number of items
    return Shift(psi(a, b), float(chance), divergence(a, b))


def _probability_counts(mine: Sequence[Observed]) -> Counter[str]:
    return Counter(str(min(int(p * _PROBABILITY_BINS), _PROBABILITY_BINS - 1)) for o in mine for p in o.probabilities)

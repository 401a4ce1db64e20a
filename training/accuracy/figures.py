"""The figures of judged notes, by the definitions of the CodiEsp shared task."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from codeassist.visits.tables import visit_codes
from training.accuracy.judging import Code, Judged
from training.metrics import calibration_error

CM, PCS, PROCEDURES = ("icd-10-cm",), ("icd-10-pcs",), ("icd-10-pcs", "cpt", "hcpcs")
FIRST = 15


@dataclass(frozen=True, slots=True)
class Counts:
    """Codes suggested rightly, suggested falsely, and missed, at tier ``code``.

    >>> c = Counts(6, 2, 4)
    >>> c.precision, c.recall, round(c.f1, 3)
    (0.75, 0.6, 0.667)
    """

    right: int = 0
    false: int = 0
    missed: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.right + other.right, self.false + other.false, self.missed + other.missed)

    @property
    def precision(self) -> float:
        """Share of the suggested that is right; 0 when nothing was suggested."""
        return self.right / (self.right + self.false) if self.right + self.false else 0.0

    @property
    def recall(self) -> float:
        """Share of the coded that was suggested; 0 when nothing was coded."""
        return self.right / (self.right + self.missed) if self.right + self.missed else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.right / max(1, 2 * self.right + self.false + self.missed)


def count(notes: Iterable[Judged], length: int | None = None) -> Counts:
    """Micro counts over ``notes``; with ``length``, of codes cut to so many characters."""
    total = Counts()
    for note in notes:
        coded = {(r.code[0], r.code[1][:length]) for r in note.ranked if r.coded}
        gold = {(system, key[:length]) for system, key in note.gold}
        total += Counts(len(coded & gold), len(coded - gold), len(gold - coded))
    return total


def mean_average_precision(notes: Sequence[Judged]) -> float | None:
    """Mean, over notes that have gold codes, of average precision divided by the number of gold codes."""
    values = []
    for note in notes:
        if note.gold:
            places = np.flatnonzero([r.right for r in note.ranked])
            values.append(float(np.sum(np.arange(1, len(places) + 1) / (places + 1))) / len(note.gold))
    return float(np.mean(values)) if values else None


def recall_in_first(notes: Sequence[Judged], first: int = FIRST) -> float | None:
    """Mean, over notes that have gold codes, of the share of them among the ``first`` suggestions."""
    values = [sum(r.right for r in n.ranked[:first]) / len(n.gold) for n in notes if n.gold]
    return float(np.mean(values)) if values else None


def evidence_hit(notes: Sequence[Judged]) -> float | None:
    """Of the correct codes whose gold has evidence: the share with a shown span that meets a gold span."""
    values = [r.evidence for n in notes for r in n.ranked if r.coded and r.evidence is not None]
    return float(np.mean(values)) if values else None


def probabilities(notes: Iterable[Judged]) -> tuple[np.ndarray, np.ndarray]:
    """Probability of every suggestion, and 1 where it is right.

    A set in which no note has a visit level coded says nothing of the levels: these are then left out.
    """
    notes = list(notes)
    levels = {("cpt", code) for code in visit_codes()}
    unjudged = levels if not any(n.gold & levels for n in notes) else set()
    ranked = [r for n in notes for r in n.ranked if r.code not in unjudged]
    return np.array([r.probability for r in ranked]), np.array([r.right for r in ranked], dtype=np.float64)


def figures(notes: Sequence[Judged]) -> dict[str, float | None]:
    """Every measure of a set of notes by its name in ``bars.toml``; ``None`` where there is nothing to measure."""
    cm, pcs, procedures = ([n.only(s) for n in notes] for s in (CM, PCS, PROCEDURES))
    return {
        "cm_map": mean_average_precision(cm),
        "cm_f1": count(cm).f1 if has_gold(cm) else None,
        "cm_f1_3": count(cm, 3).f1 if has_gold(cm) else None,
        "cm_recall_15": recall_in_first(cm),
        "cm_evidence": evidence_hit(cm),
        "pcs_map": mean_average_precision(pcs),
        "pcs_f1": count(pcs).f1 if has_gold(pcs) else None,
        "pcs_evidence": evidence_hit(pcs),
        "procedures_recall_15": recall_in_first(procedures),
        "calibration_error": calibration_error(*probabilities(notes)) if has_gold(notes) else None,
        "cm_calibration_error": calibration_error(*probabilities(cm)) if has_gold(cm) else None,
    }


def has_gold(notes: Iterable[Judged]) -> bool:
    """Whether any note has a gold code."""
    return any(n.gold for n in notes)


def by_code(notes: Iterable[Judged]) -> dict[Code, Counts]:
    """Counts of every code that was suggested at tier ``code`` or coded."""
    out: dict[Code, Counts] = {}
    for note in notes:
        coded = {r.code for r in note.ranked if r.coded}
        for code in coded | note.gold:
            one = Counts(code in coded and code in note.gold, code not in note.gold, code not in coded)
            out[code] = out.get(code, Counts()) + one
    return out

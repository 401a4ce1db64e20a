"""The sums of every note of one release, from which a comparison with another release follows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from codeassist.result import SYSTEMS, CodingResult
from training.accuracy.errors import group
from training.accuracy.judging import Judged
from training.audited import AuditedNote
from training.evaluation.bootstrap import patients_of
from training.metrics import judged_all, note_sums


@dataclass(frozen=True, slots=True)
class Scores:
    """Of one release: by code system a row of sums for each note, by chapter those of right, coded and gold codes, and
    which notes belong to one patient (each to its own, where it is left out)."""

    systems: dict[str, np.ndarray]
    chapters: dict[str, np.ndarray]
    patients: np.ndarray | None = field(default=None, compare=False)


def score(notes: Sequence[AuditedNote], results: Iterable[CodingResult]) -> Scores:
    """Score the result of each note; systems and chapters are those of which any note has a gold code."""
    return score_judged(judged_all(notes, list(results)), patients_of(notes))


def score_judged(judged: Sequence[Judged], patients: np.ndarray) -> Scores:
    """The same for notes that were judged before."""
    systems: dict[str, np.ndarray] = {}
    for system in SYSTEMS:
        if any(c[0] == system for n in judged for c in n.gold):
            systems[system] = np.array([note_sums(n.only((system,))) for n in judged])
    chapters: dict[str, np.ndarray] = {}
    for i, note in enumerate(judged):
        coded = {r.code for r in note.ranked if r.coded}
        for code in note.gold | coded:
            if code[0] == "icd-10-cm":
                rows = chapters.setdefault(group(code), np.zeros((len(judged), 3)))
                rows[i] += (code in note.gold & coded, code in coded, code in note.gold)
    return Scores(systems, {c: rows for c, rows in sorted(chapters.items()) if rows[:, 2].any()}, patients)

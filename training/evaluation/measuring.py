"""One release on audited notes: everything that the report of ``codeassist evaluate`` tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from codeassist.result import SYSTEMS, CodingResult
from training.accuracy.judging import Code, Judged
from training.audited import AuditedNote
from training.evaluation.bootstrap import SAMPLES, Bootstrap, Interval, patients_of
from training.evaluation.parts import Part, by_chapter, by_frequency, by_note, macro
from training.evaluation.scoring import Scores, score_judged
from training.evaluation.significance import McNemar, mcnemar
from training.evaluation.unattended import PRECISION, Coverage, code_coverage, note_coverage
from training.metrics import judged_all, measures, reliability
from training.registry.compare import Comparison, compare


@dataclass(frozen=True, slots=True)
class Unattended:
    """What could be coded unattended at :data:`~training.evaluation.unattended.PRECISION`: codes, and whole notes."""

    codes: Coverage
    notes: Coverage


@dataclass(frozen=True, slots=True)
class Against:
    """The same notes with another release: its name, the comparison (that release first), McNemar's test by system."""

    name: str
    compared: Comparison
    mcnemar: dict[str, McNemar]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures by code system and measure with intervals, reliability by system, coverage, and the figures of parts."""

    notes: int
    patients: int
    confidence: float
    judged: tuple[Judged, ...]
    scores: Scores
    systems: dict[str, dict[str, Interval]]
    reliability: dict[str, list[dict[str, float]]]
    unattended: dict[str, Unattended]
    parts: dict[str, dict[str, Part]]

    def as_record(self) -> dict[str, Any]:
        """For JSON: the figures of each system under its name, and all else under names of its own."""
        return {
            **{s: {name: v.value for name, v in by.items()} for s, by in self.systems.items()},
            "notes": self.notes,
            "patients": self.patients,
            "confidence": self.confidence,
            "samples": SAMPLES,
            "intervals": {s: {n: [v.low, v.high] for n, v in by.items()} for s, by in self.systems.items()},
            "reliability": self.reliability,
            "unattended": {
                s: {kind: _coverage(c) for kind, c in (("codes", u.codes), ("notes", u.notes))}
                for s, u in self.unattended.items()
            },
            "parts": {kind: {name: asdict(p) for name, p in by.items()} for kind, by in self.parts.items()},
        }


def _coverage(c: Coverage) -> dict[str, Any]:
    return {**asdict(c), "share": c.share, "precision": c.precision, "precision_asked_for": PRECISION}


def evaluate(
    notes: Sequence[AuditedNote], results: Sequence[CodingResult], seen: Mapping[Code, int], confidence: float = 0.95
) -> Evaluation:
    """Measure ``results`` on ``notes``; ``seen`` is the number of training notes that had each code."""
    judged = tuple(judged_all(notes, results))
    patients = patients_of(notes)
    draws = Bootstrap(patients, confidence)
    scores = score_judged(judged, patients)
    alone = {s: [n.only((s,)) for n in judged] for s in scores.systems}
    return Evaluation(
        len(notes),
        len(np.unique(patients)),
        confidence,
        judged,
        scores,
        {s: {**draws.intervals(rows, measures), **macro(alone[s], draws)} for s, rows in scores.systems.items()},
        {s: reliability(rows.sum(axis=0)) for s, rows in scores.systems.items()},
        {
            "all": Unattended(code_coverage(judged, patients), note_coverage(judged, patients)),
            **{s: Unattended(code_coverage(n, patients), note_coverage(n, patients)) for s, n in alone.items()},
        },
        {
            "frequency": by_frequency(judged, seen, draws),
            "chapter": by_chapter(judged, draws),
            **by_note(notes, judged, draws),
        },
    )


def against(name: str, other: Sequence[CodingResult], mine: Evaluation, notes: Sequence[AuditedNote]) -> Against:
    """What another release, with results ``other`` on the same notes, says beside the one that was measured."""
    judged = judged_all(notes, other)
    compared = compare(score_judged(judged, patients_of(notes)), mine.scores, mine.confidence)
    tests: dict[str, McNemar] = {
        str(s): mcnemar([n.only((s,)) for n in judged], [n.only((s,)) for n in mine.judged])
        for s in SYSTEMS
        if s in mine.systems
    }
    return Against(name, compared, tests)

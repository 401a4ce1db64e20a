"""Sums of every note from which all measures follow, so that notes can be drawn again without scoring them again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from codeassist.result import SYSTEMS, CodingResult
from codeassist.terminology.store import normal_key
from training.accuracy.errors import group
from training.audited import AuditedNote

_BINS = 10
COLUMNS = ("right", "coded", "gold", "right_3", "coded_3", "gold_3", "precision", "recall", "has_gold", "hit", "shown")
_C = {name: i for i, name in enumerate(COLUMNS)}
_COUNT, _CHANCE, _ACCEPTED = (slice(len(COLUMNS) + i * _BINS, len(COLUMNS) + (i + 1) * _BINS) for i in range(3))
WIDTH = len(COLUMNS) + 3 * _BINS
MEASURES = ("f1", "map", "recall_at_15", "f1_3", "evidence_hit", "calibration_error")
LOWER_IS_BETTER = frozenset({"calibration_error"})


@dataclass(frozen=True, slots=True)
class Scores:
    """Of one release: by code system a row of sums for each note, and by chapter the first three of them."""

    systems: dict[str, np.ndarray]
    chapters: dict[str, np.ndarray]


def score(notes: Sequence[AuditedNote], results: Iterable[CodingResult]) -> Scores:
    """Score the result of each note; systems and chapters are those of which any note has a gold code."""
    systems = {s: np.zeros((len(notes), WIDTH)) for s in SYSTEMS}
    chapters: dict[str, np.ndarray] = {}
    for i, (note, result) in enumerate(zip(notes, results, strict=True)):
        for system, rows in systems.items():
            rows[i] = _sums(note, result, system)
        gold = {c.key for c in note.codes if c.system == "icd-10-cm"}
        coded = {normal_key(s.code) for s in result.suggestions if s.tier == "code" and s.system == "icd-10-cm"}
        for key in gold | coded:
            name = group(("icd-10-cm", key))
            rows = chapters.setdefault(name, np.zeros((len(notes), 3)))
            rows[i] += (key in gold & coded, key in coded, key in gold)
    return Scores(
        {s: rows for s, rows in systems.items() if rows[:, _C["gold"]].any()},
        {c: rows for c, rows in sorted(chapters.items()) if rows[:, 2].any()},
    )


def _sums(note: AuditedNote, result: CodingResult, system: str) -> np.ndarray:
    row = np.zeros(WIDTH)
    gold = {c.key: c for c in note.codes if c.system == system}
    ranked = [s for s in result.suggestions if s.system == system]
    coded = {normal_key(s.code) for s in ranked if s.tier == "code"}
    stems, gold_stems = {c[:3] for c in coded}, {c[:3] for c in gold}
    row[:3] = len(coded & gold.keys()), len(coded), len(gold)
    row[3:6] = len(stems & gold_stems), len(stems), len(gold_stems)
    right = [normal_key(s.code) in gold for s in ranked]
    if gold:
        places = np.flatnonzero(right)
        row[_C["precision"]] = float(np.sum(np.arange(1, len(places) + 1) / (places + 1))) / len(gold)
        row[_C["recall"]] = sum(right[:15]) / len(gold)
        row[_C["has_gold"]] = 1
    for s, is_right in zip(ranked, right, strict=True):
        code = gold.get(normal_key(s.code))
        if s.tier == "code" and code is not None and code.evidence:
            row[_C["shown"]] += 1
            row[_C["hit"]] += any(e.start < end and start < e.end for e in s.evidence for start, end in code.evidence)
        place = min(int(s.probability * _BINS), _BINS - 1)
        row[_COUNT][place] += 1
        row[_CHANCE][place] += s.probability
        row[_ACCEPTED][place] += is_right
    return row


def measures(sums: np.ndarray) -> dict[str, np.ndarray]:
    """Every measure of :data:`MEASURES` from sums over notes (any number of rows of them, one result each)."""

    def ratio(over: np.ndarray, under: np.ndarray) -> np.ndarray:
        return np.asarray(over / np.maximum(under, 1e-9))

    c = {name: sums[..., i] for name, i in _C.items()}
    gap = np.abs(sums[..., _CHANCE] - sums[..., _ACCEPTED]).sum(axis=-1)
    return {
        "f1": f1(sums),
        "map": ratio(c["precision"], c["has_gold"]),
        "recall_at_15": ratio(c["recall"], c["has_gold"]),
        "f1_3": f1(sums[..., 3:6]),
        "evidence_hit": ratio(c["hit"], c["shown"]),
        "calibration_error": ratio(gap, sums[..., _COUNT].sum(axis=-1)),
    }


def f1(sums: np.ndarray) -> np.ndarray:
    """Micro F1 from the first three sums: right, coded, gold."""
    return np.asarray(2 * sums[..., 0] / np.maximum(sums[..., 1] + sums[..., 2], 1e-9))

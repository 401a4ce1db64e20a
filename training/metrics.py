"""Measures of suggestions against audited codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from codeassist.result import SYSTEMS, CodingResult
from codeassist.terminology.store import normal_key
from training.audited import AuditedNote

_BINS = 10


def measure(notes: Sequence[AuditedNote], results: Sequence[CodingResult]) -> dict[str, dict[str, float]]:
    """For each code system that the notes hold: micro precision, recall and F1 at tier ``code``, the same at three
    characters, mean average precision, recall at 15, evidence hit, and expected calibration error (ten bins)."""
    out: dict[str, dict[str, float]] = {}
    for system in SYSTEMS:
        if any(c.system == system for n in notes for c in n.codes):
            out[system] = _system(notes, results, system)
    return out


def _system(notes: Sequence[AuditedNote], results: Sequence[CodingResult], system: str) -> dict[str, float]:
    exact, short = np.zeros(3), np.zeros(3)
    precisions, recalls, probabilities, accepted = [], [], [], []
    hit = with_evidence = 0
    for note, result in zip(notes, results, strict=True):
        gold = {c.key: c for c in note.codes if c.system == system}
        ranked = [s for s in result.suggestions if s.system == system]
        coded = {normal_key(s.code) for s in ranked if s.tier == "code"}
        exact += (len(coded & gold.keys()), len(coded), len(gold))
        stems, gold_stems = {c[:3] for c in coded}, {c[:3] for c in gold}
        short += (len(stems & gold_stems), len(stems), len(gold_stems))
        correct = [normal_key(s.code) in gold for s in ranked]
        probabilities += [s.probability for s in ranked]
        accepted += correct
        for s in ranked:
            code = gold.get(normal_key(s.code))
            if s.tier == "code" and code is not None and code.evidence:
                with_evidence += 1
                hit += any(e.start < end and start < e.end for e in s.evidence for start, end in code.evidence)
        if gold:
            places = np.flatnonzero(correct)
            precisions.append(float(np.sum(np.arange(1, len(places) + 1) / (places + 1)) / len(gold)))
            recalls.append(sum(correct[:15]) / len(gold))
    return {
        **_f1(exact),
        **{f"{k}_3": v for k, v in _f1(short).items()},
        "map": float(np.mean(precisions)),
        "recall_at_15": float(np.mean(recalls)),
        "evidence_hit": hit / with_evidence if with_evidence else 0.0,
        "calibration_error": calibration_error(np.array(probabilities), np.array(accepted, dtype=float)),
    }


def _f1(counts: np.ndarray) -> dict[str, float]:
    true, coded, gold = counts
    precision, recall = true / max(coded, 1), true / max(gold, 1)
    return {
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(2 * precision * recall / max(precision + recall, 1e-9)),
    }


def calibration_error(probability: np.ndarray, accepted: np.ndarray) -> float:
    """Expected calibration error over ten equal bins of probability."""
    if not len(probability):
        return 0.0
    bins = np.minimum((probability * _BINS).astype(int), _BINS - 1)
    total = 0.0
    for b in range(_BINS):
        mine = bins == b
        if mine.any():
            total += mine.mean() * abs(probability[mine].mean() - accepted[mine].mean())
    return float(total)


def render(figures: dict[str, dict[str, Any]]) -> str:
    """The figures as a Markdown table, a row a measure."""
    systems = list(figures)
    rows = ["| measure | " + " | ".join(systems) + " |", "|---|" + "---|" * len(systems)]
    for name in next(iter(figures.values())):
        rows.append(f"| {name} | " + " | ".join(f"{figures[s][name]:.3f}" for s in systems) + " |")
    return "\n".join(rows)

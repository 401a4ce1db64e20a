"""Measures of suggestions against audited codes, each from sums over notes, so that notes can be drawn again without
judging them again.

Precision, recall and F1 are micro-averaged at tier ``code``. ``_3`` compares the first three characters.
``_hierarchical`` compares codes together with everything above them (Kiritchenko, Matwin, Nock and Famili 2006,
"Learning and evaluation in the presence of class hierarchies"), so that a sibling of the right code counts in part.
MAP, precision and recall at k and R-precision (precision at as many suggestions as the note has codes) are means over
the notes with codes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from codeassist.result import SYSTEMS, CodingResult
from training.accuracy.judging import Code, GoldNote, Judged, judge
from training.audited import AuditedNote

BINS = 10
FIRST_K = (1, 3, 5, 8, 10, 15)
"""The k of precision and recall in the first k suggestions."""
COLUMNS = (
    *("right", "coded", "gold", "right_3", "coded_3", "gold_3", "right_h", "coded_h", "gold_h"),
    *("average_precision", "r_precision", "has_gold", "hit", "shown", "squares"),
    *(f"precision_at_{k}" for k in FIRST_K),
    *(f"recall_at_{k}" for k in FIRST_K),
)
_C = {name: i for i, name in enumerate(COLUMNS)}
_COUNT, _CHANCE, _ACCEPTED = (slice(len(COLUMNS) + i * BINS, len(COLUMNS) + (i + 1) * BINS) for i in range(3))
WIDTH = len(COLUMNS) + 3 * BINS
"""Length of a row of sums."""
MEASURES = ("f1", "map", "recall_at_15", "f1_3", "evidence_hit", "calibration_error")
"""The measures that a comparison of two releases shows."""
LOWER_IS_BETTER = frozenset({"calibration_error", "brier"})


def ancestors(code: Code) -> frozenset[Code]:
    """A code and what stands above it: the shorter stems of ICD-10-CM, from the category on (placeholders X are no
    step), and the section, body system, root operation and body part of ICD-10-PCS. CPT and HCPCS numbers stand alone.

    >>> sorted(key for _, key in ancestors(("icd-10-cm", "T172XXA")))
    ['T17', 'T172', 'T172XXA']
    """
    system, key = code
    if system not in ("icd-10-cm", "icd-10-pcs"):
        return frozenset({code})
    lengths = range(3, len(key)) if system == "icd-10-cm" else range(1, 5)
    stems = {key[:n] if n <= 3 or system == "icd-10-pcs" else key[:3] + key[3:n].rstrip("X") for n in lengths}
    return frozenset({code, *((system, s) for s in stems)})


def note_sums(note: Judged) -> np.ndarray:
    """The row of sums of one judged note, of shape ``(WIDTH,)``; rows of notes add up."""
    row = np.zeros(WIDTH)
    coded = {r.code for r in note.ranked if r.coded}
    row[:3] = _overlap(coded, note.gold)
    row[3:6] = _overlap({(s, k[:3]) for s, k in coded}, {(s, k[:3]) for s, k in note.gold})
    row[6:9] = _overlap({a for c in coded for a in ancestors(c)}, {a for c in note.gold for a in ancestors(c)})
    if note.gold:
        _ranking(row, np.array([r.right for r in note.ranked], dtype=bool), len(note.gold))
    for r in note.ranked:
        if r.coded and r.evidence is not None:
            row[_C["shown"]] += 1
            row[_C["hit"]] += r.evidence
        place = min(int(r.probability * BINS), BINS - 1)
        row[_COUNT][place] += 1
        row[_CHANCE][place] += r.probability
        row[_ACCEPTED][place] += r.right
        row[_C["squares"]] += (r.probability - r.right) ** 2
    return row


def _overlap(coded: set[Code], gold: set[Code] | frozenset[Code]) -> tuple[int, int, int]:
    return len(coded & gold), len(coded), len(gold)


def _ranking(row: np.ndarray, right: np.ndarray, gold: int) -> None:
    places = np.flatnonzero(right)
    row[_C["average_precision"]] = float(np.sum(np.arange(1, len(places) + 1) / (places + 1))) / gold
    row[_C["r_precision"]] = float(right[:gold].sum()) / gold
    row[_C["has_gold"]] = 1
    for k in FIRST_K:
        row[_C[f"precision_at_{k}"]] = float(right[:k].sum()) / k
        row[_C[f"recall_at_{k}"]] = float(right[:k].sum()) / gold


def measures(sums: np.ndarray) -> dict[str, np.ndarray]:
    """Every measure from sums over notes, of shape ``(..., WIDTH)``: one value for each row of sums."""
    c = {name: sums[..., i] for name, i in _C.items()}
    shown = sums[..., _COUNT].sum(axis=-1)
    gap = np.abs(sums[..., _CHANCE] - sums[..., _ACCEPTED]).sum(axis=-1)
    return {
        **counted(sums[..., :3]),
        **{f"{k}_3": v for k, v in counted(sums[..., 3:6]).items()},
        **{f"{k}_hierarchical": v for k, v in counted(sums[..., 6:9]).items()},
        "map": _ratio(c["average_precision"], c["has_gold"]),
        "r_precision": _ratio(c["r_precision"], c["has_gold"]),
        **{n: _ratio(c[n], c["has_gold"]) for n in COLUMNS if n.startswith(("precision_at", "recall_at"))},
        "evidence_hit": _ratio(c["hit"], c["shown"]),
        "calibration_error": _ratio(gap, shown),
        "brier": _ratio(c["squares"], shown),
    }


def counted(sums: np.ndarray) -> dict[str, np.ndarray]:
    """Precision, recall and F1 from the sums right, coded and gold, of shape ``(..., 3)``; 0 where there is nothing."""
    right, coded, gold = (sums[..., i] for i in range(3))
    return {"precision": _ratio(right, coded), "recall": _ratio(right, gold), "f1": f1(sums)}


def f1(sums: np.ndarray) -> np.ndarray:
    """Micro F1 from the first three sums: right, coded, gold."""
    return _ratio(2 * sums[..., 0], sums[..., 1] + sums[..., 2])


def _ratio(over: np.ndarray, under: np.ndarray) -> np.ndarray:
    return np.asarray(over / np.maximum(under, 1e-9))


def reliability(sums: np.ndarray) -> list[dict[str, float]]:
    """The filled bins of probability from one row of sums: how many, their mean probability, and the share right."""
    rows = zip(sums[_COUNT], sums[_CHANCE], sums[_ACCEPTED], strict=True)
    return [
        {"from": b / BINS, "count": float(n), "probability": float(p / n), "right": float(a / n)}
        for b, (n, p, a) in enumerate(rows)
        if n
    ]


def judged_all(notes: Sequence[AuditedNote], results: Sequence[CodingResult]) -> list[Judged]:
    """What was suggested for each note against what was coded."""
    return [judge(GoldNote(n), r, core=False) for n, r in zip(notes, results, strict=True)]


def measure(notes: Sequence[AuditedNote], results: Sequence[CodingResult]) -> dict[str, dict[str, float]]:
    """Every measure of each code system that the notes hold codes of."""
    judged = judged_all(notes, results)
    out: dict[str, dict[str, float]] = {}
    for system in SYSTEMS:
        if any(c.system == system for n in notes for c in n.codes):
            sums = np.sum([note_sums(n.only((system,))) for n in judged], axis=0)
            out[system] = {name: float(v) for name, v in measures(sums).items()}
    return out


def calibration_error(probability: np.ndarray, accepted: np.ndarray) -> float:
    """Expected calibration error over ten equal bins of probability."""
    if not len(probability):
        return 0.0
    bins = np.minimum((probability * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, probability - accepted, BINS)
    return float(np.abs(gaps).sum() / len(probability))


def render(figures: Mapping[str, Mapping[str, float]]) -> str:
    """The figures as a Markdown table, a row a measure."""
    systems = list(figures)
    rows = ["| measure | " + " | ".join(systems) + " |", "|---|" + "---|" * len(systems)]
    for name in next(iter(figures.values())):
        rows.append(f"| {name} | " + " | ".join(f"{figures[s][name]:.3f}" for s in systems) + " |")
    return "\n".join(rows)

"""Fits a release: associations, neighbours and rankers, the rankers on features made out of fold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from codeassist.candidates.associations import Associations, learn_associations
from codeassist.candidates.neighbours import Neighbours, learn_neighbours, no_neighbours
from codeassist.proposing import LabelSpace, Proposer
from codeassist.ranking.ranker import GROUPS, Ranker, fit_ranker, group_of
from codeassist.terminology.store import Store
from training.dataset import Example

FOLDS = 5
Progress = Callable[[str, int, int], None]


@dataclass(slots=True)
class Fitted:
    """What a release is made of, and how its rankers did out of fold."""

    shares: np.ndarray
    associations: Associations
    neighbours: Neighbours
    neighbour_labels: np.ndarray
    rankers: dict[str, Ranker]
    metrics: dict[str, dict[str, float]] = field(default_factory=dict)


@dataclass(slots=True)
class _Rows:
    matrix: list[np.ndarray] = field(default_factory=list)
    target: list[np.ndarray] = field(default_factory=list)
    note: list[np.ndarray] = field(default_factory=list)
    weight: list[np.ndarray] = field(default_factory=list)
    missed: int = 0


def fit(
    examples: Sequence[Example],
    labels: list[tuple[str, str]],
    store: Store,
    audited_labels: bool,
    seed: int,
    progress: Progress = lambda stage, done, total: None,
) -> Fitted:
    """Fit everything on ``examples``; the same examples and seed give the same release."""
    space = LabelSpace(store, labels)
    folds = np.random.default_rng(seed).permutation(len(examples)) % min(FOLDS, len(examples))
    rows = {g: _Rows() for g in GROUPS}
    for fold in range(int(np.max(folds)) + 1):
        progress("features out of fold", fold, FOLDS)
        train = [e for e, f in zip(examples, folds, strict=True) if f != fold]
        shares, associations, neighbours, neighbour_labels = learn(train, len(labels), audited_labels)
        proposer = Proposer(store, space, shares, audited_labels)
        for i, example in enumerate(examples):
            if folds[i] == fold:
                _collect(example, i, proposer, associations, neighbours, neighbour_labels, space, rows)
    rankers, metrics = {}, {}
    for g, group in enumerate(GROUPS):
        progress(f"ranker: {group}", FOLDS + g, FOLDS + len(GROUPS) + 1)
        if rows[group].matrix and sum(t.sum() for t in rows[group].target) >= 5:
            rankers[group], metrics[group] = _fit_group(rows[group], seed, general=not audited_labels)
    progress("associations", FOLDS + len(GROUPS), FOLDS + len(GROUPS) + 1)
    shares, associations, neighbours, neighbour_labels = learn(examples, len(labels), audited_labels)
    return Fitted(shares, associations, neighbours, neighbour_labels, rankers, metrics)


def learn(
    examples: Sequence[Example], labels: int, audited_labels: bool
) -> tuple[np.ndarray, Associations, Neighbours, np.ndarray]:
    """Label shares, associations, and the neighbours with the labels that they score.

    Whole-note likeness tells a site's own habit; for notes of other sites it gained nothing in cross-validation, and
    is left out.
    """
    counts = np.zeros(labels)
    for e in examples:
        counts[e.labels] += 1
    frequent = np.flatnonzero(counts >= 2) if audited_labels else np.zeros(0, dtype=np.int64)
    matrix = np.zeros((len(examples), len(frequent)), dtype=np.float32)
    position = np.full(labels, -1)
    position[frequent] = np.arange(len(frequent))
    for i, e in enumerate(examples):
        mine = position[e.labels]
        matrix[i, mine[mine >= 0]] = 1
    return (
        counts / max(1, len(examples)),
        learn_associations([e.taught for e in examples], labels),
        learn_neighbours([e.counts for e in examples], matrix) if audited_labels else no_neighbours(),
        frequent,
    )


def _collect(
    example: Example,
    number: int,
    proposer: Proposer,
    associations: Associations,
    neighbours: Neighbours,
    neighbour_labels: np.ndarray,
    space: LabelSpace,
    rows: dict[str, _Rows],
) -> None:
    taught = proposer.taught(example.read, associations, neighbours, neighbour_labels)
    found = proposer.candidates(example.read, example.day, taught)
    gold = set(space.ids[example.labels].tolist())
    target = np.array([int(c) in gold for c in found.ids], dtype=np.float64)
    systems = [group_of(proposer.features.key(int(c))[0]) for c in found.ids]
    gold_groups = [group_of(space.labels[i][0]) for i in example.labels]
    for group, mine in rows.items():
        keep = np.array([s == group for s in systems], dtype=bool)
        mine.missed += gold_groups.count(group) - int(target[keep].sum())
        if keep.any():
            mine.matrix.append(found.matrix[keep])
            mine.target.append(target[keep])
            mine.note.append(np.full(int(keep.sum()), number))
            mine.weight.append(np.full(int(keep.sum()), example.audited.weight))


def _fit_group(rows: _Rows, seed: int, general: bool) -> tuple[Ranker, dict[str, float]]:
    target = np.concatenate(rows.target)
    ranker, probability = fit_ranker(
        np.concatenate(rows.matrix),
        target,
        np.concatenate(rows.note),
        rows.missed,
        seed,
        np.concatenate(rows.weight),
        general,
    )
    coded = probability >= ranker.threshold
    true = float(target[coded].sum())
    gold = float(target.sum()) + rows.missed
    precision, recall = true / max(1.0, float(coded.sum())), true / max(1.0, gold)
    return ranker, {
        "candidates": float(len(target)),
        "candidate_recall": float(target.sum()) / max(1.0, gold),
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / max(1e-9, precision + recall),
        "threshold": ranker.threshold,
    }

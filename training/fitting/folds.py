"""The third stage: which fold each note belongs to, and how often each label stands in each."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from codeassist.errors import InputError
from training.data_report.duplicates import near_groups
from training.fitting.reading import piece
from training.fitting.survey import Survey
from training.fitting.work import WorkFolder, load, read, write_piece

FOLDS = 5
RANGE_PAIRS = 3_000_000
"""Pairs of a key and a label that are counted together: bounds the memory of a worker."""


def fold_of_groups(group: np.ndarray, seed: int) -> np.ndarray:
    """The fold of each note: the notes of a group share one, folds are as equal as that allows, and chance decides
    the rest."""
    size = np.bincount(group)
    folds = min(FOLDS, len(size))
    drawn = np.random.default_rng(seed).permutation(len(size))
    fold = np.zeros(len(size), dtype=np.int64)
    held = np.zeros(folds, dtype=np.int64)
    for g in np.lexsort((drawn, -size)).tolist():
        fold[g] = int(np.argmin(held))
        held[fold[g]] += size[g]
    return np.asarray(fold[group])


def make_folds(work: WorkFolder, survey: Survey, seed: int) -> None:
    """Groups (one patient's notes, and notes that are nearly the same), folds, and counts of labels by fold.

    Raises :class:`InputError` when all notes are of one group.
    """
    if work.has("folds"):
        return
    folder, shards = work.folder, range(survey.shards)
    bands = np.concatenate([read(folder, piece(s), "bands") for s in shards])
    group = near_groups(bands, np.asarray(load(folder, "survey", "patient")))
    if not group.any():
        raise InputError("all notes are of one patient, or nearly the same: nothing can be checked on others")
    fold = fold_of_groups(group, seed)
    counts = {}
    for name in ("gold", "taught"):
        counts[name] = np.zeros((FOLDS, len(survey.labels)), dtype=np.int64)
        start = 0
        for s in shards:
            lengths = np.diff(load(folder, piece(s), f"{name}_end"), prepend=0)
            mine = np.repeat(fold[start : start + len(lengths)], lengths)
            np.add.at(counts[name], (mine, load(folder, piece(s), name)), 1)
            start += len(lengths)
    files: dict[str, np.ndarray] = {
        "group": group.astype(np.int32),
        "fold": fold.astype(np.int8),
        "ranges": np.array([max(1, -(-_pairs(folder, shards) // RANGE_PAIRS))]),
        **counts,
    }
    write_piece(folder, "folds", files)
    work.finish("folds")


def _pairs(folder: Path, shards: range) -> int:
    """About how many pairs of keys and labels there are, those of codes without evidence included."""
    total = 0
    for s in shards:
        keys, notes = len(load(folder, piece(s), "key")), len(load(folder, piece(s), "gold_end"))
        total += max(keys, len(load(folder, piece(s), "pair_at")))
        total += len(load(folder, piece(s), "whole_note")) * keys // notes
    return total


def variants(folder: Path) -> int:
    """How many times associations are learnt: without each fold in turn, and at last from all notes."""
    return int(np.max(load(folder, "folds", "fold"))) + 2


def taken(folder: Path, variant: int) -> np.ndarray:
    """Which notes a variant learns from."""
    return np.asarray(np.not_equal(load(folder, "folds", "fold"), variant))

"""Associations by ranges of keys, then for each variant everything that it learns.

The keys are 64-bit hashes. Every shard has its own sorted, so a range of them is a slice of each, and the ranges one
after the other give the whole table without it ever being in memory before it is small.
"""

from __future__ import annotations

import json
from dataclasses import fields
from functools import lru_cache
from pathlib import Path

import numpy as np

from codeassist.candidates.associations import Associations, associations_of
from codeassist.candidates.lessons import Lessons, lessons_of
from codeassist.candidates.likeness import NOTE_PENALTY, SENTENCE_PENALTY, Likeness, learn_likeness, no_likeness
from training.fitting.context import Options
from training.fitting.folds import taken, variants
from training.fitting.prior import Counted, counted, nothing_counted, prior_release
from training.fitting.reading import MOST_COMPARED, chosen, piece, rows_of
from training.fitting.survey import SHARD, surveyed
from training.fitting.work import load, write_piece

_MANY = 5000
"""From twice as many notes on, and from each doubling on, a pair must stand in one note more before it counts."""
_ASSOCIATIONS = tuple(f.name for f in fields(Associations) if f.init)
MOST_SENTENCES = 8000
"""Sentences that their classifier keeps, those that are evidence first: the time to fit it grows with their cube."""


def options_of(folder: Path) -> Options:
    """The options of a work folder."""
    return Options(**json.loads((folder / "options" / "options.json").read_bytes()))


def associate_range(task: tuple[Path, int]) -> None:
    """The associations of one range of keys, for every variant."""
    folder, number = task
    survey = surveyed(folder)
    ranges = int(load(folder, "folds", "ranges")[0])
    low, high = (min((1 << 64) - 1, (1 << 64) * k // ranges) for k in (number, number + 1))
    bounds = np.array([low, high], dtype=np.uint64)
    fold = np.asarray(load(folder, "folds", "fold"))
    slices = [_slice(folder, s, bounds, number == ranges - 1, fold) for s in range(survey.shards)]
    key, key_fold, short, pair_key, pair_fold, pair_label = (np.concatenate(c) for c in zip(*slices, strict=True))
    taught = np.asarray(load(folder, "folds", "taught"))
    prior = _before(folder, bounds, number == ranges - 1)
    files: dict[str, np.ndarray] = {}
    for v in range(variants(folder)):
        notes = int(taken(folder, v).sum())
        share = np.delete(taught, v, axis=0).sum(axis=0) / notes if v < len(taught) else taught.sum(axis=0) / notes
        keys, pairs = key_fold != v, pair_fold != v
        rarer = int(np.log2(max(1.0, notes / _MANY)))
        before = prior.beside(key[keys])
        found = associations_of(
            np.concatenate([key[keys], before.keys]),
            np.concatenate([key[keys & short], before.short]),
            np.concatenate([pair_key[pairs], before.pair_key]),
            np.concatenate([pair_label[pairs], before.pair_label]),
            share,
            rarer=rarer,
        )
        files |= {f"{v}_{name}": getattr(found, name) for name in _ASSOCIATIONS}
    write_piece(folder, f"ranges/{number:05}", files)


def _before(folder: Path, bounds: np.ndarray, last: bool) -> Counted:
    """What the release that training begins from counted in this range of keys."""
    prior = options_of(folder).prior
    if prior is None:
        return nothing_counted()
    release, labels = prior_release(prior), surveyed(folder).labels
    return counted(release, {label: i for i, label in enumerate(labels)}, bounds, last)


def _slice(folder: Path, shard: int, bounds: np.ndarray, last: bool, fold: np.ndarray) -> tuple[np.ndarray, ...]:
    """Keys of a range in one shard with fold and whether they are short; and its pairs: key, fold and label."""
    all_keys = load(folder, piece(shard), "key")
    low, high = np.searchsorted(all_keys, bounds)
    high = len(all_keys) if last else high
    key = np.array(all_keys[low:high])  # copied, so that no file of a shard stays open
    note = np.asarray(load(folder, piece(shard), "note")[low:high]).astype(np.int64)
    key_fold = fold[shard * SHARD + note]
    short = np.array(load(folder, piece(shard), "short")[low:high])
    pair_at = load(folder, piece(shard), "pair_at")
    first, end = np.searchsorted(pair_at, [low, high])
    at = np.asarray(pair_at[first:end]).astype(np.int64) - int(low)
    label = np.asarray(load(folder, piece(shard), "pair_label")[first:end])
    whole_note = np.asarray(load(folder, piece(shard), "whole_note"))
    order = np.argsort(note, kind="stable")
    begins, ends = (np.searchsorted(note[order], whole_note, side=side) for side in ("left", "right"))
    counts = ends - begins
    inside = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    at = np.concatenate([at, order[np.repeat(begins, counts) + inside]])
    label = np.concatenate([label, np.repeat(np.asarray(load(folder, piece(shard), "whole_label")), counts)])
    return key, key_fold, short, key[at], key_fold[at], label


def learn_variant(task: tuple[Path, int]) -> None:
    """Shares of labels and lessons of one variant, in one piece."""
    folder, variant = task
    notes = taken(folder, variant)
    gold = np.asarray(load(folder, "folds", "gold"))
    counts = (np.delete(gold, variant, axis=0) if variant < len(gold) else gold).sum(axis=0)
    files = {"shares": counts / notes.sum()}
    ranges = int(load(folder, "folds", "ranges")[0])
    for name in _ASSOCIATIONS:
        parts = [load(folder, f"ranges/{r:05}", f"{variant}_{name}") for r in range(ranges)]
        files[f"associations_{name}"] = np.concatenate(parts)
    for lesson, likeness in (("notes", _note_likeness), ("sentences", _sentence_likeness)):
        learned = likeness(folder, notes)
        files |= {f"{lesson}_{f.name}": getattr(learned, f.name) for f in fields(Likeness)}
    write_piece(folder, f"learnt/{variant}", files)


def _compared(folder: Path, notes: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """The notes of a variant that likeness is learnt from, by shard, as places in it: none for other sites' notes,
    where it gained nothing in cross-validation."""
    options = options_of(folder)
    if not options.audited_labels:
        return []
    mine = chosen(len(notes), MOST_COMPARED, options.seed)
    mine = mine[notes[mine]]
    return [(shard, mine[mine // SHARD == shard] % SHARD) for shard in np.unique(mine // SHARD).tolist()]


def _note_likeness(folder: Path, notes: np.ndarray) -> Likeness:
    """What whole notes look like, for labels that at least two of them have."""
    counts: list[np.ndarray] = []
    gold: list[np.ndarray] = []
    for shard, places in _compared(folder, notes):
        for name, rows in (("counts", counts), ("gold", gold)):
            found = rows_of(folder, shard, name)
            rows += [found[i] for i in places.tolist()]
    frequent = np.flatnonzero(np.bincount(np.concatenate([*gold, np.zeros(0, dtype=np.int64)])) >= 2)
    return learn_likeness(counts, gold, frequent, NOTE_PENALTY) if len(frequent) else no_likeness()


def _sentence_likeness(folder: Path, notes: np.ndarray) -> Likeness:
    """What sentences look like that are evidence, beside some that are not."""
    counts: list[np.ndarray] = []
    gold: list[np.ndarray] = []
    for shard, places in _compared(folder, notes):
        mine = np.flatnonzero(np.isin(load(folder, piece(shard), "sentences_note"), places)).tolist()
        for name, rows in (("sentences", counts), ("sentence_labels", gold)):
            found = rows_of(folder, shard, name)
            rows += [found[i] for i in mine]
    labels = np.unique(np.concatenate([*gold, np.zeros(0, dtype=np.int64)]))
    if not len(labels):
        return no_likeness()
    drawn = np.random.default_rng([options_of(folder).seed, MOST_SENTENCES]).permutation(len(counts))
    bare = np.array([not len(gold[i]) for i in drawn.tolist()])
    kept = np.sort(drawn[np.argsort(bare, kind="stable")][:MOST_SENTENCES]).tolist()
    return learn_likeness([counts[i] for i in kept], [gold[i] for i in kept], labels, SENTENCE_PENALTY)


@lru_cache(maxsize=8)
def learnt(folder: Path, variant: int) -> tuple[np.ndarray, Lessons]:
    """Label shares, and what the notes of a variant taught."""
    name = f"learnt/{variant}"
    lessons = lessons_of(lambda lesson, field: load(folder, name, f"{lesson}_{field}"))
    return np.asarray(load(folder, name, "shares")), lessons

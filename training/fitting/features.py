"""The features of candidates, out of fold: each note is ranked by what the others teach."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from codeassist.candidates.lessons import Lessons
from codeassist.proposing import LabelSpace, Proposer
from codeassist.ranking.features import FEATURES
from codeassist.ranking.ranker import GROUPS, group_of
from training.audited import REJECTED_WEIGHT, AuditedNote
from training.fitting.context import Context, context
from training.fitting.learning import learnt
from training.fitting.reading import chosen
from training.fitting.survey import SHARD, numbered_notes, surveyed
from training.fitting.work import load, read, write_piece

MOST_NOTES = 3_000
"""Notes whose candidates the rankers are fitted on, drawn by the seed when there are more."""
MOST_ROWS = 400_000
"""Candidates that a ranker is fitted on: the first of those notes, in an order drawn by the seed, that together have
no more."""


@dataclass(slots=True)
class Rows:
    """Candidates of one ranker in the order of their folds and notes: features, 1 where the coder has the code, group
    and note of each, weight, candidate id; and how many gold codes were no candidate."""

    matrix: np.ndarray
    target: np.ndarray
    group: np.ndarray
    note: np.ndarray
    weight: np.ndarray
    id: np.ndarray
    missed: int


def ranked_notes(notes: int, seed: int) -> np.ndarray:
    """The notes whose candidates the rankers may be fitted on."""
    return chosen(notes, MOST_NOTES, seed)


def shards_with_rows(folder: Path, seed: int) -> list[int]:
    """The shards that hold such notes."""
    return np.unique(ranked_notes(surveyed(folder).notes, seed) // SHARD).tolist()  # type: ignore[no-any-return]


def make_rows(task: tuple[Path, int]) -> None:
    """The candidates of a shard's notes, each by what the other folds teach."""
    folder, shard = task
    c = context(folder)
    mine = set(ranked_notes(c.survey.notes, c.options.seed).tolist())
    fold = load(folder, "folds", "fold")
    columns: dict[str, list[np.ndarray]] = {n: [] for n in ("matrix", "target", "ranker", "note", "weight", "id")}
    missed = [np.zeros((0, 3), dtype=np.int64)]
    for i, audited in numbered_notes(folder, shard, mine):
        found = _rows(c, audited, _proposer(folder, int(fold[i])), learnt(folder, int(fold[i]))[1])
        for name, values in found.items():
            if name != "missed":
                columns[name].append(values)
        columns["note"].append(np.full(len(found["id"]), i))
        missed.append(np.column_stack([np.full(len(GROUPS), i), np.arange(len(GROUPS)), found["missed"]]))
    write_piece(
        folder,
        f"rows/{shard:05}",
        {**{name: np.concatenate(values) for name, values in columns.items()}, "missed": np.concatenate(missed)},
    )


@lru_cache(maxsize=8)
def _proposer(folder: Path, variant: int) -> Proposer:
    return _first_proposer(folder).with_shares(learnt(folder, variant)[0])


@lru_cache(maxsize=1)
def _first_proposer(folder: Path) -> Proposer:
    c = context(folder)
    return Proposer(c.store, LabelSpace(c.store, c.survey.labels), learnt(folder, 0)[0], c.options.audited_labels)


def _rows(c: Context, audited: AuditedNote, proposer: Proposer, lessons: Lessons) -> dict[str, np.ndarray]:
    read = c.reader(audited.note)
    day = c.store.day(audited.note.date_of_service)
    found = proposer.candidates(read, day, proposer.taught(read, lessons))
    labels = {(code.system, code.key) for code in audited.codes} & c.number.keys()
    weights = {(code.system, code.key): code.weight for code in audited.codes if (code.system, code.key) in labels}
    weights |= {code: REJECTED_WEIGHT for code in audited.rejected if code not in weights}
    keys = [proposer.features.key(int(i)) for i in found.ids]
    target = np.array([k in labels for k in keys], dtype=np.float64)
    ranker = np.array([GROUPS.index(group_of(k[0])) for k in keys], dtype=np.int8)
    gold = np.bincount([GROUPS.index(group_of(s)) for s, _ in labels], minlength=len(GROUPS))
    return {
        "matrix": found.matrix.reshape(-1, len(FEATURES)),
        "target": target,
        "ranker": ranker,
        "weight": np.array([audited.weight * weights.get(k, 1.0) for k in keys]),
        "id": found.ids.astype(np.int64),
        "missed": gold - np.bincount(ranker, weights=target, minlength=len(GROUPS)).astype(np.int64),
    }


def rows_of_ranker(folder: Path, group: str, seed: int) -> Rows:
    """The rows of one ranker, :data:`MOST_ROWS` at most."""
    number = GROUPS.index(group)
    shards = [f"rows/{s:05}" for s in shards_with_rows(folder, seed)]
    missed = np.concatenate([read(folder, s, "missed") for s in shards])
    missed = missed[missed[:, 1] == number]
    which = [np.flatnonzero(load(folder, s, "ranker") == number) for s in shards]
    note = np.concatenate([load(folder, s, "note")[w] for s, w in zip(shards, which, strict=True)])
    kept = _within(note, missed[:, 0], seed)
    keep = np.isin(note, kept)
    bounds = np.cumsum([len(w) for w in which])[:-1]
    which = [w[k] for w, k in zip(which, np.split(keep, bounds), strict=True)]
    note = note[keep]
    order = np.lexsort((note, load(folder, "folds", "fold")[note]))

    def column(name: str) -> np.ndarray:
        return np.concatenate([load(folder, s, name)[w] for s, w in zip(shards, which, strict=True)])[order]

    return Rows(
        column("matrix"),
        column("target"),
        np.asarray(load(folder, "folds", "group"))[note[order]],
        note[order],
        column("weight"),
        column("id"),
        int(missed[np.isin(missed[:, 0], kept), 2].sum()),
    )


def _within(note: np.ndarray, notes: np.ndarray, seed: int) -> np.ndarray:
    """The notes that together have no more than :data:`MOST_ROWS` rows, in an order drawn by the seed."""
    if len(note) <= MOST_ROWS:
        return notes
    drawn = np.random.default_rng([seed, MOST_ROWS]).permutation(notes)
    rows = np.bincount(note, minlength=int(notes.max()) + 1)[drawn]
    return np.asarray(drawn[np.cumsum(rows) <= MOST_ROWS])

"""The second stage: what each note teaches, in arrays sorted by key, a piece a shard."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from training.data_report.duplicates import note_bands
from training.dataset import Example, example_of, keys_of
from training.fitting.context import context
from training.fitting.survey import SHARD, shard_notes
from training.fitting.work import Files, load, write_piece

MOST_COMPARED = 2000
"""Notes that the whole-note classifier keeps: all of them are compared with every note that is coded."""


def chosen(notes: int, most: int, seed: int) -> np.ndarray:
    """``most`` of the notes, drawn by the seed; all when there are no more."""
    if notes <= most:
        return np.arange(notes)
    return np.sort(np.random.default_rng([seed, most]).choice(notes, most, replace=False))


def piece(shard: int) -> str:
    """The name of a shard's arrays."""
    return f"read/{shard:05}"


def read_shard(task: tuple[Path, int]) -> None:
    """Read the notes of a shard and write what they teach.

    ``key`` (sorted) with ``note`` and ``short`` has the unique keys of each note; ``pair_at`` (sorted, places in
    ``key``) and ``pair_label`` the keys that are evidence; ``whole_note`` and ``whole_label`` the labels without
    evidence, for which every key of their note counts.
    """
    folder, shard = task
    c = context(folder)
    compared = set(chosen(c.survey.notes, MOST_COMPARED, c.options.seed).tolist())
    compared = compared if c.options.audited_labels else set()
    examples, bands = [], []
    for i, audited in enumerate(shard_notes(folder, shard)):
        if shard * SHARD + i in compared:
            examples.append(example_of(audited, c.reader(audited.note), c.number))
        else:
            examples.append(keys_of(audited, *c.words(audited.note.parts[0].text), c.number))
        bands.append(note_bands("\n".join(d.text for d in audited.note.parts)))
    files = {"bands": np.array(bands), **_ragged("gold", [e.labels for e in examples])}
    files |= _ragged("taught", [_taught(e) for e in examples])
    files |= _ragged("counts", [e.counts for e in examples])
    files["sentences_note"] = np.repeat(np.arange(len(examples)), [len(e.sentences) for e in examples])
    files |= _ragged("sentences", [row for e in examples for row in e.sentences])
    files |= _ragged("sentence_labels", [row for e in examples for row in e.sentence_labels])
    write_piece(folder, piece(shard), {**files, **_pairs(examples)})


def _taught(example: Example) -> np.ndarray:
    return np.unique([label for label, keys in example.pairs if len(keys)]).astype(np.int32)


def _ragged(name: str, rows: list[np.ndarray]) -> dict[str, np.ndarray]:
    return {
        name: np.concatenate([*rows, np.zeros(0)]).astype(np.int32),
        f"{name}_end": np.cumsum([len(r) for r in rows]).astype(np.int64),
    }


def rows_of(folder: Path, shard: int, name: str) -> list[np.ndarray]:
    """One array a note, or a sentence."""
    end = load(folder, piece(shard), f"{name}_end")
    return np.split(np.asarray(load(folder, piece(shard), name)), end[:-1]) if len(end) else []


def _pairs(examples: list[Example]) -> Files:
    key = np.concatenate([e.keys for e in examples])
    note = np.repeat(np.arange(len(examples)), [len(e.keys) for e in examples])
    short = np.concatenate([np.isin(e.keys, e.short) for e in examples])
    place = np.zeros(len(key), dtype=np.int64)
    order = np.argsort(key, kind="stable")
    place[order] = np.arange(len(key))
    first = np.concatenate([[0], np.cumsum([len(e.keys) for e in examples])])
    at, label, whole_note, whole_label = [], [], [], []
    for i, e in enumerate(examples):
        for taught, mine in e.pairs:
            if len(mine) == len(e.keys):
                whole_note.append(i)
                whole_label.append(taught)
            else:
                at.append(place[first[i] + np.searchsorted(e.keys, mine)])
                label.append(np.full(len(mine), taught))
    pair_at = np.concatenate([*at, np.zeros(0, dtype=np.int64)])
    pair_label = np.concatenate([*label, np.zeros(0, dtype=np.int64)])
    pairs = np.lexsort((pair_label, pair_at))
    return {
        "key": key[order],
        "note": note[order].astype(np.uint16),
        "short": short[order],
        "pair_at": pair_at[pairs].astype(np.uint32),
        "pair_label": pair_label[pairs].astype(np.int32),
        "whole_note": np.array(whole_note, dtype=np.uint16),
        "whole_label": np.array(whole_label, dtype=np.int32),
    }

"""From audited notes to what associations, neighbours and rankers learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from codeassist.candidates.associations import Taught, association_keys
from codeassist.candidates.neighbours import note_counts
from codeassist.nlp.reading import NoteReader, ReadNote
from codeassist.terminology.store import Store
from training.audited import AuditedNote


@dataclass(slots=True)
class Example:
    """An audited note read, with its gold label numbers."""

    audited: AuditedNote
    read: ReadNote
    day: int
    labels: np.ndarray
    taught: Taught
    counts: np.ndarray


def label_list(notes: Sequence[AuditedNote], store: Store, audited_labels: bool) -> list[tuple[str, str]]:
    """Every code that the audited notes hold, sorted; without ``audited_labels`` only codes of the terminology."""
    found = {(c.system, c.key) for n in notes for c in n.codes}
    if not audited_labels:
        found = {(s, k) for s, k in found if (row := store.row(s, k)) is not None and store.billable[row]}
    return sorted(found)


def make_examples(
    notes: Sequence[AuditedNote], reader: NoteReader, store: Store, labels: list[tuple[str, str]]
) -> list[Example]:
    """Read every note and collect what it teaches."""
    number = {label: i for i, label in enumerate(labels)}
    return [_example(note, reader(note.note), store, number) for note in notes]


def _example(audited: AuditedNote, read: ReadNote, store: Store, number: dict[tuple[str, str], int]) -> Example:
    gold = np.array(
        sorted({number[c.system, c.key] for c in audited.codes if (c.system, c.key) in number}), dtype=np.int64
    )
    part = read.parts[0]
    keys = association_keys(part.content)
    sentence = part.content.segment[keys.first] if len(keys.first) else np.zeros(0, dtype=np.int64)
    pairs_key, pairs_label = [], []
    starts, ends = part.notes.start, part.notes.end
    for code in audited.codes:
        label = number.get((code.system, code.key))
        if label is None:
            continue
        if code.evidence and len(starts):
            chosen = np.zeros(len(keys.key), dtype=bool)
            for start, end in code.evidence:
                tokens = np.flatnonzero((ends > start) & (starts < end))
                if len(tokens):
                    low, high = part.notes.sentence[tokens[0]], part.notes.sentence[tokens[-1]]
                    chosen |= (sentence >= low) & (sentence <= high)
            mine = keys.key[chosen]
        else:
            mine = keys.key
        mine = np.unique(mine)
        pairs_key.append(mine)
        pairs_label.append(np.full(len(mine), label, dtype=np.int32))
    short = (keys.words == 1) | ((keys.words == 2) & (keys.last - keys.first == 1))
    taught = Taught(
        np.unique(keys.key),
        np.concatenate(pairs_key) if pairs_key else np.zeros(0, dtype=np.uint64),
        np.concatenate(pairs_label) if pairs_label else np.zeros(0, dtype=np.int32),
        np.unique(keys.key[short]),
        audited.weight,
    )
    counts = note_counts([p.content for p in read.parts])
    return Example(audited, read, store.day(audited.note.date_of_service), gold, taught, counts)

"""Candidates from audited notes: the n-grams and word pairs that have been evidence for a code.

An association is a phrase key and a code, with how often notes that hold the key had it in that code's
evidence. Learnt by :func:`learn_associations`, stored as sorted arrays, looked up for all windows of a note at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from codeassist.nlp.annotations import Content
from codeassist.nlp.mentions.mentions import key_filter, lookup, runs, window_keys

LONGEST = 4
"""Longest n-gram, in content words."""
PAIR_REACH = 6
"""Word pairs reach this many content words."""
PER_KEY = 8
"""Codes kept for one key."""
SMOOTHING = 0.7


@dataclass(slots=True)
class Keys:
    """The keys of a document: key, first content word, last content word, words."""

    key: np.ndarray
    first: np.ndarray
    last: np.ndarray
    words: np.ndarray


def association_keys(content: Content) -> Keys:
    """Keys of all n-grams and near word pairs within a sentence, whether their words are known or not."""
    everything = Content(
        content.token, content.value, np.ones(len(content.value), dtype=bool), content.segment, content.gap
    )
    reach = runs(everything)
    key, first, words = window_keys(everything, LONGEST, reach)
    apart, one = np.nonzero(np.arange(2, PAIR_REACH + 1)[:, None] < reach)
    other = one + apart + 2
    return Keys(
        np.concatenate([key, content.value[one] + content.value[other]]),
        np.concatenate([first, one]),
        np.concatenate([first + words - 1, other]),
        np.concatenate([words, np.full(len(one), 2)]),
    )


@dataclass(slots=True)
class Associations:
    """Sorted keys with, for each, a label number, the smoothed precision and the count of notes behind it."""

    key: np.ndarray
    label: np.ndarray
    precision: np.ndarray
    count: np.ndarray
    present: np.ndarray = field(init=False, repr=False, compare=False)
    """The :func:`~codeassist.nlp.mentions.mentions.key_filter` of the keys."""

    def __post_init__(self) -> None:
        self.present = key_filter(self.key)


@dataclass(slots=True)
class AssociationHits:
    """One row for each match of an association in a document."""

    part: np.ndarray
    first: np.ndarray
    last: np.ndarray
    words: np.ndarray
    label: np.ndarray
    precision: np.ndarray
    count: np.ndarray

    def __len__(self) -> int:
        return len(self.part)


def find_associations(associations: Associations, contents: Sequence[Content]) -> AssociationHits:
    """All matches in the documents of a note."""
    columns: list[list[np.ndarray]] = [[] for _ in range(7)]
    for p, content in enumerate(contents):
        if not len(associations.key) or not len(content.value):
            continue
        keys = association_keys(content)
        which, entry = lookup(associations.key, keys.key, associations.present)
        rows = (
            np.full(len(which), p, dtype=np.int32),
            keys.first[which],
            keys.last[which],
            keys.words[which],
            associations.label[entry],
            associations.precision[entry],
            associations.count[entry],
        )
        for column, values in zip(columns, rows, strict=True):
            column.append(values)
    if not columns[0]:
        return AssociationHits(*(np.zeros(0, dtype=t) for t in ("i4", "i8", "i8", "i8", "i4", "f4", "i4")))
    return AssociationHits(*(np.concatenate(c) for c in columns))


@dataclass(slots=True)
class Taught:
    """What one audited note teaches: the unique keys of the note, and for each label the keys of its evidence.

    ``weight`` is the audited note's own: a note that a site trusts less counts less.
    """

    keys: np.ndarray
    pairs_key: np.ndarray
    pairs_label: np.ndarray
    short: np.ndarray
    """Keys that may count although seen once: single words and adjacent pairs."""
    weight: float = 1.0


def learn_associations(notes: Iterable[Taught], labels: int, least_lift: float = 3.0) -> Associations:
    """Associations from what audited notes teach.

    Kept are pairs whose smoothed precision is at least ``least_lift`` times the label's share of notes, at most
    :data:`PER_KEY` a key; a pair seen in one note only counts when its key is one word or two adjacent ones.
    """
    taught = list(notes)
    share = np.bincount(
        np.concatenate([np.unique(t.pairs_label) for t in taught]).astype(np.int64), minlength=labels
    ) / len(taught)
    return associations_of(
        np.concatenate([t.keys for t in taught]),
        np.concatenate([t.short for t in taught]),
        np.concatenate([t.pairs_key for t in taught]),
        np.concatenate([t.pairs_label for t in taught]),
        share,
        least_lift,
    )


def associations_of(
    keys: np.ndarray,
    short: np.ndarray,
    pair_key: np.ndarray,
    pair_label: np.ndarray,
    share: np.ndarray,
    least_lift: float = 3.0,
    rarer: int = 0,
) -> Associations:
    """Associations of the keys of a range, from the keys of all notes, one after the other, their pairs, and for each
    label the share of notes that teach it.

    Ranges in their order, one after the other, give the associations of all keys. Where there are very many notes,
    ``rarer`` more of them must have had a pair before it counts.
    """
    labels = len(share)
    keys, totals = np.unique(keys, return_counts=True)
    short = np.unique(short)
    at = np.searchsorted(keys, pair_key)
    code = at * np.int64(labels) + pair_label.astype(np.int64)
    unique, positives = np.unique(code, return_counts=True)
    at, label = unique // labels, (unique % labels).astype(np.int32)
    precision = positives / (totals[at] + SMOOTHING)
    is_short = np.isin(keys[at], short, assume_unique=False)
    seen = (positives >= 2 + rarer) | (is_short & (positives >= 1 + rarer))
    keep = (precision >= least_lift * share[label]) & (precision >= 0.04) & seen
    at, label, precision, positives = at[keep], label[keep], precision[keep], positives[keep]
    order = np.lexsort((label, -precision, at))
    at, label, precision, positives = at[order], label[order], precision[order], positives[order]
    first = np.concatenate([[0], np.flatnonzero(np.diff(at)) + 1]) if len(at) else np.zeros(0, dtype=np.int64)
    position = np.arange(len(at)) - np.repeat(first, np.diff(np.append(first, len(at))))
    keep = position < PER_KEY
    return Associations(
        key=keys[at[keep]],
        label=label[keep].astype(np.int32),
        precision=precision[keep].astype(np.float32),
        count=np.minimum(positives[keep], 32767).astype(np.int16),
    )

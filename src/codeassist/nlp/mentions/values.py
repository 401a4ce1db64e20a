"""Token values: the numbers from which phrase keys are summed."""

from __future__ import annotations

from enum import IntFlag
from functools import cache

import numpy as np
from spacy.strings import hash_string

from codeassist.nlp.annotations import Annotations, Content
from codeassist.terminology.store import Store
from codeassist.terminology.words import STOP_WORDS, mix

_EXTRA_STOPS = ("'s", "’s", "`", "'")


_QUALIFIERS = "left right bilateral bilaterally mild moderate severe inferior superior".split()
"""Words that a name may hold without changing what it names ("osteoarthritis of the right knee")."""


class _Class(IntFlag):
    """What a word is to the finding of names; it may be several."""

    STOP = 1
    SEPARATOR = 2
    QUALIFIER = 4
    NUMBER = 8
    """May count the items of a list,"""
    MARK = 16
    """and what follows it there."""


_WORDS = {
    _Class.STOP: (*STOP_WORDS, *_EXTRA_STOPS),
    _Class.SEPARATOR: (",", ";", ":", "and", "or", "(", ")", "."),
    _Class.QUALIFIER: _QUALIFIERS,
    _Class.NUMBER: tuple(str(n) for n in range(100)),
    _Class.MARK: (".", ")"),
}


@cache
def _class_table() -> tuple[np.ndarray, np.ndarray]:
    """The hashes of all these words in order, and the classes of each."""
    found: dict[int, int] = {}
    for kind, words in _WORDS.items():
        for word in words:
            found[hash_string(word)] = found.get(hash_string(word), 0) | kind
    hashes = sorted(found)
    return np.array(hashes, dtype=np.uint64), np.array([found[h] for h in hashes], dtype=np.uint8)


def _classes(lower: np.ndarray) -> np.ndarray:
    """The classes of each word, 0 for one of none."""
    hashes, classes = _class_table()
    at = np.minimum(np.searchsorted(hashes, lower), len(hashes) - 1)
    return np.where(hashes[at] == lower, classes[at], np.uint8(0))


def _item_numbers(sentence: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Which tokens only count an item of a list ("1. Type 2 diabetes"): a number that opens its sentence, with a full
    stop or bracket behind it."""
    out = (classes & _Class.NUMBER) != 0
    out[1:] &= sentence[1:] != sentence[:-1]
    out[:-1] &= (classes[1:] & _Class.MARK) != 0
    out[-1:] = False
    return np.asarray(out)


def unqualified(notes: Annotations, content: Content) -> np.ndarray:
    """The places of ``content`` that are left when sides and degrees are passed over."""
    return np.flatnonzero((_classes(notes.lower[content.token]) & _Class.QUALIFIER) == 0)


def content_words(notes: Annotations, store: Store) -> Content:
    """The content words of a note with their values; unknown words keep a value that no phrase holds."""
    if notes.content is not None:
        return notes.content
    lower = notes.lower
    classes = _classes(lower)
    stops = (classes & _Class.STOP) != 0
    stops |= notes.punctuation | notes.space | _item_numbers(notes.sentence, classes)
    token = np.flatnonzero(~stops)
    words = lower[token]
    at = np.minimum(np.searchsorted(store.form_key, words), len(store.form_key) - 1)
    known = store.form_key[at] == words
    value = np.where(known, store.form_value[at], mix(words))
    gap = np.cumsum((classes & _Class.SEPARATOR) != 0)[token]
    notes.content = Content(token, value, np.asarray(known), notes.sentence[token], gap)
    return notes.content

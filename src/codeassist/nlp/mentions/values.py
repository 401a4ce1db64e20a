"""Token values: the numbers from which phrase keys are summed."""

from __future__ import annotations

from functools import cache

import numpy as np
from spacy.strings import hash_string

from codeassist.nlp.annotations import Annotations, Content
from codeassist.terminology.store import Store
from codeassist.terminology.words import STOP_WORDS, mix

_EXTRA_STOPS = ("'s", "’s", "`", "'")


_QUALIFIERS = "left right bilateral bilaterally mild moderate severe inferior superior".split()
"""Words that a name may hold without changing what it names ("osteoarthritis of the right knee")."""


@cache
def _stop_hashes() -> np.ndarray:
    return np.sort(np.array([hash_string(w) for w in (*STOP_WORDS, *_EXTRA_STOPS)], dtype=np.uint64))


@cache
def _separator_hashes() -> np.ndarray:
    return np.sort(np.array([hash_string(w) for w in (",", ";", ":", "and", "or", "(", ")", ".")], dtype=np.uint64))


@cache
def _qualifier_hashes() -> np.ndarray:
    return np.sort(np.array([hash_string(w) for w in _QUALIFIERS], dtype=np.uint64))


@cache
def _item_hashes() -> tuple[np.ndarray, np.ndarray]:
    """Numbers that may count the items of a list, and the marks that follow them there."""
    numbers, marks = ([str(n) for n in range(100)], ".)")
    return tuple(np.sort(np.array([hash_string(w) for w in words], dtype=np.uint64)) for words in (numbers, marks))  # type: ignore[return-value]


def _item_numbers(notes: Annotations) -> np.ndarray:
    """Which tokens only count an item of a list ("1. Type 2 diabetes"): a number that opens its sentence, with a full
    stop or bracket behind it."""
    numbers, marks = _item_hashes()
    opens = np.diff(notes.sentence, prepend=-1) != 0
    followed = np.append(_isin(notes.lower[1:], marks), False)
    return np.asarray(opens & followed & _isin(notes.lower, numbers))


def unqualified(notes: Annotations, content: Content) -> np.ndarray:
    """The places of ``content`` that are left when sides and degrees are passed over."""
    return np.flatnonzero(~_isin(notes.lower[content.token], _qualifier_hashes()))


def _isin(values: np.ndarray, table: np.ndarray) -> np.ndarray:
    at = np.minimum(np.searchsorted(table, values), len(table) - 1)
    return np.asarray(table[at] == values)


def content_words(notes: Annotations, store: Store) -> Content:
    """The content words of a note with their values; unknown words keep a value that no phrase holds."""
    if notes.content is not None:
        return notes.content
    lower = notes.lower
    stops = _isin(lower, _stop_hashes()) | notes.punctuation | notes.space | _item_numbers(notes)
    token = np.flatnonzero(~stops)
    words = lower[token]
    at = np.minimum(np.searchsorted(store.form_key, words), len(store.form_key) - 1)
    known = store.form_key[at] == words
    value = np.where(known, store.form_value[at], mix(words))
    gap = np.cumsum(_isin(lower, _separator_hashes()))[token]
    notes.content = Content(token, value, np.asarray(known), notes.sentence[token], gap)
    return notes.content

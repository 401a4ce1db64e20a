"""Near spellings of a word among the words of the index."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

_MOST = 8


class Speller:
    """Finds the index words that a misspelt word may mean, the nearest and then the most used first.

    ``uses`` counts the documents that hold each word.
    """

    def __init__(self, words: Sequence[str], uses: np.ndarray) -> None:
        self._by_length: dict[int, list[str]] = {}
        for w in words:
            if len(w) > 3 and w.isalpha():
                self._by_length.setdefault(len(w), []).append(w)
        self._uses = {w: int(n) for w, n in zip(words, uses, strict=True)}
        self.near = lru_cache(maxsize=4096)(self._near)

    def _near(self, word: str) -> tuple[tuple[str, int], ...]:
        """Words within one edit (two from six letters on), and their distance; those one edit away hide the rest."""
        cutoff = 1 if len(word) < 6 else 2
        lengths = range(len(word) - cutoff, len(word) + cutoff + 1)
        choices = [w for n in lengths for w in self._by_length.get(n, ())]
        found = process.extract(word, choices, scorer=DamerauLevenshtein.distance, score_cutoff=cutoff, limit=5 * _MOST)
        closest = min((int(d) for _, d, _ in found), default=0)
        near = [(w, int(d)) for w, d, _ in found if d == closest]
        near.sort(key=lambda pair: (pair[0][0] != word[0], -self._uses[pair[0]], pair[0]))
        return tuple(near[:_MOST])

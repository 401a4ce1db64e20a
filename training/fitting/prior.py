"""What a release that training begins from has counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from codeassist.candidates.associations import SMOOTHING
from codeassist.release import LearnedPhrases, Release, load_release
from training.fitting.survey import Code

ENOUGH = 2
"""From so many notes of the site on that hold a key, only they say what it is evidence for: sites code differently, and
the release's notes would outweigh the site's own where these are few."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Keys as often as notes held them, pairs as often as they were evidence, and the keys that were one word or two:
    as if the release's own notes were among those of the site."""

    keys: np.ndarray
    short: np.ndarray
    pair_key: np.ndarray
    pair_label: np.ndarray

    def beside(self, keys: np.ndarray) -> Counted:
        """What is left of it beside notes of the site, of which each holds its ``keys`` once."""
        if not len(self.keys):
            return self
        own, times = np.unique(keys, return_counts=True)
        known = own[times >= ENOUGH]
        left, pairs = ~np.isin(self.keys, known), ~np.isin(self.pair_key, known)
        return Counted(self.keys[left], self.short, self.pair_key[pairs], self.pair_label[pairs])


@lru_cache(maxsize=1)
def prior_release(folder: str) -> Release:
    """The release in a folder."""
    return load_release(Path(folder))


def nothing_counted() -> Counted:
    """Of no release."""
    return Counted(*(np.zeros(0, dtype=t) for t in ("u8", "u8", "u8", "i4")))


def counted(release: Release, number: Mapping[Code, int], bounds: np.ndarray, last: bool) -> Counted:
    """What a release has counted of the keys between ``bounds`` (to the end with ``last``), for labels that
    ``number`` has."""
    a = release.lessons.associations
    low, high = np.searchsorted(a.key, bounds)
    high = len(a.key) if last else high
    known = np.array([number.get(label, -1) for label in release.labels], dtype=np.int64)
    key, label = np.asarray(a.key[low:high]), known[np.asarray(a.label[low:high])]
    positives = np.asarray(a.count[low:high]).astype(np.int64)
    totals = np.rint(positives / np.asarray(a.precision[low:high]) - SMOOTHING).astype(np.int64)
    kept = label >= 0
    key, label, positives, totals = key[kept], label[kept], positives[kept], totals[kept]
    unique, first = np.unique(key, return_index=True)
    times = np.maximum.reduceat(totals, first) if len(first) else totals
    # only keys that count although seen once were kept with one
    return Counted(
        np.repeat(unique, np.maximum(1, times)),
        np.unique(key[positives == 1]),
        np.repeat(key, positives),
        np.repeat(label, positives).astype(np.int32),
    )


def with_phrases(phrases: LearnedPhrases, release: Release) -> LearnedPhrases:
    """The phrases, and those of the release that are not among them."""
    old = release.phrases
    fresh = ~np.isin(old.key, phrases.key)
    key = np.concatenate([phrases.key, np.asarray(old.key)[fresh]])
    order = np.argsort(key, kind="stable")
    code = np.concatenate([phrases.code, np.asarray(old.code)[fresh]])
    words = np.concatenate([phrases.words, np.asarray(old.words)[fresh]])
    return LearnedPhrases(key[order], code[order], words[order])

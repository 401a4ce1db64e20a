"""Notes that are the same, or nearly: MinHash over 5-word shingles, in bands, so that no two notes are compared that do
not look alike."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from codeassist.choice import dotted
from training.data_report.places import Places
from training.data_report.problems import Problem

SHINGLE = 5
NEARLY = 0.7
"""Share of shingles (Jaccard) from which two notes are nearly the same."""
SAME = 0.9
"""The share from which two notes should be coded alike."""
_BANDS, _ROWS = 32, 4
"""Two notes that share .7 of their shingles meet in one of the bands with a chance of .9998, at .3 with .23."""
_MEETINGS = 5
"""Bands that notes of one group share: at .7 of the shingles with a chance of .9, at .5 with .05."""
_MIX = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93], dtype=np.uint64)
_WORD = re.compile(r"\w+")
_PRIME = np.uint64((1 << 61) - 1)
_TOLD = 4


@dataclass(frozen=True, slots=True)
class Pair:
    """Two notes by number, the later first, and how much they share; 1 for the same words in the same order."""

    note: int
    like: int
    share: float


class Sketches:
    """Texts as sketches, added one at a time: 300 bytes a text in memory, and its shingles in a file of no name."""

    def __init__(self) -> None:
        self._texts = 0
        self._same: list[Pair] = []
        self._first_words: dict[bytes, int] = {}
        self._number = array("q")
        self._bands = bytearray()
        self._begins = array("q", [0])
        self._shingles = tempfile.TemporaryFile(prefix="codeassist-sketches-")  # noqa: SIM115 (goes with the sketches)

    def add(self, text: str) -> None:
        """Sketch the next text."""
        i = self._texts
        self._texts += 1
        words = _WORD.findall(text.casefold())
        if not words:
            return
        digest = hashlib.blake2b(" ".join(words).encode(), digest_size=16).digest()
        first = self._first_words.setdefault(digest, i)
        if first != i:
            self._same.append(Pair(i, first, 1.0))
            return
        mine = _shingles(words)
        self._number.append(i)
        self._bands += _bands_of(mine).tobytes()
        self._shingles.write(mine.tobytes())
        self._begins.append(self._begins[-1] + mine.nbytes)

    def pairs(self) -> list[Pair]:
        """For each text that was there before, or nearly, the one that it is most like among the first of their kind.

        Each text is compared with the first of each bucket that it falls into, and never with all of them: the time
        grows with the number of texts.
        """
        self._shingles.flush()
        out = list(self._same)
        first = self._first_alike()
        for i in np.flatnonzero((first < np.arange(len(first))[:, None]).any(axis=1)).tolist():
            mine, best = self._read(i), Pair(self._number[i], -1, 0.0)
            for other in np.unique(first[i]).tolist():
                if other != i:
                    share = _share(mine, self._read(other))
                    best = Pair(best.note, self._number[other], share) if share > best.share else best
            if best.share >= NEARLY:
                out.append(best)
        return sorted(out, key=lambda p: p.note)

    def _first_alike(self) -> np.ndarray:
        """For each distinct text and band the first text in its bucket."""
        bands = np.frombuffer(self._bands, dtype=np.uint64).reshape(-1, _BANDS)
        first = np.empty(bands.shape, dtype=np.int32)
        for b in range(_BANDS):
            head, order = _heads(bands[:, b])
            first[order, b] = head
        return first

    def _read(self, i: int) -> np.ndarray:
        begin, end = self._begins[i], self._begins[i + 1]
        return np.frombuffer(os.pread(self._shingles.fileno(), end - begin, begin), dtype=np.uint32)


def find_pairs(texts: Iterable[str]) -> list[Pair]:
    """The pairs of all these texts (:meth:`Sketches.pairs`)."""
    sketches = Sketches()
    for text in texts:
        sketches.add(text)
    return sketches.pairs()


def _heads(band: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first of those with the same number, for each in an order by number; and that order."""
    order = np.argsort(band, kind="stable")
    starts = np.flatnonzero(np.concatenate([[True], np.diff(band[order]) != 0])[: len(order)])
    return np.repeat(order[starts], np.diff(np.append(starts, len(order)))), order


def _shingles(words: Sequence[str]) -> np.ndarray:
    """The distinct runs of five words (all of a shorter text as one), each as a number of 32 bits, sorted."""
    runs = [" ".join(words[k : k + SHINGLE]) for k in range(max(1, len(words) - SHINGLE + 1))]
    hashes = [int.from_bytes(hashlib.blake2b(r.encode(), digest_size=4).digest(), "little") for r in runs]
    return np.unique(np.array(hashes, dtype=np.uint32))


def _coefficients() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    return tuple(rng.integers(1, 1 << 28, (_BANDS * _ROWS, 1), dtype=np.uint64) for _ in range(2))  # type: ignore[return-value]


_A, _B = _coefficients()


def _least(shingles: np.ndarray) -> np.ndarray:
    # products of 28 and 32 bits stay below 61 bits, so that they do not overflow
    products = (_A * shingles.astype(np.uint64) + _B) % _PRIME % np.uint64(1 << 32)
    return np.asarray(products.min(axis=1).astype(np.uint32))


def _bands_of(shingles: np.ndarray) -> np.ndarray:
    rows = _least(shingles).reshape(_BANDS, _ROWS).astype(np.uint64)
    return np.asarray(np.bitwise_xor.reduce(rows * _MIX, axis=1) | np.uint64(1))


def note_bands(text: str) -> np.ndarray:
    """A number for each band of a text: notes that are nearly the same share many; all 0 for a text without words."""
    words = _WORD.findall(text.casefold())
    if not words:
        return np.zeros(_BANDS, dtype=np.uint64)
    return _bands_of(_shingles(words))


def near_groups(bands: np.ndarray, known: np.ndarray) -> np.ndarray:
    """A group number for each note, counted from 0 as they come: notes with the same number in ``known`` (a patient's;
    0 for none) are in one group, and notes that are nearly the same."""
    n = len(bands)
    first, second = [], []
    for band in bands.T:
        head, order = _heads(band)
        linked = (head != order) & (band[order] != 0)
        first.append(head[linked])
        second.append(order[linked])
    links, times = np.unique(np.concatenate(first) * np.int64(n) + np.concatenate(second), return_counts=True)
    links = links[times >= _MEETINGS]
    order = np.argsort(known, kind="stable")
    same = np.flatnonzero((np.diff(known[order]) == 0) & (known[order][1:] != 0))
    a = np.concatenate([links // n, order[same]])
    b = np.concatenate([links % n, order[same + 1]])
    graph = sparse.coo_matrix((np.ones(len(a), dtype=np.int8), (a, b)), shape=(n, n))
    _, group = csgraph.connected_components(graph, directed=False)
    _, begins = np.unique(group, return_index=True)
    number = np.empty(len(begins), dtype=np.int64)
    number[np.argsort(begins, kind="stable")] = np.arange(len(begins))
    return np.asarray(number[group])


def _share(a: np.ndarray, b: np.ndarray) -> float:
    both = len(np.intersect1d(a, b, assume_unique=True))
    return both / (len(a) + len(b) - both)


def check_duplicates(places: Places, sketches: Sketches) -> Iterator[Problem]:
    """Duplicates and near-duplicates; those across training and test as leaks; and the same text coded differently.
    The notes of both are the same, by number."""
    for pair in sketches.pairs():
        mine, other = pair.note, pair.like
        where = f"{places.file(other)}, line {places.line(other)} ({places.note_id(other)})"
        how = "the same as" if pair.share == 1 else f"{pair.share:.0%} the same as"
        if places.test(mine) != places.test(other):
            what = "to train on" if places.test(mine) else "a test"
            yield places.problem(mine, "leak", f"the text is {how} {where}, which is {what}")
        elif pair.share == 1:
            yield places.problem(mine, "duplicate", f"the text is {how} {where}")
        else:
            yield places.problem(mine, "near-duplicate", f"the text is {how} {where}")
        if pair.share >= SAME:
            yield from _conflict(places, mine, other, where)


def _conflict(places: Places, mine: int, other: int, where: str) -> Iterator[Problem]:
    a, b = places.codes(mine), places.codes(other)
    if a == b:
        return
    coders = places.coder(mine), places.coder(other)
    who = f" (coders {coders[0]} and {coders[1]})" if all(coders) else ""
    only = ("here", a - b), ("there", b - a)
    told = "; ".join(f"only {side}: {_some(places, labels)}" for side, labels in only if labels)
    yield places.problem(mine, "conflict", f"coded differently from {where}{who}; {told}")


def _some(places: Places, labels: set[int]) -> str:
    listed = [dotted(*c) for c in sorted(places.named(label) for label in labels)]
    return ", ".join(listed[:_TOLD]) + (f" and {len(listed) - _TOLD} more" if len(listed) > _TOLD else "")

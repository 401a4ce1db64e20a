"""Notes that are the same, or nearly: MinHash over 5-word shingles, in bands, so that no two notes are compared that do
not look alike."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from codeassist.choice import dotted
from training.data_report.problems import Problem
from training.data_report.reading import Placed

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


def find_pairs(texts: Sequence[str]) -> list[Pair]:
    """For each text that was there before, or nearly, the one that it is most like among the first of their kind.

    Each text is compared with the first of each bucket that it falls into, and never with all of them: the time grows
    with the number of texts.
    """
    out: list[Pair] = []
    first_words: dict[bytes, int] = {}
    buckets: dict[int, int] = {}
    shingles: dict[int, np.ndarray] = {}
    for i, text in enumerate(texts):
        words = _WORD.findall(text.casefold())
        if not words:
            continue
        digest = hashlib.blake2b(" ".join(words).encode(), digest_size=16).digest()
        if digest in first_words:
            out.append(Pair(i, first_words[digest], 1.0))
            continue
        first_words[digest] = i
        mine = _shingles(words)
        keys = _band_keys(mine)
        best = Pair(i, -1, 0.0)
        for other in sorted({buckets[k] for k in keys if k in buckets}):
            share = _share(mine, shingles[other])
            best = Pair(i, other, share) if share > best.share else best
        if best.share >= NEARLY:
            out.append(best)
        kept = [k for k in keys if k not in buckets]
        if kept:
            shingles[i] = mine
            buckets.update(dict.fromkeys(kept, i))
    return out


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


def _band_keys(shingles: np.ndarray) -> list[int]:
    """A number for each band, different in different bands."""
    return (_bands_of(shingles) + np.arange(_BANDS, dtype=np.uint64) * _MIX[0]).tolist()  # type: ignore[no-any-return]


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
        order = np.argsort(band, kind="stable")
        starts = np.flatnonzero(np.concatenate([[True], np.diff(band[order]) != 0]))
        head = np.repeat(order[starts], np.diff(np.append(starts, n)))
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


def check_duplicates(notes: Sequence[Placed]) -> Iterator[Problem]:
    """Duplicates and near-duplicates; those across training and test as leaks; and the same text coded differently."""
    texts = ["\n".join(d.text for d in n.audited.note.parts) for n in notes]
    for pair in find_pairs(texts):
        mine, other = notes[pair.note], notes[pair.like]
        where = f"{other.file}, line {other.line} ({other.audited.note.id})"
        how = "the same as" if pair.share == 1 else f"{pair.share:.0%} the same as"
        if mine.test != other.test:
            yield mine.problem(
                "leak", f"the text is {how} {where}, which is {'to train on' if mine.test else 'a test'}"
            )
        elif pair.share == 1:
            yield mine.problem("duplicate", f"the text is {how} {where}")
        else:
            yield mine.problem("near-duplicate", f"the text is {how} {where}")
        if pair.share >= SAME:
            yield from _conflict(mine, other, where)


def _conflict(mine: Placed, other: Placed, where: str) -> Iterator[Problem]:
    a, b = ({(c.system, c.key) for c in n.audited.codes} for n in (mine, other))
    if a == b:
        return
    who = f" (coders {mine.coder} and {other.coder})" if mine.coder and other.coder else ""
    told = "; ".join(f"only {name}: {_some(codes)}" for name, codes in (("here", a - b), ("there", b - a)) if codes)
    yield mine.problem("conflict", f"coded differently from {where}{who}; {told}")


def _some(codes: set[tuple[str, str]]) -> str:
    listed = [dotted(*c) for c in sorted(codes)]
    return ", ".join(listed[:_TOLD]) + (f" and {len(listed) - _TOLD} more" if len(listed) > _TOLD else "")

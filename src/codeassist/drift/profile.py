"""What the training notes were like, kept with the release as ``profile.json``: counts, and no text of notes.

The vocabulary is kept as 32-bit hashes of the words that at least two notes hold; a word of one note only, such as a
name, is not among them.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from codeassist.nlp.sections import find_sections
from codeassist.note import Note

FORMAT = 1
NUMBERS = ("length", "unknown_words", "codes_per_note")
"""Measures that are numbers: compared by the tenths of the training notes."""
CLASSES = ("sections", "setting", "specialty", "codes")
"""Measures that are classes: compared by the share of each."""
_WORD = re.compile(r"[^\W\d_]{2,}")
_LEAST_NOTES = 2
_SAMPLED = 2000
_SPECIALTIES = 40
"""Rarer specialties are one class."""


def words_of(text: str) -> frozenset[str]:
    """The words of a text in lower case, each once."""
    return frozenset(_WORD.findall(text.lower()))


def hashes_of(words: Iterable[str]) -> np.ndarray:
    """A number of 32 bits for each word."""
    return np.array(
        [int.from_bytes(hashlib.blake2b(w.encode(), digest_size=4).digest(), "little") for w in words], dtype=np.uint32
    )


def section_kinds(note: Note) -> tuple[str, ...]:
    """The kinds of section that a note has, each once."""
    return tuple(sorted({s.kind for d in note.parts for s in find_sections(d.text)}))


def code_class(system: str, key: str) -> str:
    """The class of a code: the first letter for ICD-10-CM, the section for ICD-10-PCS, the first digit for CPT.

    >>> code_class("icd-10-cm", "E119"), code_class("cpt", "99213")
    ('icd-10-cm E', 'cpt 9')
    """
    return f"{system} {key[:1]}"


@dataclass(frozen=True)
class Profile:
    """``edges`` are the inner bounds of each number's classes, ``counts`` how many training notes (for sections and
    codes: of theirs) fell into each class."""

    notes: int
    edges: Mapping[str, Sequence[float]]
    counts: Mapping[str, Mapping[str, int]]
    vocabulary: str

    @cached_property
    def known(self) -> np.ndarray:
        """Hashes of the known words, sorted."""
        return np.frombuffer(base64.b64decode(self.vocabulary), dtype="<u4")

    def unknown_share(self, note: Note) -> float:
        """Share of a note's distinct words that no two training notes held."""
        words = frozenset().union(*(words_of(d.text) for d in note.parts))
        return float(1 - np.isin(hashes_of(words), self.known).mean()) if words else 0.0

    def as_record(self) -> dict[str, Any]:
        """For ``profile.json``."""
        names = ("notes", "edges", "counts", "vocabulary")
        return {"format": FORMAT, **{n: getattr(self, n) for n in names}}


def read_profile(record: Mapping[str, Any]) -> Profile:
    """The profile of a release's ``profile.json``."""
    return Profile(record["notes"], record["edges"], record["counts"], record["vocabulary"])


def profile_of(notes: Iterable[tuple[Note, Sequence[tuple[str, str]]]]) -> Profile:
    """The profile of audited notes with their codes as (system, key); each note is read once and not kept."""
    seen: Counter[int] = Counter()
    lengths: list[int] = []
    numbers: list[int] = []
    pairs: list[np.ndarray] = []
    counts: dict[str, Counter[str]] = {name: Counter() for name in CLASSES}
    for note, codes in notes:
        hashes = hashes_of(frozenset().union(*(words_of(d.text) for d in note.parts)))
        seen.update(hashes.tolist())
        if len(pairs) < _SAMPLED:  # enough to know how many unknown words are usual
            pairs.append(hashes)
        lengths.append(sum(len(d.text) for d in note.parts))
        numbers.append(len(codes))
        counts["sections"].update(section_kinds(note))
        counts["setting"][note.setting] += 1
        counts["specialty"][note.specialty or "not given"] += 1
        counts["codes"].update(code_class(*c) for c in codes)
    known = np.array(sorted(w for w, n in seen.items() if n >= _LEAST_NOTES), dtype="<u4")
    # a note's own words count as known only where another note holds them too: what "known" means for a new note
    unknown = [float(1 - np.isin(h, known).mean()) if len(h) else 0.0 for h in pairs]
    counts["specialty"] = _most(counts["specialty"])
    edges, found = {}, {name: dict(sorted(c.items())) for name, c in counts.items()}
    measured: tuple[Sequence[float], ...] = (lengths, unknown, numbers)
    for name, values in zip(NUMBERS, measured, strict=True):
        # less than in any training note is a class of its own
        tenths = [min(values) - 1e-9, *np.quantile(values, np.linspace(0.1, 0.9, 9))] if values else []
        edges[name] = sorted({float(v) for v in tenths})
        found[name] = dict(Counter(number_class(edges[name], v) for v in values))
    return Profile(len(lengths), edges, found, base64.b64encode(known.tobytes()).decode())


def number_class(edges: Sequence[float], value: float) -> str:
    """The class of a number: how many of the bounds it exceeds."""
    return str(int(np.searchsorted(edges, value, side="left")))


def _most(counts: Counter[str]) -> Counter[str]:
    out = Counter(dict(counts.most_common(_SPECIALTIES)))
    rest = sum(counts.values()) - sum(out.values())
    return out + Counter({"other": rest})

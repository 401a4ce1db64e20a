"""Words and phrase keys: how a phrase of a note and a phrase of a release come to be the same number.

A phrase is the multiset of its content words, each reduced to a stem; its key is the sum, modulo
2**64, of a mixed 64-bit hash of each stem. Keys of all windows of a text are differences of one
cumulative sum, and word order and stop words do not matter ("pain in left knee", "left knee pain").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

import numpy as np
from spacy.strings import hash_string

MAX_PHRASE_WORDS = 8
"""Longest phrase, in content words, that is looked up in a note."""

STOP_WORDS = frozenset(
    "a an the of in on at to for from by with within and or is are was were be been being has have had as "
    "this that these those his her their its my your our he she it they i we you who which patient patients "
    "there some also due very nos nec s".split()
)
"""Words that carry no meaning inside a phrase. Negations are not among them."""

_SPELLING = (("oe", "e"), ("ae", "e"), ("our", "or"), ("ise", "ize"), ("isation", "ization"))
_WORD = re.compile(r"[a-z0-9]+(?:[.'][a-z0-9]+)*%?|\+")
_KEEP_S = ("ss", "us", "is", "ous", "itis")
_SES_TO_SIS = re.compile(r"(?:[aeo]|ly|no)ses$")
_SES_PLAIN = frozenset(
    "diseases cases noses doses bases phases increases decreases causes releases courses nurses senses uses "
    "pulses responses lenses overdoses horses houses roses hoses dresses".split()
)
_IRREGULAR = {
    "feet": "foot",
    "teeth": "tooth",
    "vertebrae": "vertebra",
    "women": "woman",
    "men": "man",
    "children": "child",
    "ova": "ovum",
    "bacteria": "bacterium",
    "diverticula": "diverticulum",
    "emboli": "embolus",
    "thrombi": "thrombus",
    "calculi": "calculus",
    "nuclei": "nucleus",
    "bronchi": "bronchus",
    "nevi": "nevus",
    "fungi": "fungus",
    "varices": "varix",
    "cortices": "cortex",
    "apices": "apex",
    "cervices": "cervix",
    "indices": "index",
    "ganglia": "ganglion",
    "criteria": "criterion",
    "carcinomata": "carcinoma",
    "knives": "knife",
    "lives": "life",
    "calves": "calf",
    "ii": "2",
    "iii": "3",
    "two": "2",
    "three": "3",
    "one": "1",
    "four": "4",
    "tumour": "tumor",
    "tumours": "tumor",
    "haem": "hem",
}


@lru_cache(maxsize=1 << 15)
def stem(word: str) -> str:
    """The stem of one lower-case word: singular, American spelling, Roman numerals as digits.

    >>> [stem(w) for w in ("biopsies", "metastases", "oedema", "pelvis", "II", "fractures".lower())]
    ['biopsy', 'metastasis', 'edema', 'pelvis', 'II', 'fracture']
    """
    w = _IRREGULAR.get(word)
    if w is not None:
        return w
    w = word
    if len(w) > 3 and w.endswith("s") and w.isalpha() and not w.endswith(_KEEP_S):
        if w.endswith("ies") and len(w) > 4:
            w = w[:-3] + "y"
        elif w.endswith(("sses", "xes", "ches", "shes", "zes")):
            w = w[:-2]
        elif w not in _SES_PLAIN and len(w) > 6 and _SES_TO_SIS.search(w):
            w = w[:-2] + "is"
        else:
            w = w[:-1]
    if len(w) > 4 and w.isalpha():
        for british, american in _SPELLING[:2]:
            if british in w and not w.endswith(british):
                w = w.replace(british, american)
        if w.endswith("our") and len(w) > 5:
            w = w[:-3] + "or"
    return w


def surface_forms(word: str) -> Iterator[str]:
    """Spellings of a stem that a note may hold: the stem itself, its plural, its British form."""
    yield word
    if not word.isalpha() or len(word) < 3:
        return
    if word.endswith("y") and word[-2] not in "aeiou":
        yield word[:-1] + "ies"
    elif word.endswith("sis"):
        yield word[:-2] + "es"
    elif word.endswith(("s", "x", "ch", "sh", "z")):
        yield word + "es"
    else:
        yield word + "s"
    if "em" in word[-5:] or "em" in word[:5]:
        yield word.replace("em", "aem", 1)
        yield word.replace("em", "oem", 1)
    if word.startswith("e") and len(word) > 5:
        yield "o" + word


def content_stems(phrase: str) -> list[str]:
    """The stems of a phrase's content words, in order.

    >>> content_stems("Pain in left knee, unspecified")
    ['pain', 'left', 'knee', 'unspecified']
    """
    words = _WORD.findall(phrase.lower().replace("'s", "").replace("’s", ""))
    return [stem(w) for w in words if w not in STOP_WORDS]


_PARENTHESES = re.compile(r"\s*[\[(][^\])]*[\])]")
_ABSENT = re.compile(
    r"\b(?:without|not) .+?"
    r"(?=,? (?:with|without|not|intractable|initial|subsequent|sequela|left|right|bilateral)\b|;|$)",
    re.I,
)
"""What a title says is not there need not be said by a note."""


def title_stems(title: str) -> list[str]:
    """The stems of what a code's title says is there, in order.

    >>> title_stems("Type 2 diabetes mellitus with ketoacidosis without coma")
    ['type', '2', 'diabete', 'mellitus', 'ketoacidosis']
    """
    return content_stems(_ABSENT.sub("", _PARENTHESES.sub("", title)))


def mix(hashes: np.ndarray) -> np.ndarray:
    """Spread 64-bit hashes so that their sums do not collide by accident (finaliser of splitmix64)."""
    h = np.asarray(hashes, dtype=np.uint64).copy()
    h ^= h >> np.uint64(30)
    h *= np.uint64(0xBF58476D1CE4E5B9)
    h ^= h >> np.uint64(27)
    h *= np.uint64(0x94D049BB133111EB)
    h ^= h >> np.uint64(31)
    return h


def word_value(word: str) -> int:
    """The mixed 64-bit value of a stem."""
    return int(mix(np.array([hash_string(word)], dtype=np.uint64))[0])


_values: dict[str, int] = {}


def phrase_key(stems: Iterable[str]) -> int:
    """The order-free key of a phrase's stems.

    >>> phrase_key(content_stems("left knee pain")) == phrase_key(content_stems("Pain in left knee"))
    True
    """
    total = 0
    for s in stems:
        v = _values.get(s)
        if v is None:
            v = _values[s] = word_value(s)
        total += v
    return total & 0xFFFFFFFFFFFFFFFF

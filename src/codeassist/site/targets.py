"""What the lines of a site stand for in a terminology index."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from codeassist.errors import InputError
from codeassist.site.reading import Site
from codeassist.terminology.phrases import LEXICON_KINDS, PhraseKind
from codeassist.terminology.sources.tables import LexiconEntry
from codeassist.terminology.store import Store, normal_key
from codeassist.terminology.words import content_stems, phrase_key


@dataclass(frozen=True, slots=True)
class Target:
    """A phrase of the site: its stems, the row it stands for (below zero: a pattern of ``patterns``), its kind, the
    words that must or must not stand in the note, and whether it must be in capitals."""

    stems: tuple[str, ...]
    row: int
    kind: PhraseKind
    context: tuple[str, ...]
    capitals: bool

    @property
    def key(self) -> int:
        """The phrase's key in the index."""
        return int(phrase_key(list(self.stems)))


def lexicon_row(entry: LexiconEntry, store: Store) -> int:
    """The row of an entry's code, or of the category above a stem such as ``M25.56-``. Raises :class:`InputError`."""
    if "{" in entry.code:
        raise InputError(f"{entry.code} is a pattern: a site's line names one code, or a stem with a dash")
    key = normal_key(entry.code).rstrip("-")
    row = store.row(entry.system, key)
    while row is None and entry.code.endswith("-") and key.endswith("X"):
        key = key[:-1]
        row = store.row(entry.system, key)
    if row is None:
        raise InputError(f"{entry.code} is in no release of {entry.system}")
    return row


def meant_rows(meaning: str, store: Store) -> list[int]:
    """The rows that a phrase stands for in ``store``; empty where it knows no such phrase."""
    stems = content_stems(meaning)
    if not stems:
        return []
    key = np.uint64(phrase_key(stems))
    low, high = np.searchsorted(store.phrases.key, [key, key + np.uint64(1)])
    return sorted({int(r) for r in store.phrases.row[low:high]})


def targets(site: Site, store: Store) -> list[Target]:
    """Every phrase of the site. Raises :class:`InputError` with the line of one that stands for nothing."""
    out = []
    for entry in site.lexicon:
        kind = LEXICON_KINDS.get(entry.kind)
        if kind is None:
            raise InputError(f"{entry.line}: unknown kind {entry.kind!r}: use {', '.join(LEXICON_KINDS)}")
        try:
            row = lexicon_row(entry, store)
        except InputError as error:
            raise InputError(f"{entry.line}: {error}") from None
        out.append(Target(tuple(content_stems(entry.term)), row, kind, entry.context, False))
    own = {t.stems: t.row for t in out}
    for short, meaning, context in site.abbreviations:
        stems = tuple(content_stems(meaning))
        found = [own[stems]] if stems in own else meant_rows(meaning, store)
        if not found:
            raise InputError(f"abbreviations.tsv: {meaning!r}, which {short} stands for, is no term that is known")
        letters = tuple(content_stems(short))
        out += [Target(letters, r, PhraseKind.ABBREVIATION, context, short.isupper()) for r in found]
    return [t for t in out if t.stems]

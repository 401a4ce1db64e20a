"""Mentions that a site's own recogniser finds: a spaCy NER or span categoriser, through an entry point.

A package of the site registers a factory in the entry-point group ``codeassist.mention_detectors``; the setting
``mention_detectors`` names those that take part. The factory is called once, without arguments, and gives a callable
that takes a :class:`~spacy.tokens.Doc` (tokens only) and gives spans of it. A label of the form ``icd-10-cm:M10.9``
says which code a span means; with any other label its words are looked up in the terminology.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import lru_cache
from importlib import metadata

import numpy as np
from spacy.tokens import Doc, Span

from codeassist.errors import InputError
from codeassist.nlp.annotations import MentionArrays, annotations_of
from codeassist.terminology.layout import SYSTEM_NUMBERS
from codeassist.terminology.store import Store

GROUP = "codeassist.mention_detectors"
Detector = Callable[[Doc], Iterable[Span]]
_LEAST_SCORE = 0.5
_READINGS = 2


def load_detectors(names: Sequence[str]) -> tuple[Detector, ...]:
    """The detectors of these names. Raises :class:`InputError` for one that is not installed."""
    found = {p.name: p for p in metadata.entry_points(group=GROUP)}
    missing = [n for n in names if n not in found]
    if missing:
        raise InputError(f"no mention detector {missing[0]!r} is installed; there are: {', '.join(found) or 'none'}")
    return tuple(found[n].load()() for n in names)


class DetectedMentions:
    """spaCy component: adds the detectors' spans to the mentions, where no mention covers them already."""

    def __init__(self, store: Store, detectors: Sequence[Detector]) -> None:
        self._store, self._detectors = store, detectors
        until = int(store.meta["covered_until"])
        self._day = date(until // 10000, until // 100 % 100, until % 100)
        self._phrase_of: dict[int, int] = {}
        for i, row in enumerate(store.phrases.row.tolist()):
            if not store.phrases.context[i] and not store.phrases.capitals[i]:
                self._phrase_of.setdefault(row, i)
        self._rows = lru_cache(maxsize=4096)(self._looked_up)

    def __call__(self, doc: Doc) -> Doc:
        notes = annotations_of(doc)
        assert notes.mentions is not None
        more = []
        for detector in self._detectors:
            for span in detector(doc):
                if ((notes.mentions.start <= span.start) & (notes.mentions.end >= span.end)).any():
                    continue
                words = int(np.count_nonzero(~(notes.punctuation | notes.space)[span.start : span.end]))
                more += [(span.start, span.end, self._phrase_of[r], words) for r in self._means(span)]
        if more:
            notes.mentions = _merged(notes.mentions, np.array(sorted(set(more))))
        return doc

    def _means(self, span: Span) -> list[int]:
        system, _, code = span.label_.partition(":")
        if code and system in SYSTEM_NUMBERS:
            row = self._store.row(system, code)
            return [row] if row in self._phrase_of else []
        return self._rows(span.text)

    def _looked_up(self, text: str) -> list[int]:
        hits = self._store.search(text, on=self._day, limit=_READINGS)
        found = [self._store.row(h.system, h.code) for h in hits if h.score >= _LEAST_SCORE]
        return [r for r in found if r in self._phrase_of]


def _merged(mentions: MentionArrays, more: np.ndarray) -> MentionArrays:
    start, end, phrase, words = (
        np.concatenate([getattr(mentions, n), more[:, i].astype(getattr(mentions, n).dtype)])
        for i, n in enumerate(("start", "end", "phrase", "words"))
    )
    nested = np.concatenate([mentions.nested, np.zeros(len(more), dtype=bool)])
    order = np.lexsort((phrase, -words.astype(np.int64), start))
    return MentionArrays(*(a[order] for a in (start, end, phrase, words, nested)))

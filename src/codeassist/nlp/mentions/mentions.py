"""Finds mentions by the keys of all windows of content words, in a few array operations."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc, Span

from codeassist.nlp.annotations import Annotations, Content, MentionArrays, annotations_of
from codeassist.nlp.mentions.values import content_words, unqualified
from codeassist.terminology.store import Store
from codeassist.terminology.words import MAX_PHRASE_WORDS


def window_keys(
    content: Content, longest: int = MAX_PHRASE_WORDS, reach: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Keys of all windows of 1 to ``longest`` content words within one sentence, with the index of their first
    word and their length in words; shorter windows first. ``reach`` is what :func:`runs` gives, where it is known."""
    sums = np.zeros(len(content.value) + 1, dtype=np.uint64)
    np.cumsum(content.value, out=sums[1:])
    length, first = np.nonzero(np.arange(1, longest + 1)[:, None] <= (runs(content) if reach is None else reach))
    length += 1
    return sums[first + length] - sums[first], first, length.astype(np.int32)


def runs(content: Content) -> np.ndarray:
    """For each content word, how many known words of its sentence begin with it; 0 for an unknown word."""
    unknown = ~content.known
    closes = np.ones(len(unknown), dtype=bool)
    closes[:-1] = (content.segment[1:] != content.segment[:-1]) | unknown[1:] | unknown[:-1]
    ends = np.flatnonzero(closes) + 1
    out = ends[np.cumsum(closes) - closes] - np.arange(len(unknown))
    out[unknown] = 0
    return np.asarray(out)


_FILTER_BITS = 20


def key_filter(table: np.ndarray) -> np.ndarray:
    """Which leading bits occur among the keys of a table: most keys of a note are told from it to be none of them."""
    present = np.zeros(1 << _FILTER_BITS, dtype=bool)
    present[table >> np.uint64(64 - _FILTER_BITS)] = True
    return present


def lookup(table: np.ndarray, keys: np.ndarray, present: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """For every key that ``table`` (sorted) holds: the key's index and the index of each equal entry. With
    ``present``, the table's :func:`key_filter`, the same sooner."""
    hit = np.arange(len(keys))
    if present is not None:
        hit = np.flatnonzero(present[keys >> np.uint64(64 - _FILTER_BITS)])
        keys = keys[hit]
    low = np.searchsorted(table, keys, side="left")
    equal = np.flatnonzero(table[np.minimum(low, len(table) - 1)] == keys)
    hit, low = hit[equal], low[equal]
    counts = np.searchsorted(table, keys[equal], side="right") - low
    which = np.repeat(hit, counts)
    offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return which, np.repeat(low, counts) + offsets


@dataclass(slots=True)
class _Windows:
    """Windows that fit a phrase: first content word, content words spanned, words of the phrase, and the phrase."""

    first: np.ndarray
    length: np.ndarray
    words: np.ndarray
    phrase: np.ndarray

    def and_(self, other: _Windows) -> _Windows:
        return _Windows(
            *(np.concatenate([getattr(self, n), getattr(other, n)]) for n in ("first", "length", "words", "phrase"))
        )


class MentionFinder:
    """spaCy component: fills ``mentions`` of the annotations and ``doc.spans["mentions"]``.

    Of the windows that a phrase fills, those inside a longer one are kept and marked as nested; those that
    cross a longer or tighter one are dropped. A phrase in capitals only ("MS") must be in capitals here, and
    a phrase that needs a context word must find it in the note.
    """

    def __init__(self, store: Store, spans: bool = False) -> None:
        self._store = store
        self._spans = spans
        self._context_keys = [_context(c) for c in store.contexts]
        self._present = key_filter(store.phrases.key)
        self._wanting = np.array([wanted is not None for wanted, _ in self._context_keys])

    def __call__(self, doc: Doc) -> Doc:
        notes = annotations_of(doc)
        content = content_words(notes, self._store)
        keys, first, words = window_keys(content)
        which, phrase = lookup(self._store.phrases.key, keys, self._present)
        windows = _Windows(first[which], words[which], words[which], phrase)
        notes.mentions = self._select(doc, notes, content, windows.and_(self._across_qualifiers(notes, content)))
        if self._spans:
            self._set_spans(doc, notes)
        return doc

    def _across_qualifiers(self, notes: Annotations, content: Content) -> _Windows:
        """Windows that fit a phrase once the sides and degrees between their words are passed over."""
        place = unqualified(notes, content)
        thin = Content(*(a[place] for a in (content.token, content.value, content.known, content.segment, content.gap)))
        keys, first, words = window_keys(thin)
        length = place[first + words - 1] - place[first] + 1 if len(first) else words
        across = np.flatnonzero(length > words)
        which, phrase = lookup(self._store.phrases.key, keys[across], self._present)
        chosen = across[which]
        return _Windows(place[first[chosen]], length[chosen].astype(np.int32), words[chosen], phrase)

    def _select(self, doc: Doc, notes: Annotations, content: Content, found: _Windows) -> MentionArrays:
        keep = self._allowed(doc, notes, content, found.first, found.phrase)
        keep &= ~self._outdone(found, keep)
        first, length, words, phrase = (a[keep] for a in (found.first, found.length, found.words, found.phrase))
        last = first + length - 1
        gaps = content.gap[last] - content.gap[first]
        order = np.lexsort((first, gaps, -words))
        taken = [0] * len(content.token)  # which window owns a word
        state = np.zeros(len(first), dtype=np.int8)  # 1 kept, 2 nested
        windows: dict[tuple[int, int], int] = {}
        for i, a, b in zip(order.tolist(), first[order].tolist(), last[order].tolist(), strict=True):
            seen = windows.get((a, b))
            if seen is None:
                owners = set(taken[a : b + 1])
                if owners == {0}:
                    taken[a : b + 1] = [len(windows) + 1] * (b + 1 - a)
                    seen = 1
                else:
                    seen = 2 if len(owners) == 1 else 0
                windows[a, b] = seen
            state[i] = seen
        keep = np.flatnonzero(state)
        keep = keep[np.lexsort((phrase[keep], -words[keep], first[keep]))]
        return MentionArrays(
            start=content.token[first[keep]],
            end=content.token[last[keep]] + 1,
            phrase=phrase[keep],
            words=words[keep],
            nested=state[keep] == 2,
        )

    def _allowed(
        self, doc: Doc, notes: Annotations, content: Content, first: np.ndarray, phrase: np.ndarray
    ) -> np.ndarray:
        keep = np.ones(len(phrase), dtype=bool)
        shouted: dict[int, bool] = {}
        for i in np.flatnonzero(self._store.phrases.capitals[phrase]).tolist():
            start = int(content.token[first[i]])
            sentence = int(notes.sentence[start])
            if sentence not in shouted:
                shouted[sentence] = _shouting(notes, sentence)
            keep[i] = doc[start].is_upper and not shouted[sentence]
        contexts = self._store.phrases.context[phrase]
        if contexts.any():
            text = notes.text.lower()
            for number in set(contexts[contexts > 0].tolist()):
                wanted, unwanted = self._context_keys[number]
                if (wanted is not None and not wanted.stands_in(text)) or (
                    unwanted is not None and unwanted.stands_in(text)
                ):
                    keep[contexts == number] = False
        return keep

    def _outdone(self, found: _Windows, keep: np.ndarray) -> np.ndarray:
        """Readings of a window that another of the same category outdoes, because the note has the words that it needs
        ("kidney stone" beside "left ureter" is a ureteral stone)."""
        phrases = self._store.phrases
        chosen = np.flatnonzero(keep & self._wanting[phrases.context[found.phrase]] & (phrases.row[found.phrase] >= 0))
        out = np.zeros(len(keep), dtype=bool)
        for i in chosen.tolist():
            same = (found.first == found.first[i]) & (found.length == found.length[i]) & keep
            same &= ~self._wanting[phrases.context[found.phrase]] & (phrases.row[found.phrase] >= 0)
            rows = phrases.row[found.phrase[same]]
            mine = self._store.key[phrases.row[found.phrase[i]]][:3]
            out[np.flatnonzero(same)[self._store.key[rows].astype("S3") == mine]] = True
        return out

    def _set_spans(self, doc: Doc, notes: Annotations) -> None:
        mentions = notes.mentions
        assert mentions is not None
        spans = []
        for i in range(len(mentions)):
            row = int(self._store.phrases.row[mentions.phrase[i]])
            label = self._store.code(row) if row >= 0 else self._store.patterns[-1 - row]
            spans.append(Span(doc, int(mentions.start[i]), int(mentions.end[i]), label=label))
        doc.spans["mentions"] = spans


class _AnyOf:
    """Whether one of some words stands in a text in lower case, at the start of a word ("ear" is not in "year")."""

    def __init__(self, words: list[str]) -> None:
        self._words = [w.lower() for w in words]

    def stands_in(self, text: str) -> bool:
        return any(map(text.__contains__, self._words)) and self._pattern.search(text) is not None

    @cached_property
    def _pattern(self) -> re.Pattern[str]:  # of hundreds a note needs a few
        return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, self._words))})")


def _context(words: tuple[str, ...]) -> tuple[_AnyOf | None, _AnyOf | None]:
    """What must and what must not stand in the note."""
    wanted = [w for w in words if not w.startswith("!")]
    unwanted = [w[1:] for w in words if w.startswith("!")]
    return _AnyOf(wanted) if wanted else None, _AnyOf(unwanted) if unwanted else None


def _shouting(notes: Annotations, sentence: int) -> bool:
    """Whether the whole sentence is in capitals, where capitals say nothing."""
    low, high = bisect_left(notes.sentence, sentence), bisect_right(notes.sentence, sentence)
    text = notes.text[int(notes.start[low]) : int(notes.end[high - 1])]
    return len(text) > 12 and text.isupper() and " " in text.strip()


@Language.factory("codeassist_mentions", default_config={"spans": True}, assigns=["doc.spans"])
def make_mentions(nlp: Language, name: str, spans: bool) -> MentionFinder:
    """The mention finder as a spaCy component, over the terminology index of this machine."""
    from codeassist.terminology.access import open_store

    return MentionFinder(open_store(), spans)

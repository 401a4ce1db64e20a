"""Marks each token with what the note says of it, from cues with a scope.

A scope runs from its cue to the end of the sentence, to a word that ends it, or as far as the cue reaches,
whichever comes first (NegEx: Chapman 2001; ConText: Harkema 2009). Scopes are written into arrays over the
tokens, so any span can be asked, whether a mention or not.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from spacy.language import Language
from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc

from codeassist.nlp.annotations import STATUSES, Annotations, annotations_of
from codeassist.nlp.tokenizer import shared_english

PRIORITY = (0, 4, 1, 3, 2, 5)
"""Of two scopes over one token the higher wins, in the order of ``STATUSES``: family, negated, hypothetical …"""
_SECTION_STATUS = {"family": "family"}
_ANSWERS = frozenset({"no", "n", "denies", "never"})
"""Words that negate backward only as an answer ("asthma: no")."""
_AFTER_RULED_OUT = frozenset(". , ; ) by with on at and today via given based for in".split())


@dataclass(frozen=True, slots=True)
class Cue:
    """One line of ``cues.tsv``."""

    text: str
    status: str
    forward: bool
    reach: int


@cache
def cues() -> dict[str, Cue]:
    """Cues by their text in lower case."""
    table = (resources.files(__package__) / "cues.tsv").read_text(encoding="utf-8")
    out: dict[str, Cue] = {}
    for line in table.splitlines():
        if not line or line.startswith("#") or line.startswith("cue\t"):
            continue
        text, status, direction, reach = line.split("\t")
        key = text if direction == "forward" else f"{text} <"
        out[key] = Cue(text, status, direction == "forward", int(reach))
    return out


class AssertionMarker:
    """spaCy component: fills ``status`` and ``cue`` of the annotations. ``more`` are cues of a site's own (text,
    status, whether they govern forward, reach): each takes the place of ours with the same words and direction."""

    def __init__(self, more: Sequence[tuple[str, str, bool, int]] = ()) -> None:
        english = shared_english()
        own = (Cue(*row) for row in more)
        every = {**cues(), **{c.text if c.forward else f"{c.text} <": c for c in own}}
        self._matcher = PhraseMatcher(english.vocab, attr="LOWER")
        self._cues: defaultdict[int, list[Cue]] = defaultdict(list)
        for cue in every.values():
            self._matcher.add(cue.text, [english.tokenizer(cue.text)])
            self._cues[english.vocab.strings[cue.text]].append(cue)

    def __call__(self, doc: Doc) -> Doc:
        notes = annotations_of(doc)
        if not len(notes):
            return doc
        matches = _longest(self._matcher(doc))
        sentences: list[int] = notes.sentence.tolist()
        ends, ends_negated = self._ends(matches)
        priority = np.zeros(len(notes), dtype=np.int8)
        for key, start, end in matches:
            for cue in self._cues[key]:
                if cue.status in ("none", "end", "end_negated"):
                    continue
                if cue.status == "negated" and not self._is_negation(cue, notes, start, end, doc):
                    continue
                stops = ends_negated if cue.status in ("negated", "possible", "hypothetical") else ends
                low, high = _scope(cue, sentences, start, end, stops)
                if high <= low:
                    continue
                value = STATUSES.index(cue.status)
                strength = PRIORITY[value]
                wins = priority[low:high] < strength
                number = len(notes.cues)
                notes.cues.append((start, end))
                notes.status[low:high][wins] = value
                notes.cue[low:high][wins] = number
                priority[low:high][wins] = strength
        self._sections(notes, priority)
        return doc

    def _ends(self, matches: list[tuple[int, int, int]]) -> tuple[list[int], list[int]]:
        """Token positions that end scopes, and those that end negations too."""
        all_ends, negation_ends = [], []
        for key, start, _ in matches:
            for cue in self._cues[key]:
                if cue.status == "end":
                    all_ends.append(start)
                    negation_ends.append(start)
                elif cue.status == "end_negated":
                    negation_ends.append(start)
        return all_ends, negation_ends

    def _is_negation(self, cue: Cue, notes: Annotations, start: int, end: int, doc: Doc) -> bool:
        """Words such as "none" and "negative" negate backward only as an answer ("fever: none") or a predicate."""
        before = doc[start - 1].lower_ if start else "."
        following = doc[end].lower_ if end < len(doc) else "."
        if cue.text == "(-)":
            return self._signs_follow(notes, start, doc) != cue.forward
        if cue.text == "ruled out":
            return cue.forward != (following in _AFTER_RULED_OUT or end == len(doc))
        if not cue.forward and cue.text in _ANSWERS:
            return before in (":", "?", "=")
        if cue.forward:
            if cue.text == "no" and end < len(doc) and notes.punctuation[end]:
                return doc[end].text in (":", "-")
            return True
        if cue.text in ("none", "nil", "negative", "neg", "denied", "absent"):
            if start == 0:
                return False
            if cue.text in ("none", "nil", "denied"):
                return before in (":", "-", "–", "=", "(") or before in ("is", "was", "are", "were")
            return following not in ("for",) and (
                before in (":", "-", "–", "=", "(", "is", "was", "are", "were", "test", "screen", "swab", "sign")
                or notes.sentence[start] != (notes.sentence[end] if end < len(doc) else -1)
                or following in (".", ",", ";", ")", "\n", "and", "today", "x", "bilaterally")
            )
        return True

    def _signs_follow(self, notes: Annotations, sign: int, doc: Doc) -> bool:
        """Whether signs stand after their words ("fever (-)") in this sentence: then the first one does."""
        low = bisect_left(notes.sentence, notes.sentence[sign])
        for i in range(low, sign + 1):
            if doc[i].text == "(" and i + 2 < len(doc) and doc[i + 1].text in "+-" and doc[i + 2].text == ")":
                return i > low and not notes.punctuation[i - 1]
        return sign > low and not notes.punctuation[sign - 1]

    def _sections(self, notes: Annotations, priority: np.ndarray) -> None:
        """A family-history section makes its mentions the family's, unless they are negated there."""
        bounds = np.searchsorted(notes.section, np.arange(len(notes.sections) + 1)).tolist()
        starts: list[int] = notes.start.tolist()
        for i, section in enumerate(notes.sections):
            status = _SECTION_STATUS.get(section.kind)
            if status is None:
                continue
            value = STATUSES.index(status)
            low, high = bounds[i : i + 2]
            inside = low + np.flatnonzero(priority[low:high] < PRIORITY[value])
            if not len(inside):
                continue
            body = max(section.body, section.start + 1)
            first, last = bisect_left(starts, section.start), bisect_left(starts, body)
            number = -1
            if first < last:
                number = len(notes.cues)
                notes.cues.append((first, last))
            notes.status[inside] = value
            notes.cue[inside] = number


def _longest(matches: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Matches that no longer match contains, in order of their start."""
    kept: list[tuple[int, int, int]] = []
    reached = -1
    for key, start, end in sorted(matches, key=lambda m: (m[1], -m[2])):
        if end > reached:
            kept.append((key, start, end))
            reached = end
    return kept


def _scope(cue: Cue, sentences: list[int], start: int, end: int, stops: list[int]) -> tuple[int, int]:
    """The tokens that a cue governs, of tokens with the numbers of their ``sentences``."""
    if cue.forward:
        high = min(bisect_right(sentences, sentences[start]), end + cue.reach)
        i = bisect_left(stops, end)
        return end, min(high, stops[i]) if i < len(stops) else high
    low = max(bisect_left(sentences, sentences[start]), start - cue.reach)
    i = bisect_left(stops, start)
    return max(low, stops[i - 1] + 1) if i > 0 else low, start


@Language.factory("codeassist_assertion")
def make_assertion(nlp: Language, name: str) -> AssertionMarker:
    """The assertion marker as a spaCy component; add it after sentences and sections."""
    return AssertionMarker()

"""Finds attributes and says which words of the tabular they stand for."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from spacy.language import Language
from spacy.matcher import PhraseMatcher
from spacy.strings import StringStore, hash_string
from spacy.tokens import Doc, Span

from codeassist.nlp.annotations import Annotations, annotations_of
from codeassist.nlp.tokenizer import shared_english
from codeassist.terminology.words import stem

_WEEKS = re.compile(
    r"(?P<weeks>\d(?<!\w\d)(?:(?<=[1-4])\d)?)(?:[ +]*(?:\d ?/ ?7|w\d|\d days?))?[ -]*(?:weeks?|wks?|w(?:\d?d)?|wga)\b"
    r"(?P<after>[^.\n]{0,30})",
    re.I,
)
_SIDES = frozenset({"left", "right", "bilateral"})
_SIDE_REACH = 40
"""A side counts for a mention at most this many tokens away."""
_PREGNANT = re.compile(
    r"pregnan|gestation|gravid|\bG\d+ ?P\d|\bIUP\b|\bEGA\b|\bEDD\b|prenatal|obstetric|trimester", re.I
)


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute: its kind, the tabular's words for it, and its token span."""

    kind: str
    words: tuple[str, ...]
    start: int
    end: int


@cache
def _forms() -> tuple[dict[str, tuple[str, tuple[str, ...]]], dict[str, tuple[str, tuple[str, ...]]]]:
    """Forms matched in any case, and forms matched in capitals only."""
    text = (resources.files(__package__) / "attributes.tsv").read_text(encoding="utf-8")
    free: dict[str, tuple[str, tuple[str, ...]]] = {}
    capitals: dict[str, tuple[str, tuple[str, ...]]] = {}
    for line in text.splitlines():
        if not line or line.startswith("#") or line.startswith("kind\t"):
            continue
        kind, words, forms = line.split("\t")
        for form in forms.split("|"):
            (capitals if form.isupper() else free)[form] = (kind, tuple(words.split()))
    return free, capitals


class AttributeFinder:
    """spaCy component: sets ``doc.spans["attributes"]``, labelled ``kind: words``."""

    def __init__(self) -> None:
        english = shared_english()
        free, capitals = _forms()
        self._free = PhraseMatcher(english.vocab, attr="LOWER")
        self._capitals = PhraseMatcher(english.vocab, attr="ORTH")
        self._found: dict[int, tuple[str, tuple[str, ...]]] = {}
        for matcher, forms in ((self._free, free), (self._capitals, capitals)):
            for form, meaning in forms.items():
                key = f"attribute:{form}"
                matcher.add(key, [english.tokenizer(form)])
                self._found[english.vocab.strings.add(key)] = meaning

    def find(self, doc: Doc) -> list[Attribute]:
        """The attributes of a document in order; of overlapping ones the longest."""
        matches = [*self._free(doc), *self._capitals(doc)]
        kept: list[Attribute] = []
        reached = -1
        for key, start, end in sorted(matches, key=lambda m: (m[1], -m[2])):
            if end > reached:
                kind, words = self._found[key]
                kept.append(Attribute(kind, words, start, end))
                reached = end
        return kept

    def __call__(self, doc: Doc) -> Doc:
        doc.spans["attributes"] = [
            Span(doc, a.start, a.end, label=f"{a.kind}: {' '.join(a.words)}") for a in self.find(doc)
        ]
        return doc


@cache
def _finder() -> AttributeFinder:
    return AttributeFinder()


def find_attributes(doc: Doc) -> list[Attribute]:
    """The attributes of a document."""
    return _finder().find(doc)


def gestation(text: str) -> tuple[str, ...]:
    """The words of the trimester that a note's weeks of gestation mean, if it speaks of a pregnancy.

    Less than 14 weeks 0 days, to less than 28 weeks, and from 28 weeks (tabular, chapter 15).

    >>> gestation("G2P1 at 31w2d, prenatal visit")
    ('third', 'trimester')
    """
    for m in _WEEKS.finditer(text):
        near = text[max(0, m.start() - 40) : m.end()]
        weeks = int(m["weeks"])
        if 4 <= weeks <= 42 and _PREGNANT.search(near) and _PREGNANT.search(text):
            name = "first" if weeks < 14 else "second" if weeks < 28 else "third"
            return (name, "trimester")
    return ()


_STEMS: dict[int, str] = {}
_MOST_STEMS = 200_000


def _stem_of(value: int, strings: StringStore) -> str:
    """The stem of a token by its hash; words come again and again."""
    found = _STEMS.get(value)
    if found is None:
        found = stem(strings[value])
        if len(_STEMS) < _MOST_STEMS:
            _STEMS[value] = found
    return found


@cache
def _comma_hashes() -> np.ndarray:
    return np.array([hash_string(","), hash_string(";")], dtype=np.uint64)


class AttributeContext:
    """For one document, the words that qualify each mention.

    ``first_visit``: active treatment, as in an emergency department, whatever the note says of healing or follow-up
    (guideline I.C.19.a).
    """

    def __init__(self, doc: Doc, first_visit: bool = False) -> None:
        self._doc = doc
        self._notes: Annotations = annotations_of(doc)
        self._attributes = find_attributes(doc)
        self._at = [a.start for a in self._attributes]
        self._sides = [a for a in self._attributes if a.kind == "laterality"]
        self._side_at = [a.start for a in self._sides]
        self._sentence: list[int] = self._notes.sentence.tolist()
        later = frozenset() if first_visit else self._encounter()
        self._note_words = frozenset(gestation(self._notes.text)) | later | self._depth()
        self._sentence_words: dict[int, frozenset[str]] = {}
        self._organ_sides: dict[str, set[frozenset[str]]] | None = None
        self._comma_count: list[int] | None = None

    def _encounter(self) -> frozenset[str]:
        """Whether the note as a whole is about a later visit or a late effect."""
        counts = {"subsequent": 0, "sequela": 0}
        for a in self._attributes:
            if a.kind == "encounter":
                section = self._notes.sections[self._notes.section[a.start]].kind
                if section in ("instructions", "plan", "disposition"):
                    continue
                word = a.words[0]
                if (
                    word == "subsequent"
                    and section == "assessment_plan"
                    and self._doc[a.start].lower_.startswith("follow")
                ):
                    continue
                counts[word] += 1
        if counts["sequela"]:
            return frozenset({"sequela"})
        return frozenset({"subsequent"}) if counts["subsequent"] else frozenset()

    def _depth(self) -> frozenset[str]:
        """How deep the ulcer is, where the note says it of one ulcer only."""
        found = {a.words for a in self._attributes if a.kind == "depth"}
        return frozenset(found.pop()) if len(found) == 1 else frozenset()

    def words(self, start: int, end: int) -> frozenset[str]:
        """Words near the tokens ``start`` to ``end`` that may choose a leaf: those of the sentence, the
        attributes in it, the nearest side, and what holds for the whole note."""
        sentence = self._sentence[start]
        words = self._sentence_words.get(sentence)
        if words is None:
            words = self._sentence_words[sentence] = self._words_of(sentence)
        return words | self.sides(start, end)

    def sides(self, start: int, end: int) -> frozenset[str]:
        """The side stated nearest to the tokens within their sentence, if any."""
        sentence = self._sentence[start]
        low, high = bisect_left(self._side_at, start - _SIDE_REACH), bisect_left(self._side_at, end + _SIDE_REACH)
        best: tuple[float, tuple[str, ...]] | None = None
        for a in self._sides[low:high]:
            if self._sentence[a.start] != sentence:
                continue
            if start <= a.start < end:
                distance = -1.0
            elif a.end <= start:
                distance = start - a.end
            else:
                distance = (a.start - end) + 0.5
            commas = self._commas(min(a.end, end), max(a.start, start))
            distance += 4 * commas
            if best is None or distance < best[0]:
                best = (distance, a.words)
        return frozenset(best[1]) if best is not None else frozenset()

    def side_of(self, organ: frozenset[str]) -> frozenset[str]:
        """The side that the document gives to one of these words ("right upper hip"), if it gives one side only."""
        if self._organ_sides is None:
            self._organ_sides = self._find_organ_sides()
        found = {side for word in organ for side in self._organ_sides.get(word, ())}
        return found.pop() if len(found) == 1 else frozenset()

    def _find_organ_sides(self) -> dict[str, set[frozenset[str]]]:
        sides: dict[str, set[frozenset[str]]] = {}
        for a in self._attributes:
            if a.kind == "laterality":
                for token in self._doc[a.end : a.end + 3]:
                    if token.is_punct or token.is_space:
                        break
                    sides.setdefault(_stem_of(token.lower, self._doc.vocab.strings), set()).add(frozenset(a.words))
        return sides

    def _commas(self, low: int, high: int) -> int:
        if high <= low:
            return 0
        if self._comma_count is None:
            comma, semicolon = _comma_hashes()
            marks = (self._notes.lower == comma) | (self._notes.lower == semicolon)
            self._comma_count = [0, *np.cumsum(marks).tolist()]
        return self._comma_count[high] - self._comma_count[low]

    def _words_of(self, sentence: int) -> frozenset[str]:
        low, high = bisect_left(self._sentence, sentence), bisect_right(self._sentence, sentence)
        strings = self._doc.vocab.strings
        words = {_stem_of(h, strings) for h in self._notes.lower[low : min(high, low + 80)].tolist()}
        words -= _SIDES
        for a in self._attributes[bisect_left(self._at, low) : bisect_left(self._at, high)]:
            if a.kind not in ("laterality", "encounter"):
                words.update(a.words)
        return self._note_words.union(words)


@Language.factory("codeassist_attributes")
def make_attributes(nlp: Language, name: str) -> AttributeFinder:
    """The attribute finder as a spaCy component."""
    return AttributeFinder()

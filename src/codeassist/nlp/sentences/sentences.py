"""The sentence splitter.

A sentence ends at a full stop, question or exclamation mark before a blank and something that can begin
a sentence; at a line's end, unless the line is wrapped; and before an item of a numbered list.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from spacy.attrs import SENT_START
from spacy.language import Language
from spacy.tokens import Doc

from codeassist.nlp.annotations import annotations_of

_STOP = re.compile(r"([.!?](?<![.!?]{2})[.!?]*+)[\"')\]]*+[ \t,]++(?=[A-Z0-9\"'(\[•*#>-])")
_LINE = re.compile(r"[\r\n][ \t\r\n]*+")
_ITEM = re.compile(r"\d\d?[.)](?=\s++[A-Za-z\"'(])")
_LONGEST_WORD = 40
_WRAPPED_FROM = 55
"""A line at least this long, in characters, may go on in the next one."""


@cache
def _abbreviations() -> frozenset[str]:
    text = (resources.files(__package__) / "abbreviations.txt").read_text(encoding="utf-8")
    return frozenset(line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))


def sentence_starts(text: str) -> tuple[list[int], list[int]]:
    """Offsets at which sentences begin, and those at which lines begin.

    >>> sentence_starts("BP 4.5 mg b.i.d. given. Pt. has DM.\\n1. HTN 2. Gout")[0]
    [0, 24, 36, 43]
    """
    starts = {0}
    lines = {0}
    length = len(text)
    previous = 0
    for m in _LINE.finditer(text):
        lines.add(m.end())
        line_end = previous + len(text[previous : m.start()].rstrip(" \t,"))
        if m.end() < length and not _wrapped(text, previous, line_end, m.end()):
            starts.add(m.end())
        previous = m.end()
    abbreviations = _abbreviations()
    previous = 0
    for m in _STOP.finditer(text):
        if m[1] == ".":
            written = _last_word(text, previous, m.start())
            at = m.start() - len(written)
            word = written.lower().lstrip("(\"'[")
            if word in abbreviations or (len(word) == 1 and word.isalpha()):
                previous = m.end()
                continue
            numbers = word.isdigit() and len(word) <= 2 and (at == 0 or text[at - 1] in "\n ,")
            if numbers and not _needs_number(text, at):
                previous = m.end()
                continue  # the number of a list item; the item itself is a boundary
        previous = m.end()
        starts.add(previous)
    for m in _ITEM.finditer(text):
        at = m.start() - (text[m.start() - 1 : m.start()] == "(")
        if at and (text[at - 1].isspace() or text[at - 1] in ",;:)") and not _needs_number(text, at):
            starts.add(at)
    return sorted(starts), sorted(lines)


def _last_word(text: str, start: int, end: int) -> str:
    """What stands directly before ``end``, back to a blank, to ``start``, or as far as a word is long."""
    near = text[max(start, end - _LONGEST_WORD) : end]
    return near.split()[-1] if near and not near[-1].isspace() else ""


def _needs_number(text: str, at: int) -> bool:
    """Whether the word before ``at`` is one that a number follows ("type 2.")."""
    return text[max(0, at - 12) : at].rstrip().lower().endswith(_NUMBER_FOLLOWS)


_NUMBER_FOLLOWS = ("type", "stage", "grade", "class", "for", "of", "in", "day", "age", "x", "level", "to", "than")


def _wrapped(text: str, line_start: int, line_end: int, next_start: int) -> bool:
    if line_end - line_start < _WRAPPED_FROM or "\n" in text[line_end:next_start].replace("\r\n", "\n").replace(
        "\n", "", 1
    ):
        return False
    return text[line_end - 1] not in ".:;!?" and text[next_start].islower()


class SentenceSplitter:
    """spaCy component that numbers sentences and lines, and with ``spans`` sets spaCy's sentence boundaries."""

    def __init__(self, spans: bool = True) -> None:
        self._spans = spans

    def __call__(self, doc: Doc) -> Doc:
        notes = annotations_of(doc)
        n = len(notes)
        if not n:
            return doc
        starts, lines = sentence_starts(notes.text)
        first = np.zeros(n, dtype=bool)
        tokens = np.searchsorted(notes.start, starts)
        first[tokens[tokens < n]] = True
        first[0] = True
        notes.sentence = np.cumsum(first, dtype=np.int32) - 1
        at = np.zeros(n + 1, dtype=np.int32)
        np.add.at(at, np.searchsorted(notes.start, lines), 1)
        notes.line = np.cumsum(at[:n], dtype=np.int32) - 1
        if not self._spans:
            return doc
        starts_here: Any = np.where(first, 1, -1).astype(np.int64).reshape(-1, 1).astype(np.uint64)
        doc.from_array([SENT_START], starts_here)
        return doc


@Language.factory("codeassist_sentences", assigns=["token.is_sent_start", "doc.sents"])
def make_sentences(nlp: Language, name: str) -> SentenceSplitter:
    """The sentence splitter as a spaCy component."""
    return SentenceSplitter()

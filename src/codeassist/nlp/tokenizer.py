"""The tokenizer: spaCy's English one, with hyphens between letters and digits split as well."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import compile_infix_regex

_INFIXES = (
    r"(?<=[A-Za-z0-9])[-–—/+&](?=[A-Za-z0-9])",
    r"(?<=[a-z])[.,;:](?=[A-Z(])",
    r"(?<=[0-9A-Za-z)])[,;:](?=[A-Za-z])",
    r"(?<=[A-Za-z0-9)])\.(?=,)",
    r"(?<=\.),(?=\w)",
    r"(?<=[A-Z]{2})\.(?=[A-Z0-9])",
    r"(?<=[a-z]{3})\.(?=\d)",
    r"(?<=\d)[.)](?=[A-Za-z]{3})",
)

_MOST_REMEMBERED = 10_000
"""How many words of the notes read so far are split only once: as many as spaCy's tokenizer remembers."""
_LONGEST_WORD = 100
_PIECE = re.compile(rf"\S{{1,{_LONGEST_WORD}}} ?")
_LONG_WORD = re.compile(rf"\S{{{_LONGEST_WORD + 1},}} ?")


class Tokenizer:
    """Makes a :class:`~spacy.tokens.Doc` of a text.

    spaCy's tokenizer remembers how it split a word, but not after the first contraction of a text ("don't"), so that
    the same words would be split again in every note. Here each word is split once by itself.
    """

    def __init__(self) -> None:
        self._nlp = blank_english()
        self._seen: set[str] = set()

    def __call__(self, text: str) -> Doc:
        new = set(text.split()) - self._seen
        if new and max(map(len, new)) > _LONGEST_WORD:
            return self._in_pieces(text)
        if new and len(self._seen) < _MOST_REMEMBERED:
            for word in new:
                self._nlp.tokenizer(word)
            self._seen |= new
        return self._nlp.make_doc(text)

    def _in_pieces(self, text: str) -> Doc:
        """The same for a text with very long words, which spaCy's tokenizer would take the square of their length for:
        they are cut before they are split."""
        pieces, reached = [], 0
        for found in _LONG_WORD.finditer(text):
            pieces.append(text[reached : found.start()])
            pieces += _PIECE.findall(found[0])
            reached = found.end()
        docs = [self._nlp.tokenizer(piece) for piece in (*pieces, text[reached:]) if piece]
        words = [token.text for doc in docs for token in doc]
        return Doc(self._nlp.vocab, words, [bool(token.whitespace_) for doc in docs for token in doc])


def blank_english() -> Language:
    """``spacy.blank("en")`` with the infixes that clinical text needs ("COVID-19", "L4-L5", "CHF.,2.", "2)HTN")."""
    nlp = spacy.blank("en")
    infixes = [*(nlp.Defaults.infixes or []), *_INFIXES]
    tokenizer: Any = nlp.tokenizer
    tokenizer.infix_finditer = compile_infix_regex(infixes).finditer
    nlp.max_length = 20_000_000
    return nlp


@cache
def shared_english() -> Language:
    """One tokenizer for the whole process."""
    return blank_english()

"""The tokenizer: spaCy's English one, with hyphens between letters and digits split as well."""

from __future__ import annotations

import re
from functools import cache

from spacy.lang.en import English, EnglishDefaults
from spacy.language import Language
from spacy.tokens import Doc

_INFIXES = [
    *(EnglishDefaults.infixes or []),
    r"(?<=[A-Za-z0-9])[-–—/+&](?=[A-Za-z0-9])",
    r"(?<=[a-z])[.,;:](?=[A-Z(])",
    r"(?<=[0-9A-Za-z)])[,;:](?=[A-Za-z])",
    r"(?<=[A-Za-z0-9)])\.(?=,)",
    r"(?<=\.),(?=\w)",
    r"(?<=[A-Z]{2})\.(?=[A-Z0-9])",
    r"(?<=[a-z]{3})\.(?=\d)",
    r"(?<=\d)[.)](?=[A-Za-z]{3})",
]

_MOST_REMEMBERED = 10_000
"""How many words of the notes read so far are split only once: as many as spaCy's tokenizer remembers."""
_LONGEST_WORD = 100
_PIECE = re.compile(rf"\S{{1,{_LONGEST_WORD}}} ?")
_LONG_WORD = re.compile(rf"\S{{{_LONGEST_WORD + 1},}} ?")


class ClinicalEnglish(English):  # type: ignore[no-untyped-call]
    """spaCy's English with the infixes that clinical text needs ("COVID-19", "L4-L5", "CHF.,2.", "2)HTN")."""

    class Defaults(EnglishDefaults):
        """What spaCy makes the tokenizer of."""

        infixes = _INFIXES


class Tokenizer:
    """Makes a :class:`~spacy.tokens.Doc` of a text.

    spaCy's tokenizer remembers how it split a word, but not after the first contraction of a text ("don't"), so that
    the same words would be split again in every note. Here each word is split once by itself.
    """

    def __init__(self) -> None:
        self._nlp = shared_english()
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


@cache
def shared_english() -> Language:
    """One tokenizer for the whole process."""
    return blank_english()


def blank_english() -> Language:
    """:class:`ClinicalEnglish` without components, for texts of up to 20,000,000 characters."""
    return ClinicalEnglish(max_length=20_000_000)

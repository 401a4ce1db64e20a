"""Unspecified ICD-10-CM codes: how far the hierarchy that they leave open reaches, and the words that would choose a
more specific code there (guidelines I.B.2 and I.B.18)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from codeassist.terminology.codes import UNTITLED, Code
from codeassist.terminology.laterality import UNSPECIFIED
from codeassist.terminology.layout import IndexWriter, Strings
from codeassist.terminology.words import content_stems

_UNSPECIFIED = re.compile(r"\bunspecified\b", re.I)
_UNCOMPLICATED = re.compile(r"\b(?:without complications?|uncomplicated)\b", re.I)
_ABSENT = re.compile(r"\b(?:without|not) [^,;]*?(?=,|;|$| with(?:out)? )", re.I)
_PARENTHESES = re.compile(r"\s*[\[(][^\])]*[\])]")
_OTHER = re.compile(r"\bother\b|\bnot elsewhere classified\b|\bdiseases classified elsewhere\b", re.I)
_FREE = frozenset(
    "unspecified specified type site part side nos degree severity stage uncomplicated disease disorder condition form "
    "initial encounter closed routine healing due unilateral left right bilateral".split()
)
_EXTERNAL = "VWXY"
_MOST_WORDS = 4
_STAGE = frozenset({"stage"})
"""A bare number chooses nothing unless the text says of what."""
_SIDED = frozenset({"left", "right", "bilateral"})


@dataclass(frozen=True, slots=True)
class Vague:
    """By row: ``scope``, the length of the key prefix under which an unspecified code could have been specific (0: the
    code is not unspecified). ``pointer`` leads to the codes under it that words choose: ``row``, with ``words`` (stems
    with blanks between)."""

    scope: np.ndarray
    pointer: np.ndarray
    row: np.ndarray
    words: Strings

    def options(self, row: int) -> Iterator[tuple[int, frozenset[str]]]:
        """More specific codes for an unspecified one, each with the stems that a text must hold."""
        for i in range(int(self.pointer[row]), int(self.pointer[row + 1])):
            yield int(self.row[i]), frozenset(self.words[i].split())


def write_vague(writer: IndexWriter, codes: Sequence[Code], side: np.ndarray) -> None:
    """Write the arrays of :class:`Vague`; ``side`` is that of :class:`~codeassist.terminology.laterality.Sides`."""
    scopes = _scopes(codes, side)
    starts = {code.key: row for row, code in enumerate(codes) if code.system == "icd-10-cm"}
    pointer, rows, words = [0], [], []
    for row, code in enumerate(codes):
        if scopes[row] and not code.expanded:
            for other, needed in _options(codes, scopes, row, starts.get(code.key[: scopes[row]], row)):
                rows.append(other)
                words.append(" ".join(sorted(needed)))
        pointer.append(len(rows))
    writer.array("vague_scope", scopes)
    writer.array("vague_pointer", np.array(pointer, dtype=np.int32))
    writer.array("vague_row", np.array(rows, dtype=np.int32))
    writer.strings("vague_words", words)


def _scopes(codes: Sequence[Code], side: np.ndarray) -> np.ndarray:
    """The prefix lengths: the nearest category above that is not itself "unspecified"."""
    title = {code.key: code.title for code in codes if code.system == "icd-10-cm"}
    parent = {code.key: code.parent for code in codes if code.system == "icd-10-cm"}
    out = np.zeros(len(codes), dtype=np.uint8)
    for row, code in enumerate(codes):
        if code.system != "icd-10-cm" or not code.billable or code.key[0] in _EXTERNAL:
            continue
        open_words = len(_UNSPECIFIED.findall(code.title))
        open_words -= bool(side[row] == UNSPECIFIED) and "unspecified" in code.title.lower()
        if not open_words and not _UNCOMPLICATED.search(code.title):
            continue
        above = parent.get(code.key)
        while above in parent and len(above) > 3 and (_UNSPECIFIED.search(title[above]) or len(above) > 6):
            above = parent[above]
        if above in parent and 3 <= len(above) < len(code.key):
            out[row] = len(above)
    return out


def _options(codes: Sequence[Code], scopes: np.ndarray, row: int, first: int) -> Iterator[tuple[int, frozenset[str]]]:
    scope = codes[row].key[: scopes[row]]
    own = frozenset(_stems(codes[row].title))
    sided = own & _SIDED
    for other in range(first, len(codes)):
        code = codes[other]
        if code.system != "icd-10-cm" or not code.key.startswith(scope):
            return
        if other == row or not code.billable or code.expanded or code.title == UNTITLED or _OTHER.search(code.title):
            continue
        if code.last < codes[row].last or 0 < scopes[other] < scopes[row]:
            continue
        words = frozenset(_stems(code.title))
        needed = words - own - _FREE
        if (words & _SIDED) == sided and 0 < len(needed) <= _MOST_WORDS:
            yield other, needed | (_STAGE & words) if any(w.isdigit() for w in needed) else needed


def _stems(title: str) -> list[str]:
    return content_stems(_ABSENT.sub(" ", _PARENTHESES.sub(" ", title)))

"""Escape sequences of text fields, both ways: hl7apy leaves them as they are, and python-hl7 knows a part of them.

Source: HL7 v2.8.2, chapter 2, section 2.7 (use of escape sequences in text fields).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_NUMBER = re.compile(r"\.(sp|sk|in|ti)([+-]?\d{1,3})?")
_HEX = re.compile(r"X((?:[0-9A-Fa-f]{2})+)")
_DROPPED = re.compile(r"[HN]|\.fi|\.nf|Z.*|C[0-9A-Fa-f]{4}|M[0-9A-Fa-f]{4,6}")
"""Highlighting, filling, a site's own sequences, and switches of character sets, which text in one set has none of."""


@dataclass(frozen=True, slots=True)
class Delimiters:
    """The characters that a message says in MSH-1 and MSH-2."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"

    @property
    def names(self) -> Mapping[str, str]:
        """The delimiters by the letters of their escape sequences."""
        return {
            "F": self.field,
            "S": self.component,
            "T": self.subcomponent,
            "R": self.repetition,
            "E": self.escape,
            "P": "#",
        }


def unescape(text: str, delimiters: Delimiters, codec: str) -> str:
    """The text that a field stands for. What is no sequence of the standard stays as it is.

    >>> unescape("A /T/ B/.br//X43/", Delimiters(escape="/"), "utf-8")
    'A & B\\nC'
    """
    if delimiters.escape not in text:
        return text
    return "".join(_pieces(text, delimiters, codec))


def escape(text: str, delimiters: Delimiters | None = None) -> str:
    """The text as a field holds it; an end of line becomes ``\\.br\\``.

    >>> escape("A & B|C")
    'A \\\\T\\\\ B\\\\F\\\\C'
    """
    chosen = delimiters or Delimiters()
    by_character = {character: name for name, character in chosen.names.items() if name != "P"}
    mark = chosen.escape
    out = (f"{mark}{by_character[c]}{mark}" if c in by_character else c for c in text.replace("\r\n", "\n"))
    return "".join(out).replace("\n", f"{mark}.br{mark}").replace("\r", f"{mark}.br{mark}")


def _pieces(text: str, delimiters: Delimiters, codec: str) -> Iterator[str]:
    mark, at = delimiters.escape, 0
    while (begin := text.find(mark, at)) >= 0:
        yield text[at:begin]
        end = text.find(mark, begin + 1)
        meant = None if end < 0 else _meaning(text[begin + 1 : end], delimiters, codec)
        if meant is None:
            yield mark
            at = begin + 1
        else:
            yield meant
            at = end + 1
    yield text[at:]


def _meaning(sequence: str, delimiters: Delimiters, codec: str) -> str | None:
    """What one sequence stands for, or ``None`` when the standard has no such sequence."""
    if sequence in delimiters.names:
        return delimiters.names[sequence]
    if sequence in (".br", ".ce"):
        return "\n"
    if found := _NUMBER.fullmatch(sequence):
        kind, count = found[1], max(int(found[2] or 1), 0)
        return "\n" * count if kind == "sp" else " " * (0 if kind == "in" else count)
    if found := _HEX.fullmatch(sequence):
        return bytes.fromhex(found[1]).decode(codec, "replace")
    return "" if _DROPPED.fullmatch(sequence) else None

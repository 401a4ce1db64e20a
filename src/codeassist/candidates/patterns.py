"""Patterns of procedure codes in the lexicon: ``0SR{C=right|D=left}0J{9=cemented|A=uncemented|Z}`` in ICD-10-PCS,
``735{62=3|64=4,5|60}`` (knee films by the number of views) in CPT."""

from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import dataclass
from functools import lru_cache

_PART = re.compile(r"\{([^}]*)\}")


@dataclass(frozen=True, slots=True)
class CharacterChoice:
    """One character of a code that a pattern came to: its place from 1, its value, and the words of the note that chose
    it. Without words it belongs to the procedure's name (``fixed``) or stands for what the note leaves unsaid."""

    place: int
    value: str
    words: str = ""
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class PatternChoice:
    """The value that a pattern came to, the words that chose, and what was left open."""

    code: str
    matched: tuple[str, ...]
    open: tuple[str, ...]
    characters: tuple[CharacterChoice, ...] = ()


@lru_cache(maxsize=4096)
def _parse(pattern: str) -> tuple[str | tuple[tuple[str, tuple[frozenset[str], ...]], ...], ...]:
    parts: list[str | tuple[tuple[str, tuple[frozenset[str], ...]], ...]] = []
    for i, piece in enumerate(_PART.split(pattern)):
        if i % 2 == 0:
            parts.append(piece)
            continue
        options = []
        for option in piece.split("|"):
            value, _, cues = option.partition("=")
            options.append((value.strip(), tuple(frozenset(c.lower().split()) for c in cues.split(",") if c.strip())))
        parts.append(tuple(options))
    return tuple(parts)


def pattern_system(code: str) -> str:
    """The system of a code that a pattern came to: seven characters are ICD-10-PCS, five digits CPT, else HCPCS."""
    return "icd-10-pcs" if len(code) == 7 else "cpt" if code[:1].isdigit() else "hcpcs"


def resolve_pattern(pattern: str, words: Set[str]) -> PatternChoice | None:
    """The code that ``words`` choose, or ``None`` when a character without default stays open.

    >>> resolve_pattern("0DTJ{4=laparoscopic|0}ZZ", {"laparoscopic", "appendectomy"}).code
    '0DTJ4ZZ'
    >>> resolve_pattern("0SR{C=right|D=left}0JZ", {"knee"}) is None
    True
    """
    code, matched, left_open = "", [], []
    characters: list[CharacterChoice] = []
    for part in _parse(pattern):
        if isinstance(part, str):
            characters += [CharacterChoice(len(code) + i, value, fixed=True) for i, value in enumerate(part, 1)]
            code += part
            continue
        said = ""
        default = None
        chosen = None
        for value, cues in part:
            if not cues:
                default = value
            elif chosen is None:
                hit = next((c for c in cues if c <= words), None)
                if hit is not None:
                    chosen = value
                    said = " ".join(sorted(hit))
                    matched.append(said)
        if chosen is None:
            if default is None:
                return None
            chosen = default
            left_open.append("/".join(" ".join(sorted(c)) for _, cues in part for c in cues[:1]))
        characters += [CharacterChoice(len(code) + i, value, said) for i, value in enumerate(chosen, 1)]
        code += chosen
    return PatternChoice(code, tuple(matched), tuple(left_open), tuple(characters))

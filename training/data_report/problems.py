"""What a data report lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from codeassist.choice import dotted

Level = Literal["error", "warning", "info"]
KINDS: dict[str, tuple[Level, str]] = {
    "unreadable": ("error", "lines and files that can't be read as audited notes"),
    "empty": ("error", "notes without text"),
    "invalid-date": ("error", "codes that are not valid on the note's date"),
    "category": ("error", "categories, which need more characters to be billed"),
    "unknown-code": ("error", "codes that are in no edition held"),
    "evidence": ("error", "evidence that is not in the text, or not what it quotes"),
    "leak": ("error", "test notes that are, or nearly are, among the notes to train on"),
    "personal-data": ("error", "personal data: dates of birth, telephone and record numbers, addresses"),
    "no-codes": ("warning", "notes without codes"),
    "repeated-code": ("warning", "codes that a note has more than once"),
    "duplicate": ("warning", "notes that stand there more than once"),
    "near-duplicate": ("warning", "notes that are nearly the same as another"),
    "conflict": ("warning", "the same text, coded differently"),
    "name": ("warning", "names of people"),
    "likely-wrong": ("warning", "codes that nothing supports, the likeliest errors first"),
    "likely-missing": ("info", "codes that seem to be missing, the likeliest first"),
    "not-held": ("info", "CPT and HCPCS codes beyond the catalogues held: import the full ones to check them"),
    "not-covered": ("info", "notes of a day for which no edition is held: checked by the nearest one"),
    "one-example": ("info", "codes that only one note has"),
}
"""Every kind of problem with its level and what it is, in the order of the report."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem, where it stands, and what is to be said of it. ``score`` ranks those that are only likely."""

    kind: str
    file: str
    line: int
    note: str
    message: str
    score: float | None = None

    @property
    def level(self) -> Level:
        """How much it matters: ``--strict`` stops on errors."""
        return KINDS[self.kind][0]


def written(system: str, key: str) -> str:
    """A code with its system, as a report names it.

    >>> written("icd-10-cm", "E1122")
    'icd-10-cm E11.22'
    """
    return f"{system} {dotted(system, key)}"

"""What an encounter lacks before it can be coded in full: documents, results that are not back, facts of the
patient."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from api.reviews.tables import read_table
from codeassist.note import Document, Note

FEW_WORDS = r"(?:[\w'/-]+[ \t]+){0,4}"
MOST_PENDING = 5
"""How many results that are not back are named."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that is missing. The span, where there is one, is what the note says of it."""

    kind: str
    message: str
    document: str | None = None
    start: int | None = None
    end: int | None = None
    text: str | None = None


def missing_of(note: Note, result: Mapping[str, Any], dated: bool = True) -> list[Gap]:
    """What is missing for a visit of this setting. ``dated`` is false when the date of service was not given."""
    return [*_facts(note, dated), *_documents(note, result), *_pending(note)]


def gap_record(gap: Gap) -> dict[str, Any]:
    """A gap as JSON; what is unknown is left out."""
    names = ("kind", "message", "document", "start", "end", "text")
    return {name: getattr(gap, name) for name in names if getattr(gap, name) is not None}


def _facts(note: Note, dated: bool) -> Iterator[Gap]:
    if not dated:
        yield Gap("date", "The date of service was not given: the day on which the note came in is taken.")
    if note.patient.age is None:
        yield Gap("age", "The patient's age is not given: what depends on it is not checked.")
    if note.patient.sex is None:
        yield Gap("sex", "The patient's sex is not given: what depends on it is not checked.")


def _documents(note: Note, result: Mapping[str, Any]) -> Iterator[Gap]:
    for setting, kind, when, message in read_table("required.tsv", 4):
        if setting != note.setting or not _applies(when, note, result):
            continue
        if not any(_is_a(kind, part, note) for part in note.parts):
            yield Gap(kind, message)


def _applies(when: str, note: Note, result: Mapping[str, Any]) -> bool:
    if when == "several":
        return len(note.parts) > 1
    if when == "procedure":
        proposed = any(s["system"] == "icd-10-pcs" and s["tier"] == "code" for s in result["suggestions"])
        return proposed or any(_procedure().search(part.text) for part in note.parts)
    return True


def _is_a(kind: str, part: Document, note: Note) -> bool:
    named = (part.note_type or note.note_type or "").lower().replace("_", " ").replace("-", " ")
    types, headings = _known_by(kind)
    return any(word in named for word in types) or headings.search(part.text) is not None


def _pending(note: Note) -> Iterator[Gap]:
    named = 0
    for part in note.parts:
        for found in _pending_words().finditer(part.text):
            if named == MOST_PENDING:
                return
            named += 1
            quote = " ".join(found.group().split())
            document = part.id if note.documents else None
            yield Gap(
                "result", f"A result is not back: “{quote}”.", document, found.start(), found.end(), found.group()
            )


@cache
def _known_by(kind: str) -> tuple[tuple[str, ...], re.Pattern[str]]:
    rows = [(by, words) for name, by, words in read_table("documents.tsv", 3) if name == kind]
    headings = "|".join(re.escape(words) for by, words in rows if by == "heading")
    return tuple(words for by, words in rows if by == "type"), re.compile(rf"(?im)^[ \t#*]*(?:{headings})")


@cache
def _procedure() -> re.Pattern[str]:
    return re.compile(rf"(?i)\b(?:{'|'.join(re.escape(cue) for (cue,) in read_table('procedures.tsv', 1))})\b")


@cache
def _pending_words() -> re.Pattern[str]:
    rows = read_table("pending.tsv", 2)
    results = "|".join(re.escape(words) for kind, words in rows if kind == "result")
    result = rf"(?:{results})(?:s|es)?"
    patterns = [_pattern(words, result) for kind, words in rows if kind == "pending"]
    return re.compile(rf"(?i)\b(?:{'|'.join(patterns)})\b")


def _pattern(words: str, result: str) -> str:
    """The words of a row, with what its placeholders stand for."""
    pattern = re.escape(words).replace(r"\{result\}\ ", rf"{result}:?[ \t]+").replace(r"\{result\}", result)
    return pattern.replace(r"\{\}\ ", FEW_WORDS).replace(r"\ ", r"[ \t]+")

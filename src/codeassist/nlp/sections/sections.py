"""Finds headings in their own line, in upper case, or inline before a colon."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc

from codeassist.nlp.annotations import Section, annotations_of

_LINE_HEADING = re.compile(
    r"^[ \t]*(?:[•*#>\-–]+[ \t]*)?(?:\d{1,2}[.)][ \t]*|[IVX]{1,4}\.[ \t]+)?\**"
    r"(?P<title>[A-Za-z][A-Za-z0-9 /&',()\-+]{0,60}?)\**[ \t]*(?P<end>:|--?[ \t]|$)",
    re.M,
)
_INLINE_HEADING = re.compile(
    r"(?:(?<=[.;,!?)\]])|(?<=[a-z0-9] ) |(?<=  ))[ \t]*+(?P<title>[A-Z][A-Za-z0-9 /&'()\-]{1,45}?)[ \t]*:"
)
_LONGEST = 120
"""Characters before a colon in which its heading is looked for."""
_COMMA_HEADING = re.compile(r"(?P<title>[A-Z][A-Z /&'()\-]{3,45}?) *,(?= *[0-9A-Z])")
"""A heading in capitals before a comma: transcription exports that write line breaks as commas."""
_TRAILING = re.compile(r"\s*\([^)]*\)\s*$")
_SYSTEMS = frozenset(
    "general constitutional heent head eyes ears nose throat neck cardiovascular cardiac cv heart respiratory lungs "
    "chest pulmonary resp gastrointestinal abdomen gi genitourinary gu musculoskeletal msk skin integumentary "
    "neurological neurologic neuro psychiatric psych extremities back endocrine hematologic lymphatic "
    "immunologic breast breasts pelvis rectal".split()
)
_TESTS = frozenset({"ct", "mri", "ekg", "ecg", "ultrasound", "vs", "tobacco", "alcohol", "history", "social"})
_NO_MORE: Mapping[str, str] = MappingProxyType({})
_SINGLE_LETTER = {"s": "hpi", "o": "exam", "a": "assessment", "p": "plan"}


@cache
def heading_kinds() -> dict[str, str]:
    """Heading in lower case to the kind of section that it opens."""
    kinds: dict[str, str] = {}
    text = (resources.files(__package__) / "headings.tsv").read_text(encoding="utf-8")
    for line in text.splitlines():
        if not line or line.startswith("#") or line.startswith("kind\t"):
            continue
        kind, _, headings = line.partition("\t")
        for heading in headings.split("|"):
            kinds[heading.strip()] = kind
    return kinds


def find_sections(text: str, more: Mapping[str, str] = _NO_MORE) -> list[Section]:
    """The sections of a text in order; what stands before the first heading is of kind ``other``.

    ``more`` are headings of a site's own, in lower case, with the kind that each opens: they go before ours.

    >>> [s.kind for s in find_sections("HPI: cough. Family History: asthma. Assessment and Plan: 1. Flu")]
    ['hpi', 'family', 'assessment_plan']
    """
    kinds = {**heading_kinds(), **more} if more else heading_kinds()
    heads: dict[int, tuple[int, str, str]] = {}
    for m in _LINE_HEADING.finditer(text):
        found = _kind(m["title"], kinds)
        if found is None and m["end"] == "" and _own_line_upper(m["title"]):
            found = "other"
        if found is None or (m["end"] != ":" and not _stands_alone(m["title"], m["end"], found)):
            continue
        heads[m.start("title")] = (m.end(), found, m["title"])
    for m in _inline_headings(text):
        found = _kind(m["title"], kinds)
        if found is not None and m["title"].lower() not in _TESTS and len(m["title"]) > 1:
            heads.setdefault(m.start("title"), (m.end(), found, m["title"]))
    for m in _COMMA_HEADING.finditer(text):
        found = _kind(m["title"], kinds)
        if found is not None and len(m["title"]) > 3 and _after_mark(text, m.start()):
            heads.setdefault(m.start("title"), (m.end(), found, m["title"]))
    sections: list[Section] = []
    order = sorted(heads)
    if not order or text[: order[0]].strip():
        sections.append(Section("other", "", 0, 0, order[0] if order else len(text)))
    for i, start in enumerate(order):
        body, kind, title = heads[start]
        end = order[i + 1] if i + 1 < len(order) else len(text)
        kind = _inherit(kind, title, sections)
        sections.append(Section(kind, title, start, min(body, end), end))
    return sections


def _inline_headings(text: str) -> Iterator[re.Match[str]]:
    """Matches of what may be a heading before a colon; looking back from each colon keeps this linear."""
    reached = 0
    colon = text.find(":")
    while colon >= 0:
        low = max(reached, colon - _LONGEST)
        m = _INLINE_HEADING.search(text, max(low, text.rfind("\n", low, colon)), colon + 1)
        if m is not None:
            yield m
        reached = colon + 1
        colon = text.find(":", reached)


def _after_mark(text: str, at: int) -> bool:
    """Whether what stands before ``at``, blanks aside, is a mark or the line's beginning."""
    before = text[max(0, at - _LONGEST) : at].rstrip(" ")[-1:]
    return before in ".,;:\n"


def _kind(title: str, kinds: dict[str, str]) -> str | None:
    name = " ".join(title.lower().split()).strip(" '-")
    kind = kinds.get(name) or kinds.get(_TRAILING.sub("", name)) or kinds.get(name.replace("-", " "))
    return kind


def _own_line_upper(title: str) -> bool:
    words = title.split()
    return title.isupper() and len(title) > 3 and len(words) <= 6


def _stands_alone(title: str, end: str, kind: str) -> bool:
    """A heading without a colon must look like one: in capitals, or a known title in title case on its own line."""
    if end == "":
        return (kind != "other" and (title.isupper() or title[0].isupper())) or title.isupper()
    return title.isupper()


def _inherit(kind: str, title: str, before: list[Section]) -> str:
    """Sub-headings stay in the section that holds them: a body system in the examination, a plan in the assessment."""
    if not before:
        return kind
    previous = before[-1].kind
    if kind == "instructions" and previous in ("assessment_plan",) and "education" in title.lower():
        return previous
    inner = kind == "plan" or (kind in ("imaging", "medications", "maintenance") and not title.isupper())
    if inner and previous == "assessment_plan":
        return previous
    return kind


class Sectionizer:
    """spaCy component: fills the section of each token, and with ``spans`` also ``doc.spans["sections"]``."""

    def __init__(self, spans: bool = True, more: Mapping[str, str] = _NO_MORE) -> None:
        self._spans, self._more = spans, more

    def __call__(self, doc: Doc) -> Doc:
        notes = annotations_of(doc)
        if not len(notes):
            return doc
        notes.sections = find_sections(notes.text, self._more)
        starts = np.array([s.start for s in notes.sections])
        notes.section = np.maximum(np.searchsorted(starts, notes.start, side="right") - 1, 0).astype(np.int32)
        if self._spans:
            doc.spans["sections"] = [
                span
                for s in notes.sections
                if (span := doc.char_span(s.start, s.end, label=s.kind, alignment_mode="expand")) is not None
            ]
        return doc


@Language.factory("codeassist_sections")
def make_sections(nlp: Language, name: str) -> Sectionizer:
    """The sectionizer as a spaCy component."""
    return Sectionizer()

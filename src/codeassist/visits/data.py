"""Data reviewed: tests, outside notes, historians, own readings and talks with clinicians elsewhere."""

from __future__ import annotations

from codeassist.nlp.annotations import STATUSES
from codeassist.visits.found import NEGATED, Cue, Findings
from codeassist.visits.visit import Element, Level

_UNSAID = tuple(STATUSES.index(s) for s in ("hypothetical", "historical", "family"))
_DENIED_WITHIN = 4
"""A denial this few tokens before a test means that it was not done ("no labs"); further off it is the result."""
_READ_HERE = frozenset({"ECG", "spirometry", "x-ray", "chest x-ray", "ultrasound", "echocardiogram"})
"""Tests that a practice itself often performs and reports: its own reading of them then counts for nothing more."""
_MOST_NAMED = 6


def data_reviewed(found: Findings) -> Element:
    """The element, from the whole note but its past, family and social history."""
    tests = _first_of_each([c for c in found.cues("test") if _counts(found, c)])
    outside = [c for c in found.cues("note") if _counts(found, c)][:1]
    historian = [c for c in found.cues("historian") if c.status != NEGATED][:1]
    readings = [c for c in found.cues("interpretation") if c.status != NEGATED and _is_own_reading(found, c)][:1]
    talks = [c for c in found.cues("discussion") if c.status != NEGATED][:1]
    items = len(tests) + len(outside)
    categories = (items + len(historian) >= 3) + bool(readings) + bool(talks)
    if categories >= 2:
        level = Level.HIGH
    elif categories:
        level = Level.MODERATE
    elif items >= 2 or historian:
        level = Level.LOW
    else:
        level = Level.STRAIGHTFORWARD
    said = []
    if tests:
        named = ", ".join(c.name for c in tests[:_MOST_NAMED]) + (" and others" if len(tests) > _MOST_NAMED else "")
        said.append(f"{len(tests)} {'tests' if len(tests) > 1 else 'test'}: {named}")
    said += ["outside records"] * bool(outside) + ["independent historian"] * bool(historian)
    said += ["own reading of a test"] * bool(readings) + ["talk with an outside clinician"] * bool(talks)
    passages = tuple(c.at for c in (*readings, *talks, *historian, *outside, *tests))
    return Element("data", level, "; ".join(said) or "no tests, records or historian are stated", passages)


def _counts(found: Findings, cue: Cue) -> bool:
    if cue.status in _UNSAID or found.aside(cue.at):
        return False
    if cue.status == NEGATED:
        notes = found.notes(cue.at.part)
        number = int(notes.cue[cue.at.first])
        first, last = notes.cues[number] if number >= 0 else (cue.at.last, cue.at.last)
        return not 0 <= cue.at.first - last < _DENIED_WITHIN or first > cue.at.first
    return True


def _first_of_each(cues: list[Cue]) -> list[Cue]:
    by_name: dict[str, Cue] = {}
    for cue in cues:
        by_name.setdefault(cue.name, cue)
    return list(by_name.values())


def _is_own_reading(found: Findings, cue: Cue) -> bool:
    """Whether a test is named beside the reading, and not one that the practice reports for itself."""
    sentence = found.sentence(cue.at)
    beside = [c for c in found.cues("test") if c.at.part == cue.at.part and abs(found.sentence(c.at) - sentence) <= 1]
    if not beside:
        return "image" in found.words(cue.at).lower() or "film" in found.words(cue.at).lower()
    if found.read.note.setting != "outpatient":
        return True
    near = (c for c in found.cues("own_test") if c.at.part == cue.at.part)
    here = any(abs(found.sentence(c.at) - sentence) <= 1 for c in near)
    same = [c.name for c in beside if found.sentence(c.at) == sentence] or [c.name for c in beside]
    return not (here and set(same) & _READ_HERE) and set(same) != {"ECG"}

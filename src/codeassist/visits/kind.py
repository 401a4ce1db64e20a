"""Which family of codes a visit belongs to, and the time that its note states."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from codeassist.nlp.reading import ReadNote
from codeassist.visits.found import NEGATED, Cue, Findings
from codeassist.visits.tables import note_type_says
from codeassist.visits.visit import Passage

OPENING = 70
"""Tokens at the head of a document, where it says what kind of visit it is about."""
_STATED_NEAR = 12
"""Tokens between a number of minutes and the words that make it the visit's time."""
_MINUTES = frozenset({"minute", "minutes", "min", "mins"})
_LEAST_CRITICAL = 30
_REPORTS = frozenset(
    {"procedure", "operative_detail", "preoperative_diagnosis", "postoperative_diagnosis", "comparison"}
)
_TOLD = frozenset({"hpi", "chief_complaint", "ros", "exam", "vitals", "assessment", "assessment_plan", "plan"})
_AGE = re.compile(
    r"\b(\d{1,3})[ -]?(?:(?P<unit>y|m|w|d)[a-z.]{0,6}[ -]?old\b|y(?:\.?o\b|/o|r?[ -]?[mf]\b)|[mf]\b)",
    re.I,
)
"""An age as notes write it: "45-year-old", "18 month old", "45 y/o", "45 yo", "45F"."""
_IN_A_YEAR = {"y": 1, "m": 12, "w": 52, "d": 365}


@dataclass(frozen=True, slots=True)
class Kind:
    """A family of ``families.tsv``, the passages that say so, whether the note leaves it open that the patient is new,
    and whether the type of a document makes it a visit."""

    family: str
    passages: tuple[Passage, ...] = ()
    assumed: bool = False
    typed: bool = False


def visit_documents(read: ReadNote) -> list[int]:
    """The documents of a note that may be about a visit: not reports of procedures or tests, orders and the like."""
    return [p for p, part in enumerate(read.parts) if len(part.notes) and not _is_report(read, p)]


def _is_report(read: ReadNote, number: int) -> bool:
    says = note_type_says(_note_type(read, number))
    if says:
        return says == "none"
    kinds = {s.kind for s in read.parts[number].notes.sections}
    return bool(kinds & _REPORTS) and not kinds & {"hpi", "chief_complaint", "ros"}


def _note_type(read: ReadNote, number: int) -> str:
    return read.parts[number].document.note_type or read.note.note_type or ""


def visit_kind(found: Findings) -> Kind | None:
    """The family of the visit, or ``None`` where the note is about none that these codes are for."""
    says = {note_type_says(_note_type(found.read, p)) for p in found.parts} - {""}
    kind = _kind(found, says)
    return replace(kind, typed=bool(says)) if kind else None


def _kind(found: Findings, says: set[str]) -> Kind | None:
    if _opening(found, "no_visit", "wellness"):
        return None
    setting = found.read.note.setting
    critical = [c for c in found.cues("critical") if c.status != NEGATED]
    if critical and setting != "outpatient" and (_minutes_beside(found, critical) or 0) >= _LEAST_CRITICAL:
        return Kind("critical care", (critical[0].at,))
    if setting == "emergency":
        return Kind("emergency department")
    if setting == "inpatient":
        return _hospital(found, says)
    if not _is_told(found, says):
        return None
    surgery = _opening(found, "global")
    if surgery:
        return Kind("after surgery, in the global period", (surgery[0].at,))
    preventive = _opening(found, "preventive")
    new, passages, assumed = _is_new(found, says)
    if preventive or "preventive" in says:
        family = "preventive, new patient" if new else "preventive, established patient"
        return Kind(family, (*(c.at for c in preventive[:1]), *passages), assumed)
    nursing, first = _opening(found, "nursing"), _opening(found, "nursing_first")
    if first:
        return Kind("nursing facility, first day", (first[0].at,))
    if nursing:
        return Kind("nursing facility, later day", (nursing[0].at,))
    home = _opening(found, "home")
    if home:
        return Kind("home, new patient" if new else "home, established patient", (home[0].at, *passages), assumed)
    return Kind("office, new patient" if new else "office, established patient", passages, assumed)


def _is_told(found: Findings, says: set[str]) -> bool:
    """Whether the note tells of a visit: by its type, its sections, or the words at its head."""
    kinds = {s.kind for p in found.parts for s in found.notes(p).sections}
    cues = _opening(found, "new_patient", "established", "referred", "preventive", "global")
    return bool(says or cues or kinds & _TOLD)


def _opening(found: Findings, *kinds: str) -> list[Cue]:
    """Cues at the head of a document or in its chief complaint."""
    return [
        c
        for c in found.cues(*kinds)
        if c.status != NEGATED and (c.at.first < OPENING or found.section_kind(c.at) == "chief_complaint")
    ]


def _is_new(found: Findings, says: set[str]) -> tuple[bool, tuple[Passage, ...], bool]:
    """Whether the patient is new, the passage that says so, and whether that is assumed: a patient is established
    unless the note says otherwise, and a consultation is with a new one unless the note says otherwise."""
    new, established = found.cues("new_patient"), _opening(found, "established")
    new = [c for c in new if c.status != NEGATED and not found.inside(c.at)] or _opening(found, "new_patient")
    if new:
        return True, (new[0].at,), False
    known = [c for c in found.cues("established") if found.words(c.at).lower().startswith("established")]
    referred = _opening(found, "referred")
    if known or (established and not (referred or "new" in says)):
        return False, ((known or established)[0].at,), False
    if "new" in says or referred:
        return True, (referred[0].at,) if referred else (), True
    return False, (), True


def _hospital(found: Findings, says: set[str]) -> Kind:
    kinds = {s.kind for p in found.parts for s in found.notes(p).sections}
    if "discharge" in says or {"hospital_course"} <= kinds or {"disposition", "instructions"} <= kinds:
        return Kind("hospital discharge")
    later = _opening(found, "subsequent")
    if later or "visit" in says:
        return Kind("hospital, later day", tuple(c.at for c in later[:1]))
    return Kind("hospital, first day")


def total_minutes(found: Findings) -> tuple[int, Passage] | None:
    """The total time of the visit that the note states, with its passage; the longest where it states several."""
    stated = []
    other = {(c.at.part, found.sentence(c.at)) for c in found.cues("unrelated_time", "critical")}
    for cue in found.cues("time"):
        if cue.status == NEGATED or (cue.at.part, found.sentence(cue.at)) in other:
            continue
        minutes = _minutes_beside(found, [cue])
        if minutes:
            stated.append((minutes, cue.at))
    return max(stated, default=None)


def _minutes_beside(found: Findings, cues: list[Cue]) -> int | None:
    """The number of minutes in the sentence of one of the cues, if any."""
    best = None
    for cue in cues:
        doc = found.read.parts[cue.at.part].doc
        sentences = found.notes(cue.at.part).sentence
        for i in range(max(cue.at.first - _STATED_NEAR, 0), min(cue.at.last + _STATED_NEAR, len(doc) - 1)):
            word = doc[i].text
            if word.isascii() and word.isdigit() and len(word) <= 3 and sentences[i] == sentences[cue.at.first]:
                unit = doc[i + 1].lower_
                if unit == "-" and i + 2 < len(doc):
                    unit = doc[i + 2].lower_
                if unit in _MINUTES:
                    best = max(best or 0, int(word))
    return best


def age_of(read: ReadNote) -> float | None:
    """The patient's age in years, as given with the note or as its head says."""
    if read.note.patient.age is not None:
        return read.note.patient.age
    for part in read.parts:
        m = _AGE.search(part.notes.text[:600])
        if m is not None:
            return int(m[1]) / _IN_A_YEAR[(m["unit"] or "y").lower()]
    return None

"""The code of a visit: two of the three elements of decision making choose the level, or the total time does."""

from __future__ import annotations

from collections.abc import Mapping

from codeassist.candidates.mentioned import MentionHits
from codeassist.nlp.reading import ReadNote
from codeassist.terminology.store import Store
from codeassist.visits.data import data_reviewed
from codeassist.visits.found import Findings
from codeassist.visits.kind import Kind, age_of, total_minutes, visit_documents, visit_kind
from codeassist.visits.problems import problems_addressed
from codeassist.visits.risk import treatment_risk
from codeassist.visits.tables import FamilyCode, families, requirements
from codeassist.visits.visit import ELEMENT_WORDS, Element, Level, Neighbour, Passage, Visit


def assess_visit(
    read: ReadNote, hits: MentionHits, store: Store, likely: Mapping[int, float] | None = None
) -> Visit | None:
    """The visit that a note is about, with its level, or ``None`` where it is about none: a report of a procedure or
    a test, an order, or a text without an assessment. ``hits`` are the codes of the note's mentions over ``store``,
    and ``likely`` the chance of each row to be coded, where a ranker has told it.

    Consultations are assessed as visits of new patients, which all payers take.
    """
    parts = visit_documents(read)
    if not parts:
        return None
    found = Findings(read, parts)
    kind = visit_kind(found)
    if kind is None:
        return None
    elements = (problems_addressed(found, hits, store, likely), data_reviewed(found), treatment_risk(found))
    if not (found.headed or kind.typed or any(e.passages for e in elements)):
        return None
    level = decided(elements)
    time = total_minutes(found)
    codes = families()[kind.family]
    if kind.family.startswith("preventive"):
        return _preventive(read, kind, codes, level, elements)
    if not codes[0].levels:
        return _by_itself(kind, codes, level, elements, time)
    return _by_level(kind, codes, level, elements, time)


def decided(elements: tuple[Element, ...]) -> Level:
    """The level that two of the three elements reach.

    >>> decided(tuple(Element("risk", level, "") for level in (Level.LOW, Level.HIGH, Level.MODERATE)))
    <Level.MODERATE: 3>
    """
    return sorted(e.level for e in elements)[-2]


def _by_level(
    kind: Kind,
    codes: tuple[FamilyCode, ...],
    level: Level,
    elements: tuple[Element, ...],
    time: tuple[int, Passage] | None,
) -> Visit:
    by_decision = next(i for i, c in enumerate(codes) if level in c.levels)
    minutes, passages = (time[0], (time[1],)) if time else (None, ())
    by_time = max((i for i, c in enumerate(codes) if c.minutes and minutes and minutes >= c.minutes), default=-1)
    chosen = max(by_decision, by_time)
    others = []
    if chosen + 1 < len(codes):
        others.append(Neighbour(codes[chosen + 1].code, _up(codes[chosen + 1], elements)))
    if chosen > 0:
        others.append(Neighbour(codes[chosen - 1].code, _down(codes[chosen], elements, by_time > by_decision)))
    if kind.assumed:
        others.append(_if_otherwise(kind.family, chosen, codes[chosen].levels))
    return Visit(
        codes[chosen].code,
        kind.family,
        level,
        elements,
        tuple(others),
        "total time" if by_time > by_decision else "decision making",
        minutes,
        (*kind.passages, *passages),
    )


def _up(code: FamilyCode, elements: tuple[Element, ...]) -> str:
    """What a level higher needs."""
    target = code.levels[0]
    missing = [e for e in elements if e.level < target]
    reached = len(elements) - len(missing)
    needs = "; or ".join(f"{ELEMENT_WORDS[e.name]}: {requirements()[e.name, target]}" for e in missing)
    more = "one more element" if reached == 1 else "two elements"
    time = f"; or a total time of {code.minutes} minutes" if code.minutes else ""
    return f"one level up: needs {more} at {target} ({needs}){time}"


def _down(code: FamilyCode, elements: tuple[Element, ...], by_time: bool) -> str:
    """What would make it a level lower."""
    if by_time:
        return "one level down: if the stated time is not accepted"
    holding = [e for e in elements if e.level >= code.levels[0]]
    names = " or ".join(ELEMENT_WORDS[e.name] for e in holding)
    return f"one level down: if {names} {'do' if len(holding) > 1 else 'does'} not hold at {code.levels[0]}"


def _if_otherwise(family: str, place: int, levels: tuple[Level, ...]) -> Neighbour:
    """The code of the same level if the patient is new where the note left it open, or is known."""
    new = "new patient" in family
    other = family.replace("new patient", "established patient") if new else family.replace("established", "new")
    codes = families()[other]
    code = next((c for c in codes if c.levels == levels and levels), codes[place])
    seen = "was" if new else "was not"
    return Neighbour(code.code, f"if the patient {seen} seen by the same group and specialty within three years")


def _by_itself(
    kind: Kind,
    codes: tuple[FamilyCode, ...],
    level: Level,
    elements: tuple[Element, ...],
    time: tuple[int, Passage] | None,
) -> Visit:
    """A visit whose code does not go by decision making: a discharge by its time, critical care, a global period."""
    minutes = time[0] if time else None
    chosen = max((i for i, c in enumerate(codes) if c.minutes is None or (minutes or 0) >= c.minutes), default=0)
    others = [
        Neighbour(c.code, f"by the time of the day's work: {'more than' if i else 'at most'} 30 minutes")
        for i, c in enumerate(codes)
        if i != chosen
    ]
    if kind.family.startswith("after surgery"):
        known = families()["office, established patient"]
        place = next(c for c in known if level in c.levels)
        others = [Neighbour(place.code, "with modifier 24 if the problem is not that of the surgery")]
    by = "total time" if len(codes) > 1 else kind.family
    passages = (*kind.passages, *((time[1],) if time else ()))
    return Visit(codes[chosen].code, kind.family, level, elements, tuple(others), by, minutes, passages)


def _preventive(
    read: ReadNote, kind: Kind, codes: tuple[FamilyCode, ...], level: Level, elements: tuple[Element, ...]
) -> Visit | None:
    """A checkup goes by age; work on a problem beside it is a visit of its own with modifier 25."""
    age = age_of(read)
    if age is None:
        return None
    place = max(i for i, c in enumerate(codes) if c.age is not None and age >= c.age)
    new = "new patient" in kind.family
    others = []
    if level >= Level.LOW and elements[0].passages:
        office = families()["office, new patient" if new else "office, established patient"]
        code = next(c for c in office if level in c.levels)
        why = f"beside it, with modifier 25, if the work on a problem stands by itself ({elements[0].reason})"
        others.append(Neighbour(code.code, why))
    if kind.assumed:
        others.append(_if_otherwise(kind.family, place, ()))
    return Visit(codes[place].code, kind.family, level, elements, tuple(others), "age", None, kind.passages)

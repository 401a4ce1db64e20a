"""Codes that may not come first, and codes that may only come first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from codeassist.result import Finding
from codeassist.rules.case import Case, Line
from codeassist.rules.family import read_rules
from codeassist.rules.sequence_table import expand
from codeassist.rules.tables import read_table
from codeassist.terminology.edits import Edit

RULES = read_rules("position")
_EXTERNAL = ("V", "W", "X", "Y")
_SEQUELA = "@sequela"
_WITH_SEQUELA = "MST"


@dataclass(frozen=True, slots=True)
class Place:
    """What a line of the table says of the codes below a prefix: a rule, but not for the prefixes ``but``."""

    rule: str
    but: tuple[str, ...]
    why: str
    source: str


def _places() -> dict[str, Place]:
    out = {}
    for rule, codes, but, why, source in read_table("position_codes", 5):
        place = Place(rule, () if but == "-" else tuple(expand(but)), why, source)
        out.update(dict.fromkeys(expand(codes), place))
    return out


PLACES = _places()


def place_of(key: str) -> Place | None:
    """What the table says of a diagnosis without its dot, by its longest prefix there."""
    if key[6:7] == "S" and key[0] in _WITH_SEQUELA:
        return PLACES[_SEQUELA]
    for n in range(min(len(key), 5), 2, -1):
        place = PLACES.get(key[:n])
        if place is not None:
            return None if key.startswith(place.but) else place
    return None


def check_position(case: Case) -> Iterator[Finding]:
    """Findings on the first diagnosis (the strongest reason why it cannot be first), and on Z codes in later places."""
    diagnoses = case.diagnoses
    if not diagnoses:
        return
    first = diagnoses[0]
    place = place_of(first.key)
    flags = case.store.edits.of(first.row, case.day) if first.row >= 0 else 0
    finding = _not_first(case, first, flags, place)
    if finding is not None:
        yield finding
    elif flags and case.inpatient:
        yield from _admission(case, first, flags)
    if place is None or place.rule != "first-only":
        yield from _first_only(first, diagnoses[1:])


def _not_first(case: Case, first: Line, flags: int, place: Place | None) -> Finding | None:
    """Why the first diagnosis cannot be first, the strongest reason only."""
    code = first.code
    if first.key.startswith(_EXTERNAL):
        return RULES["external-cause"].finding(
            f"{code} says how it happened and is never the first diagnosis", [code], "put the injury or condition first"
        )
    if flags & Edit.MANIFESTATION:
        return RULES["manifestation"].finding(
            f"{code} is a manifestation; its underlying disease comes first", [code], "put the underlying disease first"
        )
    if place is not None and place.rule == "sequela":
        return RULES["sequela"].finding(
            f"{code} is a sequela code; {place.why}",
            [code],
            f"put the condition that the patient has now before {code}",
            place.source,
        )
    # the code editor lists a code that requires a secondary diagnosis with the unacceptable ones too
    if case.inpatient and flags & Edit.UNACCEPTABLE_PRINCIPAL and not flags & Edit.REQUIRES_SECONDARY:
        why = f": {place.why}" if place is not None and place.rule == "secondary-only" else ""
        return RULES["unacceptable-principal"].finding(
            f"{code} is not accepted as the principal diagnosis of a stay{why}",
            [code],
            "put the condition chiefly responsible for the admission first",
        )
    if place is not None and place.rule == "secondary-only":
        return RULES["secondary-only"].finding(
            f"{code} is not a first diagnosis: {place.why}",
            [code],
            f"put the condition or reason for the encounter before {code}",
            place.source,
        )
    return None


def _admission(case: Case, first: Line, flags: int) -> Iterator[Finding]:
    if flags & Edit.REQUIRES_SECONDARY and len(case.diagnoses) == 1:
        yield RULES["requires-secondary"].finding(
            f"{first.code} as the principal diagnosis needs a secondary diagnosis",
            [first.code],
            "add the condition that the care was for",
        )
    if flags & Edit.QUESTIONABLE_ADMISSION:
        yield RULES["questionable-admission"].finding(
            f"{first.code} as the principal diagnosis is usually no reason for a hospital stay",
            [first.code],
            "code the condition, complication or degree that needed the stay, where the record has it",
        )


def _first_only(first: Line, later: tuple[Line, ...]) -> Iterator[Finding]:
    """Z codes after a first code that is none of their kind: two of them are an encounter of two on one day."""
    for line in later:
        if line.key[:1] != "Z" or line.key == first.key:
            continue
        place = place_of(line.key)
        if place is not None and place.rule == "first-only":
            yield RULES["first-only"].finding(
                f"{line.code} may only be the first diagnosis: {place.why}",
                [line.code],
                f"put {line.code} first, or remove it",
                place.source,
            )

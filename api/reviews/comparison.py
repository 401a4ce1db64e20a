"""Compares two codings of one note: the coder's and the auditor's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from api.reviews.coding import Coding, Key, Line
from api.store.audits import DifferenceKind, Verdict

CATEGORY = 3
"""Characters of a code that name its category: ICD-10-CM I.A.2, and root operation in ICD-10-PCS."""
FIELDS: tuple[DifferenceKind, ...] = ("poa", "modifiers", "units")


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference, numbered from 1. ``details`` has ``coder`` and ``auditor``: codes, or for ``sequence`` and the
    fields of a line the values; and ``code`` where both have it."""

    number: int
    kind: DifferenceKind
    system: str
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far two codings agree.

    ``agreed`` codes were chosen by both, ``missed`` by the auditor alone, ``extra`` by the coder alone, ``neither``
    were offered and chosen by none of them. ``exact`` is true when there is no difference, and ``principal_agreed``
    when the first diagnosis is the same; None when there is none.
    """

    agreed: int
    missed: int
    extra: int
    neither: int
    exact: bool
    principal_agreed: bool | None
    differences: tuple[Difference, ...] = ()
    codes: Mapping[Key, tuple[bool, bool]] = field(default_factory=dict)
    """Each code that either chose, and whether the coder and the auditor did."""


def compare(coder: Coding, auditor: Coding) -> Comparison:
    """What the auditor's coding has otherwise than the coder's."""
    theirs, ours = {line.key: line for line in coder.lines}, {line.key: line for line in auditor.lines}
    both = [key for key in theirs if key in ours]
    found: list[tuple[DifferenceKind, str, dict[str, Any]]] = []
    extra = [key for key in theirs if key not in ours]
    missed = [key for key in ours if key not in theirs]
    pairs = _pairs(extra, missed)
    for old, new in pairs.items():
        found.append(("different", old[0], {"coder": old[1], "auditor": new[1]}))
    found += [("missed", s, {"coder": None, "auditor": c}) for s, c in missed if (s, c) not in pairs.values()]
    found += [("extra", s, {"coder": c, "auditor": None}) for s, c in extra if (s, c) not in pairs]
    found += _order(coder.lines, auditor.lines, both)
    for key in both:
        found += _fields(theirs[key], ours[key])
    chosen = {*theirs, *ours}
    return Comparison(
        len(both),
        len(missed),
        len(extra),
        sum(1 for key in auditor.offered if key not in chosen),
        not found,
        _principal(coder.lines, auditor.lines),
        tuple(Difference(number, *what) for number, what in enumerate(found, 1)),
        {key: (key in theirs, key in ours) for key in (*theirs, *missed)},
    )


def adjudicate(coder: Coding, auditor: Coding, verdicts: Iterable[tuple[Difference, Verdict]]) -> tuple[Line, ...]:
    """The coder's lines, changed wherever the auditor was found right. Both acceptable: the coder's stay."""
    lines = list(coder.lines)
    for difference, verdict in verdicts:
        if verdict == "auditor":
            lines = _SETTLE[difference.kind](lines, auditor, difference)
    return tuple(lines)


def _pairs(extra: Sequence[Key], missed: Sequence[Key]) -> dict[Key, Key]:
    """The coder's codes with the auditor's of the same category, each used once."""
    pairs: dict[Key, Key] = {}
    for old in extra:
        for new in missed:
            if new not in pairs.values() and _category(new) == _category(old):
                pairs[old] = new
                break
    return pairs


def _category(key: Key) -> tuple[str, str]:
    return key[0], key[1].replace(".", "")[:CATEGORY]


def _order(
    theirs: Sequence[Line], ours: Sequence[Line], both: Sequence[Key]
) -> list[tuple[DifferenceKind, str, dict[str, Any]]]:
    """Whether the diagnoses that both chose stand in another order: the first of all of them is what counts most."""
    agreed = {key for key in both if key[0] == "icd-10-cm"}
    first, second = ([line.code for line in lines if line.key in agreed] for lines in (theirs, ours))
    return [] if first == second else [("sequence", "icd-10-cm", {"coder": first, "auditor": second})]


def _fields(theirs: Line, ours: Line) -> list[tuple[DifferenceKind, str, dict[str, Any]]]:
    found: list[tuple[DifferenceKind, str, dict[str, Any]]] = []
    for name in FIELDS:
        old, new = _value(theirs, name), _value(ours, name)
        if old != new:
            found.append((name, theirs.system, {"code": theirs.code, "coder": old, "auditor": new}))
    return found


def _value(line: Line, name: str) -> Any:
    value = getattr(line, name)
    return list(value) if isinstance(value, tuple) else value


def _principal(theirs: Sequence[Line], ours: Sequence[Line]) -> bool | None:
    first, second = (next((x.code for x in lines if x.system == "icd-10-cm"), None) for lines in (theirs, ours))
    return None if first is None and second is None else first == second


def _without(lines: list[Line], auditor: Coding, difference: Difference) -> list[Line]:
    key = difference.system, difference.details["coder"]
    return [line for line in lines if line.key != key]


def _with(lines: list[Line], auditor: Coding, difference: Difference) -> list[Line]:
    """With the auditor's line, behind those that stand before it in the auditor's coding."""
    key = difference.system, difference.details["auditor"]
    before = {line.key for line in auditor.lines[: [line.key for line in auditor.lines].index(key)]}
    at = max((i + 1 for i, line in enumerate(lines) if line.key in before), default=0)
    return [*lines[:at], auditor.line(key), *lines[at:]]


def _instead(lines: list[Line], auditor: Coding, difference: Difference) -> list[Line]:
    old = difference.system, difference.details["coder"]
    new = auditor.line((difference.system, difference.details["auditor"]))
    return [new if line.key == old else line for line in lines]


def _reordered(lines: list[Line], auditor: Coding, difference: Difference) -> list[Line]:
    """The diagnoses that both chose in the auditor's order, at the places that they have now."""
    order = [("icd-10-cm", code) for code in difference.details["auditor"]]
    by_key = {line.key: line for line in lines}
    wanted = iter([by_key[key] for key in order if key in by_key])
    return [next(wanted) if line.key in order else line for line in lines]


def _field(lines: list[Line], auditor: Coding, difference: Difference) -> list[Line]:
    key = difference.system, difference.details["code"]
    value = {difference.kind: getattr(auditor.line(key), difference.kind)}
    return [replace(line, **value) if line.key == key else line for line in lines]


_SETTLE: dict[DifferenceKind, Callable[[list[Line], Coding, Difference], list[Line]]] = {
    "missed": _with,
    "extra": _without,
    "different": _instead,
    "sequence": _reordered,
    "poa": _field,
    "modifiers": _field,
    "units": _field,
}

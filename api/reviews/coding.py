"""The codes of a review, as its decisions make them: no database, no terminology."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol, get_args

from api.reviews.errors import DecisionImpossible, NothingToRedo, NothingToUndo

Kind = Literal["accepted", "rejected", "replaced", "added", "reordered", "poa", "modifiers", "units", "linked"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Origin = Literal["accepted", "replaced", "added"]
Key = tuple[str, str]
"""A code system and a code in it."""
LAST = 1_000_000
"""The place of a code that no rule has placed."""


class Decided(Protocol):
    """A decision as it is kept: :class:`api.store.decisions.DecisionRow`, or a test's own."""

    @property
    def number(self) -> int: ...

    @property
    def kind(self) -> str: ...

    @property
    def details(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Line:
    """One code that the coder has chosen. ``place`` is where the rules proposed it."""

    system: str
    code: str
    display: str
    origin: Origin
    evidence: tuple[Mapping[str, Any], ...] = ()
    poa: str | None = None
    modifiers: tuple[str, ...] = ()
    units: int | None = None
    diagnoses: tuple[str, ...] = ()
    instead_of: str | None = None
    place: int = LAST

    @property
    def key(self) -> Key:
        """The line's system and code."""
        return self.system, self.code


@dataclass(frozen=True, slots=True)
class Coding:
    """What was offered, the lines chosen in the order of the claim, and what was turned down with its reason."""

    offered: Mapping[Key, Mapping[str, Any]]
    lines: tuple[Line, ...] = ()
    rejected: Mapping[Key, str] = field(default_factory=dict)

    def line(self, key: Key) -> Line:
        """The line of a code; raises :class:`DecisionImpossible` when it is not among them."""
        for line in self.lines:
            if line.key == key:
                return line
        raise DecisionImpossible(f"{key[1]} is not among the codes chosen")

    def has(self, key: Key) -> bool:
        """Whether the code is among those chosen."""
        return any(line.key == key for line in self.lines)


def offered(result: Mapping[str, Any]) -> Coding:
    """The coding before any decision on the suggestions of ``result``, and on the codes that it left out."""
    items = (*result["discarded"], *result["suggestions"])
    return Coding({(item["system"], item["code"]): item for item in items})


def standing(decisions: Iterable[Decided]) -> tuple[list[Decided], list[tuple[Decided, Decided]]]:
    """The decisions that stand, and those taken back since the last one, each with its undo: the latest at the end."""
    done: list[Decided] = []
    undone: list[tuple[Decided, Decided]] = []
    for decision in decisions:
        if decision.kind == "undo":
            undone.append((done.pop(), decision))
        elif decision.kind == "redo":
            done.append(undone.pop()[0])
        else:
            done.append(decision)
            undone.clear()
    return done, undone


def last_done(decisions: Iterable[Decided]) -> Decided:
    """The decision that an undo takes back; raises :class:`NothingToUndo`."""
    done, _ = standing(decisions)
    if not done:
        raise NothingToUndo("no decision is left to take back")
    return done[-1]


def last_undone(decisions: Iterable[Decided]) -> Decided:
    """The undo that a redo takes back; raises :class:`NothingToRedo`."""
    _, undone = standing(decisions)
    if not undone:
        raise NothingToRedo("nothing was taken back since the last decision")
    return undone[-1][1]


def coded(result: Mapping[str, Any], decisions: Iterable[Decided]) -> Coding:
    """The coding that the decisions that stand make of a result."""
    return applied(offered(result), decisions)


def applied(coding: Coding, decisions: Iterable[Decided]) -> Coding:
    """The coding that the decisions that stand make of another one."""
    for decision in standing(decisions)[0]:
        coding = decide(coding, decision.kind, decision.details)
    return coding


def decide(coding: Coding, kind: str, details: Mapping[str, Any]) -> Coding:
    """The coding after one more decision; raises :class:`DecisionImpossible` when it does not fit."""
    return _DECIDE[kind](coding, details)


def _accepted(coding: Coding, details: Mapping[str, Any]) -> Coding:
    key = _key(details)
    item = coding.offered.get(key)
    if item is None:
        raise DecisionImpossible(f"{key[1]} was not suggested: add it instead")
    if coding.has(key):
        raise DecisionImpossible(f"{key[1]} is among the codes already")
    line = Line(
        *key,
        item["display"],
        "accepted",
        tuple(item["evidence"]),
        item.get("poa"),
        tuple(item.get("modifiers", ())),
        item.get("units"),
        tuple(item.get("diagnoses", ())),
        place=item.get("sequence", LAST),
    )
    return _with(coding, line)


def _rejected(coding: Coding, details: Mapping[str, Any]) -> Coding:
    key = _key(details)
    if key not in coding.offered and not coding.has(key):
        raise DecisionImpossible(f"{key[1]} was neither suggested nor added")
    if key in coding.rejected:
        raise DecisionImpossible(f"{key[1]} is rejected already")
    lines = tuple(line for line in coding.lines if line.key != key)
    return replace(coding, lines=lines, rejected={**coding.rejected, key: details["reason"]})


def _replaced(coding: Coding, details: Mapping[str, Any]) -> Coding:
    old, new = _key(details), _key(details["by"])
    if old not in coding.offered and not coding.has(old):
        raise DecisionImpossible(f"{old[1]} was neither suggested nor added")
    if coding.has(new) or new == old:
        raise DecisionImpossible(f"{new[1]} is among the codes already" if new != old else "give another code")
    before = coding if coding.has(old) else _accepted(coding, {"system": old[0], "code": old[1]})
    was = before.line(old)
    line = replace(was, system=new[0], code=new[1], display=details["display"], origin="replaced", instead_of=old[1])
    reason = details.get("reason") or f"replaced by {new[1]}"
    rejected = {k: v for k, v in {**coding.rejected, old: reason}.items() if k != new}
    return replace(coding, lines=tuple(line if x is was else x for x in before.lines), rejected=rejected)


def _added(coding: Coding, details: Mapping[str, Any]) -> Coding:
    key = _key(details)
    if coding.has(key):
        raise DecisionImpossible(f"{key[1]} is among the codes already")
    return _with(coding, Line(*key, details["display"], "added", tuple(details.get("evidence", ()))))


def _reordered(coding: Coding, details: Mapping[str, Any]) -> Coding:
    order = [_key(item) for item in details["order"]]
    if sorted(order) != sorted(line.key for line in coding.lines):
        raise DecisionImpossible("the order names other codes than those chosen")
    return replace(coding, lines=tuple(coding.line(key) for key in order))


def _changed(field: str, read: Callable[[Any], Any]) -> Callable[[Coding, Mapping[str, Any]], Coding]:
    """A decision on one field of a line."""

    def apply(coding: Coding, details: Mapping[str, Any]) -> Coding:
        was = coding.line(_key(details))
        line = replace(was, **{field: read(details.get(field))})
        return replace(coding, lines=tuple(line if x is was else x for x in coding.lines))

    return apply


def _sequence_of(value: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(value or ())


_DECIDE: dict[str, Callable[[Coding, Mapping[str, Any]], Coding]] = {
    "accepted": _accepted,
    "rejected": _rejected,
    "replaced": _replaced,
    "added": _added,
    "reordered": _reordered,
    "poa": _changed("poa", lambda value: value),
    "modifiers": _changed("modifiers", _sequence_of),
    "units": _changed("units", lambda value: value),
    "linked": _changed("diagnoses", _sequence_of),
}


def _with(coding: Coding, line: Line) -> Coding:
    """The coding with one line more, before the first that the rules place after it, and no longer rejected."""
    at = next((i for i, other in enumerate(coding.lines) if other.place > line.place), len(coding.lines))
    rejected = {key: reason for key, reason in coding.rejected.items() if key != line.key}
    return replace(coding, lines=(*coding.lines[:at], line, *coding.lines[at:]), rejected=rejected)


def _key(details: Mapping[str, Any]) -> Key:
    return details["system"], details["code"]

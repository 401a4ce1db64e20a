"""Cause and manifestation: what the tabular puts first, what it asks for besides."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from codeassist.result import Finding
from codeassist.rules.case import Case, Line
from codeassist.rules.family import read_rules
from codeassist.rules.tables import read_table
from codeassist.terminology.edits import Edit
from codeassist.terminology.instructions import Instruction, Kind

RULES = read_rules("etiology")
_READINGS = {(kind, owner, target): reading for kind, owner, target, reading, _ in read_table("etiology_notes", 5)}
_NO_DISEASE = frozenset("VWXYZ")
"""First letters of codes that are never the disease behind another code."""
_MOST_NAMED = 6
_LONGEST_QUOTE = 160
_BRACKETS = re.compile(r"\s*\([^()]*\)")
_NAMES: dict[Kind, str] = {
    "code_first": "Code first",
    "use_additional_code": "Use additional code",
    "code_also": "Code also",
}


def check_etiology(case: Case) -> Iterator[Finding]:
    """Missing causes and wrong orders for each code; missing further codes once for each category with such notes."""
    lines = tuple({line.row: line for line in case.diagnoses if line.row >= 0}.values())
    rows = [line.row for line in lines]
    named: dict[int, list[tuple[int, Instruction]]] = {}
    for i, j, note in case.store.instructions.links(rows, "code_first"):
        if _reading(case, note) != "never":
            named.setdefault(i, []).append((j, note))
    for place in range(len(lines)):
        if place in named:
            yield from _order(case, lines, place, named[place])
        else:
            yield from _missing(case, lines, place)
    yield from _further(case, lines, rows, "use_additional_code", "use-additional-missing")
    yield from _further(case, lines, rows, "code_also", "code-also")


def _order(case: Case, lines: tuple[Line, ...], place: int, named: list[tuple[int, Instruction]]) -> Iterator[Finding]:
    """A finding when every code that the notes at ``place`` put first stands after it."""
    at, note = min(named, key=lambda n: n[0])
    if at < place or _cause_before(case, lines, place, note):
        return
    line, cause = lines[place], lines[at]
    yield RULES["code-first-order"].finding(
        f"{line.code} stands before {cause.code}, which the tabular puts first",
        [line.code, cause.code],
        f"put {cause.code} before {line.code}",
        _reference(case, note),
    )


def _cause_before(case: Case, lines: tuple[Line, ...], place: int, note: Instruction) -> bool:
    """Whether another cause than the one named stands first, where the note has "if applicable" and only examples."""
    loose = note.conditional and note.examples
    return loose and any(_may_underlie(case, other, False) for other in lines[:place])


def _missing(case: Case, lines: tuple[Line, ...], place: int) -> Iterator[Finding]:
    """A finding when a code that must come second has nothing that could come first."""
    line = lines[place]
    owed = [n for n in case.store.instructions.of(line.row, "code_first") if _must(case, n)]
    if not owed:
        return
    others = [other for other in lines if other is not line]
    manifestation = case.store.edits.has(line.row, Edit.MANIFESTATION, case.day)
    possible = any(_may_underlie(case, other, manifestation) for other in others)
    if possible and any(n.examples and _reading(case, n) != "complete" for n in owed):
        return
    if any(_asks(case, other, line) for other in others):
        return
    alone = manifestation and not (possible and any(n.examples for n in owed))
    note = next((n for n in owed if n.rows), owed[0])
    if note.rows:
        listed = _listed(note.written)
        what, fix = f"any of {listed}" if len(note.written) > 1 else listed, f"put its code first: {listed}"
        fix += ", or another underlying condition that the record names" if note.examples else ""
    else:
        text = note.text.rstrip(".")
        what, fix = f"a code for the {text}", f"put the code for the {text} first"
    rule = RULES["manifestation-alone" if alone else "code-first-missing"]
    yield rule.finding(f"{line.code} stands without {what}", [line.code], fix, _reference(case, note))


def _must(case: Case, note: Instruction) -> bool:
    return not note.conditional and _reading(case, note) not in ("never", "if applicable")


def _asks(case: Case, other: Line, line: Line) -> bool:
    """Whether the tabular asks for ``line`` at another code, which then is what comes first."""
    notes = case.store.instructions
    return bool(
        notes.between(other.row, line.row, "use_additional_code") or notes.between(other.row, line.row, "code_also")
    )


def _may_underlie(case: Case, other: Line, manifestation: bool) -> bool:
    """Whether a code can be the disease behind another: no external cause, no status, no further manifestation."""
    if other.key[0] in _NO_DISEASE or (manifestation and other.key[0] == "R"):
        return False
    return not case.store.edits.has(other.row, Edit.MANIFESTATION, case.day)


def _further(case: Case, lines: tuple[Line, ...], rows: list[int], kind: Kind, rule: str) -> Iterator[Finding]:
    """What notes of a kind ask for in vain, one finding for each category with such notes."""
    missing: dict[str, tuple[Line, list[Instruction]]] = {}
    for i, note in case.store.instructions.unmet(rows, kind):
        if _owed(case, note):
            line, notes = missing.setdefault(case.store.code(note.owner)[:3], (lines[i], []))
            if line is lines[i]:
                notes.append(note)
    for line, notes in missing.values():
        written = list(dict.fromkeys(t for n in notes for t in n.written))
        fix = f"add {'one of ' if len(written) > 1 else ''}{_listed(written)}"
        yield RULES[rule].finding(
            f"the tabular asks for a further code with {line.code}: {'; '.join(_heading(n) for n in notes)}",
            [line.code],
            fix if kind == "use_additional_code" else f"{fix}, in the order that fits the visit",
            _reference(case, notes[0]),
        )


def _owed(case: Case, note: Instruction) -> bool:
    reading = _reading(case, note)
    return reading == "always" or (reading is None and not note.conditional and not note.examples)


def _reading(case: Case, note: Instruction) -> str | None:
    return _read(note.kind, case.store.code(note.owner), note.written)


@lru_cache(maxsize=8192)
def _read(kind: Kind, owner: str, written: tuple[str, ...]) -> str | None:
    """How ``etiology_notes.tsv`` reads a note, or ``None`` where its wording tells."""
    keys = [(kind, owner, "*"), *((kind, at, target) for target in written for at in ("*", owner))]
    return next((_READINGS[key] for key in keys if key in _READINGS), None)


def _listed(written: Sequence[str]) -> str:
    """At most six targets, and dots where there are more."""
    return ", ".join(written[:_MOST_NAMED]) + (", ..." if len(written) > _MOST_NAMED else "")


def _heading(note: Instruction) -> str:
    """A note without its list of codes."""
    text = _BRACKETS.sub("", note.text.removeprefix("code(s)").removeprefix("code"))
    head, _, rest = text.partition(":")
    return (head.strip(" ,.") or rest.strip(" ,.")).removesuffix(", such as")


def _reference(case: Case, note: Instruction) -> str:
    text = note.text.removeprefix("code ").strip()
    if len(text) > _LONGEST_QUOTE:
        text = text[:_LONGEST_QUOTE].rpartition(" ")[0] + " ..."
    return f"{_NAMES[note.kind]} at {case.store.code(note.owner)}: {text}"

"""Unspecified codes where the note, or another code, says more."""

from __future__ import annotations

from collections.abc import Iterator

from codeassist.result import Finding
from codeassist.rules.case import Case, Line
from codeassist.rules.clauses import clauses
from codeassist.rules.family import read_rules
from codeassist.terminology.laterality import LEFT, RIGHT, UNSPECIFIED
from codeassist.terminology.words import content_stems

RULES = read_rules("specificity")
_NO_DIAGNOSIS = frozenset({"R69", "R99", "R6889"})
_DENIALS = frozenset("no not without denies denied negative never absent rule ruled".split())
_INJURY = ("S", "T")


def check_specificity(case: Case) -> Iterator[Finding]:
    """A warning where the note's words choose a more specific code, or an inpatient claim leaves a side open; an info
    where a code of the list says more than another of its category, or says nothing."""
    store = case.store
    scope, side = store.vague.scope, store.sides.side
    known = [line for line in case.diagnoses if line.row >= 0]
    for line in known:
        if line.key in _NO_DIAGNOSIS:
            yield RULES["no-diagnosis"].finding(
                f"{line.code} says that there is an illness or symptom and nothing of which",
                [line.code],
                "code the sign, symptom or condition that the note names",
            )
        if case.inpatient and side[line.row] == UNSPECIFIED:
            yield RULES["unspecified-side"].finding(
                f"{line.code} leaves the side open on an inpatient claim", [line.code], _with_side(case, line)
            )
        reach = int(scope[line.row])
        if reach:
            better = _better(case, line, reach, known)
            if better is not None:
                yield RULES["vague"].finding(
                    f"{line.code} is unspecified, and {better.code} says more of the same category",
                    [line.code, better.code],
                    f"remove {line.code} unless it stands for something else than {better.code}",
                )
            elif line.coded.evidence:
                yield from _named(case, line)


def _with_side(case: Case, line: Line) -> str | None:
    rows = [case.store.sides.sibling(line.row, side) for side in (RIGHT, LEFT)]
    codes = [case.store.code(row) for row in rows if row >= 0]
    return f"report {' or '.join(codes)} where the record names the side" if codes else None


def _better(case: Case, line: Line, reach: int, known: list[Line]) -> Line | None:
    """Another diagnosis of the same reach that is less vague, and of the same side and encounter."""
    prefix, store = line.key[:reach], case.store
    for other in known:
        if other is line or not other.key.startswith(prefix) or other.key == line.key:
            continue
        if 0 < store.vague.scope[other.row] <= reach:
            continue
        if line.key.startswith(_INJURY) and line.key[6:] != other.key[6:]:
            continue
        sides = int(store.sides.side[line.row]), int(store.sides.side[other.row])
        if store.sides.group[line.row] == store.sides.group[other.row] != 0:
            continue  # family laterality
        if (sides[0] == sides[1] or 0 in sides) and not _apart(case, line, other):
            return other
    return None


def _apart(case: Case, line: Line, other: Line) -> bool:
    """Whether the two are different members of a category of several ("atrial fibrillation and flutter")."""
    category = case.store.row("icd-10-cm", line.key[:3])
    if category is None:
        return False
    named = frozenset(content_stems(case.store.title(category)))
    mine, theirs = (named & frozenset(content_stems(case.title(x))) for x in (line, other))
    return bool(mine - theirs) and bool(theirs - mine)


def _named(case: Case, line: Line) -> Iterator[Finding]:
    store = case.store
    options = [(row, needed) for row, needed in store.vague.options(line.row) if store.valid(case.day)[row]]
    for before, words, after in clauses(case, line) if options else ():
        stems = frozenset(content_stems(f"{before} {words} {after}"))
        if stems & _DENIALS:
            continue
        fits = [(len(needed), row) for row, needed in options if needed <= stems]
        most = max(fits, default=(0, 0))[0]
        best = [row for number, row in fits if number == most]
        if len(best) == 1:
            code = store.code(best[0])
            said = " ".join(f"{before[-40:]}{words}{after[:40]}".split())
            yield RULES["named-in-note"].finding(
                f'{line.code} is unspecified, and the note says "{said}", which is {code}',
                [line.code],
                f"report {code} ({store.title(best[0])}) in place of {line.code}",
            )
            return

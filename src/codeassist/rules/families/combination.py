"""Conditions that one code holds together, and symptoms that belong to a coded condition."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from codeassist.result import Finding
from codeassist.rules.case import Case, Line
from codeassist.rules.combinations import Combination, combinations
from codeassist.rules.family import read_rules
from codeassist.rules.integral import integral_table
from codeassist.rules.tables import read_table
from codeassist.terminology.laterality import LEFT, RIGHT

RULES = read_rules("combination")
_WEIGHT = tuple(part for (part,) in read_table("weight_diagnoses", 1))


def check_combination(case: Case) -> Iterator[Finding]:
    """An error for conditions apart that one code holds, a warning for what is presumed related, an info for a
    combination that may be called for as well; a warning for symptoms that a coded condition includes."""
    lines = {line.key: line for line in case.diagnoses if line.row >= 0}
    if len(lines) > 1:
        prefixes = _prefixes(lines)
        yield from _combined(case, lines, prefixes)
        yield from _integral(case, lines, prefixes)
    for key, line in lines.items():
        if key.startswith("Z68") and not any(k.startswith(_WEIGHT) for k in lines):
            yield RULES["bmi-alone"].finding(
                f"{line.code} stands without a diagnosis that the body mass index goes with",
                [line.code],
                "add the weight diagnosis that the provider documents (such as E66.9, E66.3 or R63.6), "
                f"or remove {line.code}",
            )


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the table with its prefixes as sets: those of a claim's codes are looked up in them at once."""

    table: Combination
    standing: frozenset[str]
    parts: tuple[frozenset[str], ...]


@cache
def _by_category() -> Mapping[str, tuple[tuple[int, _Line], ...]]:
    """The table's lines by the categories of their first part and of the combination."""
    out: dict[str, dict[int, _Line]] = defaultdict(dict)
    for n, c in enumerate(combinations("rules")):
        line = _Line(c, frozenset(c.standing), tuple(frozenset(p) for p in c.parts))
        for prefix in (*c.parts[0], *c.standing):
            out[prefix[:3]][n] = line
    return {category: tuple(found.items()) for category, found in out.items()}


def _prefixes(keys: Iterable[str]) -> frozenset[str]:
    """All prefixes of the keys, from three characters on."""
    return frozenset(key[:n] for key in keys for n in range(3, len(key) + 1))


def _combined(case: Case, lines: Mapping[str, Line], prefixes: frozenset[str]) -> Iterator[Finding]:
    near: dict[int, _Line] = {}
    for category in {key[:3] for key in lines}:
        near.update(_by_category().get(category, ()))
    used: list[set[str]] = []
    told: set[tuple[str, ...]] = set()
    for n in sorted(near):
        c = near[n].table
        if not near[n].standing.isdisjoint(prefixes):
            codes = _left(c, lines)
            if codes and codes not in told:
                told.add(codes)
                yield _beside(c, codes)
        elif not any(part.isdisjoint(prefixes) for part in near[n].parts):
            every = {k for k in lines if any(k.startswith(part) for part in c.parts)}
            row = case.store.row("icd-10-cm", c.key)
            if row is None or len(every) < 2 or any(every <= seen for seen in used):
                continue
            used.append(every)
            members = sorted((lines[k] for k in every), key=lambda line: line.place)
            if len({int(case.store.sides.side[line.row]) for line in members} & {LEFT, RIGHT}) < 2:
                yield _apart(case, c, members, row)


def _left(c: Combination, lines: Mapping[str, Line]) -> tuple[str, ...]:
    """A combination on the list and the codes beside it that it holds already; nothing when there are none."""
    if not c.replaces or c.rule == "presumed-link":
        return ()
    standing = [k for k in lines if k.startswith(c.standing)]
    left = [lines[k].code for k in lines if k.startswith(c.replaces) and k not in standing]
    return (lines[standing[0]].code, *left) if left else ()


def _beside(c: Combination, codes: tuple[str, ...]) -> Finding:
    whole, *left = codes
    return RULES[c.rule].finding(
        f"{' and '.join(left)} is within the combination code {whole}",
        codes,
        f"remove {' and '.join(left)}",
        _reference(c),
    )


def _apart(case: Case, c: Combination, parts: list[Line], row: int) -> Finding:
    store = case.store
    code = store.code(row) if store.billable[row] else f"{store.code(row)}-"
    names = " and ".join(line.code for line in parts)
    gone = [line.code for line in parts if c.replaces and line.key.startswith(c.replaces)]
    kept = [line.code for line in parts if line.code not in gone]
    message = {
        "replaced-by": f"{names} are one combination code, {code}",
        "unless-unrelated": f"{names} are taken as related unless the note says otherwise: {code}",
        "presumed-link": f"{names} together may call for {code}",
    }[c.rule]
    fix = f"report {code} in place of {' and '.join(gone)}" if gone else f"add {code} if the note relates the two"
    if gone and kept:
        fix += f", beside {' and '.join(kept)}"
    return RULES[c.rule].finding(message, [line.code for line in parts], fix, _reference(c))


def _reference(c: Combination) -> str:
    return f"ICD-10-CM guidelines {c.reference}" if c.reference.startswith("I.") else f"ICD-10-CM, {c.reference}"


@cache
def _conditions() -> Mapping[str, frozenset[str]]:
    """Condition prefixes by symptom prefix."""
    out: dict[str, frozenset[str]] = {}
    for symptoms, conditions in integral_table("rules"):
        for symptom in symptoms:
            out[symptom] = out.get(symptom, frozenset()) | frozenset(conditions)
    return out


def _integral(case: Case, lines: Mapping[str, Line], prefixes: frozenset[str]) -> Iterator[Finding]:
    table = _conditions()
    for symptom in sorted(prefixes & table.keys()):
        if table[symptom].isdisjoint(prefixes):
            continue
        conditions = tuple(table[symptom])
        for key, line in lines.items():
            if key.startswith(symptom):
                yield from _belongs(case, line, [lines[k] for k in lines if k != key and k.startswith(conditions)])


def _belongs(case: Case, line: Line, conditions: Iterable[Line]) -> Iterator[Finding]:
    """The finding on a symptom beside the first of its conditions that may be of the same side."""
    for condition in sorted(conditions, key=lambda other: other.place):
        if _same(case, line, condition):
            yield RULES["integral-symptom"].finding(
                f"{line.code} belongs to {condition.code} and is not coded beside it",
                [line.code, condition.code],
                f"remove {line.code} unless the note gives it another cause than {condition.code}",
            )
            return


def _same(case: Case, symptom: Line, condition: Line) -> bool:
    """Whether both may be of one side."""
    side = case.store.sides.side
    return {int(side[symptom.row]), int(side[condition.row])} != {LEFT, RIGHT}

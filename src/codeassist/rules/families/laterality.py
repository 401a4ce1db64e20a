"""Sides of the body: one code for both sides, no side against another, and the side that the note names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from codeassist.result import Finding
from codeassist.rules.case import Case, Line
from codeassist.rules.clauses import clauses
from codeassist.rules.family import read_rules
from codeassist.rules.tables import read_table
from codeassist.terminology.laterality import BILATERAL, LEFT, ONE_SIDE, RIGHT, UNSPECIFIED

RULES = read_rules("laterality")
SIDE_NAMES = {RIGHT: "right", LEFT: "left", BILATERAL: "both sides"}
_BOTH = "50"
MODIFIER_SIDES = {
    modifier: {"right": RIGHT, "left": LEFT}[side]
    for side, modifiers in read_table("side_modifiers", 2)
    for modifier in modifiers.split()
}
"""Modifiers that name a side, or a digit, eyelid or toe of one."""
_WORDS = {"right": RIGHT, "rt": RIGHT, "left": LEFT, "lt": LEFT, "bilateral": BILATERAL, "bilaterally": BILATERAL}
_NOT_A_SIDE = frozenset("now away handed hand-dominant the without ama against home work before after alone".split())
"""Words after "right" or "left" that make something else of it ("left the hospital", "right now")."""
_STRIPPED = ".,()[]'\""


def check_laterality(case: Case) -> Iterator[Finding]:
    """An error for both sides apart where one code holds them, for a side beside both or none, and for a modifier
    against the diagnosis; a warning where the note names the side that the code leaves open."""
    sides = case.store.sides
    groups: dict[int, list[tuple[int, Line]]] = defaultdict(list)
    side_of: dict[str, int] = {}
    for line in case.diagnoses:
        if line.row < 0:
            continue
        group = int(sides.group[line.row])
        if group:
            side = side_of[line.code] = int(sides.side[line.row])
            groups[group].append((side, line))
    for members in groups.values():
        if len(members) > 1:
            yield from _contradictions(case, members)
        elif members[0][0] == UNSPECIFIED and members[0][1].coded.evidence:
            yield from _named(case, members[0][1])
    for line in case.services:
        if line.coded.modifiers and line.coded.diagnoses:
            yield from _modifier(line, side_of)


def _contradictions(case: Case, members: list[tuple[int, Line]]) -> Iterator[Finding]:
    by_side: dict[int, list[Line]] = defaultdict(list)
    for side, line in members:
        by_side[side].append(line)
    one_sided = [line for side, line in members if side in (RIGHT, LEFT, ONE_SIDE)]
    if BILATERAL in by_side and one_sided:
        both = by_side[BILATERAL][0]
        codes = [line.code for line in one_sided]
        yield RULES["bilateral-and-side"].finding(
            f"{both.code} holds both sides, and {' and '.join(codes)} one of them",
            [both.code, *codes],
            f"keep {both.code} alone, or the one side alone if only that is meant",
        )
    elif RIGHT in by_side and LEFT in by_side:
        right, left = by_side[RIGHT][0], by_side[LEFT][0]
        row = case.store.sides.sibling(right.row, BILATERAL)
        if row >= 0 and case.store.valid(case.day)[row]:
            code = case.store.code(row)
            yield RULES["both-sides"].finding(
                f"{right.code} and {left.code} are the two sides of one condition, which {code} holds in one code",
                [right.code, left.code],
                f"report {code} in place of {right.code} and {left.code}",
            )
    if UNSPECIFIED in by_side and len(by_side) > 1:
        vague = by_side[UNSPECIFIED][0]
        named = next(line for side, line in members if side != UNSPECIFIED)
        yield RULES["unspecified-and-side"].finding(
            f"{vague.code} leaves the side open that {named.code} names",
            [vague.code, named.code],
            f"remove {vague.code}, or give it the side that it stands for",
        )


def _named(case: Case, line: Line) -> Iterator[Finding]:
    for before, words, after in clauses(case, line):
        found = _sides(f"{before} {words} {after}")
        row = case.store.sides.sibling(line.row, found.pop()) if len(found) == 1 else -1
        if row >= 0 and case.store.valid(case.day)[row]:
            code = case.store.code(row)
            said = " ".join(f"{before[-30:]}{words}{after[:30]}".split())
            yield RULES["side-named"].finding(
                f'{line.code} leaves the side open, and the note names it: "{said}"',
                [line.code],
                f"report {code} if that is the side meant",
            )
            return


def _sides(clause: str) -> set[int]:
    words = [w.strip(_STRIPPED) for w in clause.lower().replace("-", " ").split()]
    following = [*words[1:], ""]
    found = {_WORDS[w] for w, after in zip(words, following, strict=True) if w in _WORDS and after not in _NOT_A_SIDE}
    return {BILATERAL} if found in ({RIGHT, LEFT}, {BILATERAL}) and "bilateral" in clause.lower() else found


def _modifier(line: Line, side_of: dict[str, int]) -> Iterator[Finding]:
    """A service's side against the sides of the diagnoses that it is linked to: one that fits is enough."""
    linked = {code: side_of[code] for code in line.coded.diagnoses if code in side_of}
    if not linked or len(linked) < len(line.coded.diagnoses):
        return  # a diagnosis without a side fits either
    for modifier in line.coded.modifiers:
        side = MODIFIER_SIDES.get(modifier)
        if side is not None and all(s == LEFT + RIGHT - side for s in linked.values()):
            yield RULES["modifier-side"].finding(
                f"{line.code}-{modifier} is a service on the {SIDE_NAMES[side]}, and "
                f"{' and '.join(linked)} a condition of the {SIDE_NAMES[LEFT + RIGHT - side]}",
                [line.code, *linked],
                "correct the modifier, the diagnosis, or the link between them",
            )
        elif modifier == _BOTH and len(set(linked.values())) == 1 and set(linked.values()) <= {RIGHT, LEFT}:
            yield RULES["modifier-50"].finding(
                f"{line.code}-50 is a service on both sides, and {' and '.join(linked)} names one side",
                [line.code, *linked],
                "link the diagnosis of both sides, or report the service with RT or LT",
            )

"""Sides of the body: which ICD-10-CM codes name the same condition on another side (guideline I.B.13)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from codeassist.terminology.codes import Code
from codeassist.terminology.layout import IndexWriter

NO_SIDE, RIGHT, LEFT, BILATERAL, UNSPECIFIED, ONE_SIDE = range(6)
"""Values of :attr:`Sides.side`; ``ONE_SIDE`` is "unilateral" where the title does not say which."""
_NAMED = {"right": RIGHT, "left": LEFT}
_HERE = "*"
_DROPPED = frozenset({"unilateral", "dominant", "nondominant"})
_PUNCTUATION = str.maketrans(",()", "   ")
_BILATERAL = frozenset({"bilateral", "both"})
_LOOSE = frozenset(
    "of the in and on with eye ear orbit side leg arm extremity hip knee hand foot lung breast hearing "
    "unrestricted contralateral".split()
)
"""Words that a bilateral code's title may lack or add beside its one-sided sibling's."""


@dataclass(frozen=True, slots=True)
class Sides:
    """By row: the group of codes that differ by side alone (0: none), and the side. ``member`` has a line a group and
    a column a side: the row of that code, or -1."""

    group: np.ndarray
    side: np.ndarray
    member: np.ndarray

    def sibling(self, row: int, side: int) -> int:
        """The row of the code for the same condition on ``side``, or -1."""
        group = int(self.group[row])
        return int(self.member[group, side]) if group else -1


def write_sides(writer: IndexWriter, codes: Sequence[Code]) -> np.ndarray:
    """Write the arrays of :class:`Sides` for the codes in their order, and return the side of each."""
    groups: list[dict[int, int]] = []
    group, side = np.zeros(len(codes), dtype=np.int32), np.zeros(len(codes), dtype=np.uint8)
    categories: dict[str, list[int]] = defaultdict(list)
    for row, code in enumerate(codes):
        if code.system == "icd-10-cm" and code.billable:
            categories[code.key[:3]].append(row)
    for rows in categories.values():
        for members in _grouped(codes, rows):
            groups.append({})
            for row, which in members:
                group[row], side[row] = len(groups), which
                best = groups[-1].get(which)
                if best is None or (codes[row].last, -row) > (codes[best].last, -best):
                    groups[-1][which] = row
    member = np.full((len(groups) + 1, ONE_SIDE + 1), -1, dtype=np.int32)
    for number, by_side in enumerate(groups, 1):
        for which, row in by_side.items():
            member[number, which] = row
    writer.array("side_group", group)
    writer.array("side", side)
    writer.array("side_member", member)
    return side


def _grouped(codes: Sequence[Code], rows: Sequence[int]) -> Iterator[list[tuple[int, int]]]:
    """The groups of one category: rows with their sides."""
    words = {row: _words(codes[row].title) for row in rows}
    groups: dict[tuple[str, ...], list[tuple[int, int]]] = defaultdict(list)
    rest = []
    for row in rows:
        sides = set(words[row]) & set(_NAMED)
        if len(sides) == 1:
            word = sides.pop()
            groups[tuple(_HERE if w == word else w for w in words[row])].append((row, _NAMED[word]))
        elif not sides:
            rest.append(row)
    for template in [t for t, members in groups.items() if len({s for _, s in members}) < 2]:
        del groups[template]  # "left heart failure" without a right one is not a matter of sides
    loose = _by_parent(codes, groups)
    for row in rest:
        found = _unspecified(codes[row], words[row], groups, loose)
        if found is not None:
            groups[found].append((row, UNSPECIFIED))
    bags = [(t, frozenset(t) - {_HERE}, _stem(codes[members[0][0]])) for t, members in groups.items()]
    for row in rest:
        if _BILATERAL & set(words[row]):
            bag = frozenset(words[row]) - _BILATERAL
            stem = _stem(codes[row])
            near = [(len(bag ^ other), own != stem, t) for t, other, own in bags if (bag ^ other) <= _LOOSE]
            if near:
                groups[min(near)[2]].append((row, BILATERAL))
            else:
                _unilateral(codes, rows, row, words, groups)
    yield from groups.values()


def _by_parent(
    codes: Sequence[Code], groups: dict[tuple[str, ...], list[tuple[int, int]]]
) -> dict[tuple[str, tuple[str, ...]], tuple[str, ...]]:
    """Groups by stem and title without the word after the side ("unspecified extremity" stands beside "right leg")."""
    out = {}
    for template, members in groups.items():
        i = template.index(_HERE)
        for row, _ in members:
            out[_stem(codes[row]), (*template[: i + 1], *template[i + 2 :])] = template
    return out


def _unspecified(
    code: Code,
    words: tuple[str, ...],
    groups: dict[tuple[str, ...], list[tuple[int, int]]],
    loose: dict[tuple[str, tuple[str, ...]], tuple[str, ...]],
) -> tuple[str, ...] | None:
    """The group whose title this one repeats with "unspecified" in the place of the side."""
    places = [i for i, w in enumerate(words) if w == "unspecified"]
    for i in reversed(places):
        template = (*words[:i], _HERE, *words[i + 1 :])
        if template in groups:
            return template
    for i in reversed(places):
        near = loose.get((_stem(code), (*words[:i], _HERE, *words[i + 2 :])))
        if near is not None and words[i + 1 : i + 2] == ("extremity",):
            return near
    return None


def _unilateral(
    codes: Sequence[Code],
    rows: Iterable[int],
    bilateral: int,
    words: dict[int, tuple[str, ...]],
    groups: dict[tuple[str, ...], list[tuple[int, int]]],
) -> None:
    """Pair a bilateral code with one that says "unilateral" and no more (K40.20, K40.90)."""
    bag = frozenset(words[bilateral]) - _BILATERAL
    for row in rows:
        if "unilateral" in codes[row].title.lower() and not frozenset(words[row]) ^ bag:
            groups[words[row]] = [(row, ONE_SIDE), (bilateral, BILATERAL)]
            return


def _stem(code: Code) -> str:
    """The key without the character that tells sides apart and a 7th character."""
    return code.key[:5] if len(code.key) == 7 else code.key[:-1]


def _words(title: str) -> tuple[str, ...]:
    """A title's words in the singular, without punctuation and what goes with one side only."""
    plain = title.lower().replace("(s)", "").translate(_PUNCTUATION)
    return tuple(_singular(w) for w in plain.split() if w not in _DROPPED)


def _singular(word: str) -> str:
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word == "feet":
        return "foot"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word

"""What belongs together in one code: the combination table and the parts that it finds in a note."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import cache
from importlib import resources

from codeassist.terminology.store import normal_key


@dataclass(frozen=True, slots=True)
class Combination:
    """One line of ``combinations.tsv``: prefixes for each part, the code, prefixes that it replaces."""

    parts: tuple[tuple[str, ...], ...]
    key: str
    replaces: tuple[str, ...]
    reference: str


@cache
def combinations() -> tuple[Combination, ...]:
    """The table, in its order."""
    text = (resources.files(__package__) / "combinations.tsv").read_text(encoding="utf-8")
    out = []
    for line in text.splitlines():
        if not line or line.startswith("#") or line.startswith("parts\t"):
            continue
        parts, code, replaces, reference = line.split("\t")
        out.append(
            Combination(
                tuple(tuple(p.strip().split("|")) for p in parts.split(" + ")),
                normal_key(code),
                tuple(r for r in replaces.split("|") if r),
                reference,
            )
        )
    return tuple(out)


@cache
def _first_characters() -> frozenset[str]:
    return frozenset(p[:3] for c in combinations() for part in c.parts for p in part)


def combine(keys: Mapping[str, int]) -> list[tuple[Combination, tuple[int, ...], Set[int]]]:
    """Combinations whose parts are all among ``keys`` (code without dot to any number): the numbers of
    the parts, and of those that the combination replaces.

    >>> [c.key for c, _, _ in combine({"I10": 0, "I509": 1})]
    ['I110']
    """
    near = {k: n for k, n in keys.items() if k[:3] in _first_characters()}
    if len(near) < 2:
        return []
    found: list[tuple[Combination, tuple[int, ...], Set[int]]] = []
    used: set[frozenset[int]] = set()
    for c in combinations():
        members = [[n for k, n in near.items() if k.startswith(part)] for part in c.parts]
        if not all(members):
            continue
        every = tuple(n for m in members for n in m)
        if any(set(every) <= seen for seen in used):
            continue  # a longer combination of the same conditions came first
        used.add(frozenset(every))
        found.append((c, every, {n for k, n in near.items() if n in every and k.startswith(c.replaces or ("?",))}))
    return found

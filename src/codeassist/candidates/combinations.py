"""What belongs together in one code: the parts of a combination that a note asserts."""

from __future__ import annotations

from collections.abc import Mapping, Set
from functools import cache

from codeassist.rules.combinations import Combination, combinations


@cache
def _first_characters() -> frozenset[str]:
    return frozenset(p[:3] for c in combinations("ranking") for part in c.parts for p in part)


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
    for c in combinations("ranking"):
        members = [[n for k, n in near.items() if k.startswith(part)] for part in c.parts]
        if not all(members):
            continue
        every = tuple(n for m in members for n in m)
        if any(set(every) <= seen for seen in used):
            continue  # a longer combination of the same conditions came first
        used.add(frozenset(every))
        found.append((c, every, {n for k, n in near.items() if n in every and k.startswith(c.replaces or ("?",))}))
    return found

"""The rows of the code table that the targets of instructional notes stand for."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from codeassist.terminology.codes import Code
from codeassist.terminology.instruction_targets import Target
from codeassist.terminology.layout import GROUPS

Ranges = tuple[tuple[int, int], ...]
"""Half-open ranges of rows, in order, apart from each other."""


class Resolver:
    """Turns targets into ranges of rows; ranges of categories run in the tabular's order (M1A stands before M10)."""

    def __init__(self, codes: Sequence[Code], categories: Sequence[str]) -> None:
        self._keys = [c.key for c in codes if c.system == "icd-10-cm"]
        self._order = {category: i for i, category in enumerate(categories)}
        self._categories = list(categories)
        blocks = {c.key: (c.parent or "").removeprefix("chapter ") for c in codes if c.system == GROUPS}
        self._chapters: dict[str, list[str]] = {}
        for code in codes:
            if code.system == "icd-10-cm" and code.parent_system == GROUPS:
                self._chapters.setdefault(blocks.get(code.parent or "", ""), []).append(code.key)

    def ranges(self, target: Target) -> Ranges:
        """Half-open ranges of rows; none when an end of the target is in no release."""
        if target.chapter:
            return merged(self._below(key) for key in self._chapters.get(target.chapter, ()))
        low, high = self._below(target.low), self._below(target.high)
        first, last = self._order.get(target.low[:3]), self._order.get(target.high[:3])
        if low[0] == low[1] or high[0] == high[1] or first is None or last is None or high[1] <= low[0]:
            return ()
        if first == last:
            whole = [(low[0], high[1])]
        else:
            between = [self._below(c) for c in self._categories[first + 1 : last]]
            whole = [(low[0], self._below(target.low[:3])[1]), *between, (self._below(target.high[:3])[0], high[1])]
        return merged(self._matching(whole, target) if target.test else whole)

    def tops(self, ranges: Ranges) -> list[int]:
        """The highest rows that lie in ranges with all that is below them."""
        out: list[int] = []
        for low, high in ranges:
            row = low
            while row < high:
                end = self._below(self._keys[row])[1]
                if end <= high:
                    out.append(row)
                row = end if end <= high else row + 1
        return out

    def _below(self, key: str) -> tuple[int, int]:
        return bisect_left(self._keys, key), bisect_left(self._keys, key + "\x7f")

    def _matching(self, ranges: Iterable[tuple[int, int]], target: Target) -> Iterator[tuple[int, int]]:
        assert target.test is not None
        for low, high in ranges:
            for row in range(low, high):
                if target.test(self._keys[row]):
                    yield row, row + 1


def tabular_order(codes: Sequence[Code]) -> list[str]:
    """The three-character categories in the tabular's order, in which M1A stands before M10.

    ``codes`` come in the order in which they were read: the tabular's, then what imports have added, which is put
    behind the category before it by name.
    """
    groups = {c.key: c for c in codes if c.system == GROUPS}
    out: list[str] = []
    late: list[str] = []
    reached = 0
    for code in codes:
        block = groups.get(code.parent or "") if code.parent_system == GROUPS and code.system != GROUPS else None
        if block is not None:
            chapter = int((block.parent or "").removeprefix("chapter ") or 0)
            (out if chapter >= reached else late).append(code.key)
            reached = max(reached, chapter)
    for key in sorted(late):
        before = max((k for k in out if k < key), default=None)
        out.insert(out.index(before) + 1 if before else 0, key)
    return out


def merged(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Ranges in order, with those that touch or overlap made one."""
    out: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if low >= high:
            continue
        if out and low <= out[-1][1]:
            out[-1] = out[-1][0], max(high, out[-1][1])
        else:
            out.append((low, high))
    return tuple(out)

"""The tabular's instructional notes: Excludes1, Excludes2, code first, use additional code, code also.

What a note means is told by the guidelines, sections I.A.11 to I.A.17. A note holds for its code, category, block or
chapter and for everything below it. The notes are parsed when the index is built
(:mod:`codeassist.terminology.instruction_index`) and read here from mapped arrays.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from codeassist.terminology.layout import Strings

Kind = Literal["excludes1", "excludes2", "code_first", "use_additional_code", "code_also"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_NUMBER = {kind: i for i, kind in enumerate(KINDS)}
CONDITIONAL = 1
"""Bit of a note whose wording leaves the second code to the circumstances ("if applicable", "any associated")."""
EXAMPLES = 2
"""Bit of a note whose codes are only examples ("such as"), or that names no code at all."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """One note. A heading and its indented lines are one note: any of the codes in it satisfies it.

    ``owner`` is the row of the code, block or chapter at which it stands; ``text`` the note as the tabular has it;
    ``written`` the codes and ranges as the tabular writes them (``E11.-``, ``I60-I69``); ``rows`` the same as ranges
    of rows, ordered, conditions such as "with fifth or sixth character 5" already applied; none for a note without
    codes. ``conditional`` and ``examples`` are :data:`CONDITIONAL` and :data:`EXAMPLES`.
    """

    number: int
    kind: Kind
    owner: int
    text: str
    written: tuple[str, ...]
    rows: tuple[range, ...]
    conditional: bool
    examples: bool

    def names(self, row: int) -> bool:
        """Whether the code in ``row`` is one of those that the note names."""
        i = bisect_right(self.rows, row, key=lambda r: r.start)
        return i > 0 and row in self.rows[i - 1]


class Instructions:
    """The notes of one index.

    ``parent`` is the index's row above each row, ``groups`` the first row of its blocks and chapters.
    """

    def __init__(self, folder: Path, parent: np.ndarray, groups: int) -> None:
        self._parent = parent
        self._at = _load(folder, "at")
        self._at_groups = int(np.searchsorted(self._at, groups))
        self._owner = _load(folder, "owner")
        self._kind = _load(folder, "kind")
        self._flags = _load(folder, "flags")
        self._set = _load(folder, "set")
        self._set_start = _load(folder, "set_start")
        self._low = _load(folder, "low")
        self._high = _load(folder, "high")
        self._edge = _load(folder, "edge")
        self._edge_start = _load(folder, "edge_start")
        self._edge_set = _load(folder, "edge_set")
        self._text = Strings(folder, "instruction_text")
        self._written = Strings(folder, "instruction_written")
        self._read = lru_cache(maxsize=16384)(self._note)
        self._holding = lru_cache(maxsize=16384)(self._notes_holding)
        self._naming = lru_cache(maxsize=16384)(self._sets_naming)

    def __len__(self) -> int:
        return len(self._owner)

    def __getitem__(self, number: int) -> Instruction:
        return self._read(number)

    def of(self, row: int, kind: Kind) -> tuple[Instruction, ...]:
        """The notes of a kind that hold for the code in ``row``: its own first, then those above it, nearest first."""
        return tuple(self._read(n) for n, _ in self._holding(row)[_NUMBER[kind]])

    def excluding(self, row: int) -> tuple[Instruction, ...]:
        """The Excludes1 notes that hold for the code in ``row``, nearest first."""
        return self.of(row, "excludes1")

    def own(self, row: int) -> tuple[Instruction, ...]:
        """The notes of all kinds that hold from ``row`` downwards, not those above it."""
        return tuple(self._read(n) for n in self._numbers(row))

    def between(self, first: int, second: int, kind: Kind) -> Instruction | None:
        """The nearest note of a kind that holds for ``first`` and names ``second``, or ``None``."""
        sets = self._naming(second)
        return next((self._read(n) for n, s in self._holding(first)[_NUMBER[kind]] if s in sets), None)

    def links(self, rows: Sequence[int], kind: Kind, groups: bool = True) -> Iterator[tuple[int, int, Instruction]]:
        """Each place ``i`` and another ``j`` in ``rows`` with a note of a kind that holds for ``i`` and names ``j``.

        ``groups`` says whether the notes of blocks and chapters count. Fast for a whole claim: the work grows with its
        codes and with what is found, not with its pairs.
        """
        naming = [self._naming(row) for row in rows]
        present = frozenset().union(*naming)
        number, last = _NUMBER[kind], len(self) if groups else self._at_groups
        for i, row in enumerate(rows):
            for note, found in self._holding(row)[number]:
                if found in present and note < last:
                    for j, sets in enumerate(naming):
                        if i != j and found in sets:
                            yield i, j, self._read(note)

    def unmet(self, rows: Sequence[int], kind: Kind) -> Iterator[tuple[int, Instruction]]:
        """Every place in ``rows`` with a note of a kind that holds for it and of whose codes none is among ``rows``.

        Notes without codes are left out.
        """
        present = frozenset().union(*(self._naming(row) for row in rows))
        for i, row in enumerate(rows):
            for number, of in self._holding(row)[_NUMBER[kind]]:
                if of >= 0 and of not in present:
                    yield i, self._read(number)

    def _above(self, row: int) -> Iterator[int]:
        while row >= 0:
            yield row
            row = int(self._parent[row])

    def _numbers(self, row: int) -> range:
        low, high = np.searchsorted(self._at, (row, row + 1))
        return range(int(low), int(high))

    def _notes_holding(self, row: int) -> tuple[tuple[tuple[int, int], ...], ...]:
        """By kind, the number and target set (below 0: none) of each note that holds for ``row``, nearest first."""
        found: list[list[tuple[int, int]]] = [[] for _ in KINDS]
        for above in self._above(row):
            numbers = self._numbers(above)
            low, high = numbers.start, numbers.stop
            kinds, sets = self._kind[low:high].tolist(), self._set[low:high].tolist()
            for number, kind, of in zip(numbers, kinds, sets, strict=True):
                found[kind].append((number, of))
        return tuple(tuple(notes) for notes in found)

    def _sets_naming(self, row: int) -> frozenset[int]:
        """The target sets that ``row`` belongs to; they are constant between two edges."""
        i = int(np.searchsorted(self._edge, row, side="right")) - 1
        if i < 0:
            return frozenset()
        return frozenset(self._edge_set[self._edge_start[i] : self._edge_start[i + 1]].tolist())

    def _note(self, number: int) -> Instruction:
        flags, of = int(self._flags[number]), int(self._set[number])
        low, high = (int(self._set_start[of]), int(self._set_start[of + 1])) if of >= 0 else (0, 0)
        written = self._written[number]
        return Instruction(
            number,
            KINDS[int(self._kind[number])],
            int(self._owner[number]),
            self._text[number],
            tuple(written.split("\t")) if written else (),
            tuple(range(int(a), int(b)) for a, b in zip(self._low[low:high], self._high[low:high], strict=True)),
            bool(flags & CONDITIONAL),
            bool(flags & EXAMPLES),
        )


def _load(folder: Path, name: str) -> np.ndarray:
    return np.asarray(np.load(folder / f"instruction_{name}.npy", mmap_mode="r", allow_pickle=False))

"""Candidates from the terminology: each mention gives the codes that its phrase stands for, at the leaf that
the words around it support."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from codeassist.candidates.patterns import resolve_pattern
from codeassist.nlp.reading import ReadNote
from codeassist.terminology.leaf import LeafPicker
from codeassist.terminology.store import Store


@dataclass(slots=True)
class MentionHits:
    """One row for each pair of a mention and a code: which document and mention, the code's row, how many
    attributes chose the leaf, whether the note leaves one open, and how many codes the mention stands for."""

    part: np.ndarray
    mention: np.ndarray
    row: np.ndarray
    matched: np.ndarray
    open: np.ndarray
    readings: np.ndarray

    def __len__(self) -> int:
        return len(self.part)


class MentionedCodes:
    """Turns the mentions of a note into codes."""

    def __init__(self, store: Store, leaves: LeafPicker) -> None:
        self._store = store
        self._leaves = leaves

    def __call__(self, read: ReadNote, day: int) -> MentionHits:
        rows: list[tuple[int, int, int, int, int, int]] = []
        target = self._store.phrases.row
        side_of_row: dict[int, frozenset[str]] = {}
        pending: list[tuple[int, int, int, int]] = []
        for p, part in enumerate(read.parts):
            mentions = part.notes.mentions
            assert mentions is not None
            found: dict[int, dict[int, tuple[int, int, int]]] = {}
            for m in range(len(mentions)):
                row = int(target[mentions.phrase[m]])
                start, end = int(mentions.start[m]), int(mentions.end[m])
                span = start * 100_003 + end
                choice = self._choose(part, row, start, end, day)
                if choice is None:
                    continue
                leaf, matched, left_open = choice
                if left_open and row >= 0:
                    pending.append((p, m, row, span))
                elif row >= 0 and matched:
                    side_of_row.setdefault(row, part.context.sides(start, end))
                found.setdefault(span, {}).setdefault(leaf, (m, matched, left_open))
            for by_leaf in found.values():
                for leaf, (m, matched, left_open) in by_leaf.items():
                    rows.append((p, m, leaf, matched, left_open, len(by_leaf)))
        table = np.array(rows, dtype=np.int64).reshape(-1, 6)
        self._carry_sides(read, table, pending, side_of_row, day)
        return MentionHits(*(np.ascontiguousarray(table[:, i]) for i in range(6)))

    def _choose(self, part: object, row: int, start: int, end: int, day: int) -> tuple[int, int, int] | None:
        from codeassist.nlp.reading import ReadDocument

        assert isinstance(part, ReadDocument)
        if row >= 0:
            if self._store.billable[row]:
                return (row, 0, 0) if self._store.valid(day)[row] else None
            leaf = self._leaves.pick(row, part.context.words(start, end), day)
            if leaf is None or leaf.unsupported:
                return None
            return leaf.row, len(leaf.matched), int(bool(leaf.missing) and not leaf.matched)
        choice = resolve_pattern(self._store.patterns[-1 - row], part.context.words(start, end))
        if choice is None:
            return None
        found = self._store.row("icd-10-pcs", choice.code)
        if found is None or not self._store.valid(day)[found]:
            return None
        return found, len(choice.matched), int(bool(choice.open))

    def _carry_sides(
        self,
        read: ReadNote,
        table: np.ndarray,
        pending: list[tuple[int, int, int, int]],
        side_of_row: dict[int, frozenset[str]],
        day: int,
    ) -> None:
        """A problem named again without its side keeps the side that the note gave it before ("left knee pain"
        in the history, "knee pain" in the assessment)."""
        for p, m, row, _ in pending:
            side = side_of_row.get(row)
            if not side:
                continue
            part = read.parts[p]
            mentions = part.notes.mentions
            assert mentions is not None
            words = part.context.words(int(mentions.start[m]), int(mentions.end[m])) | side
            leaf = self._leaves.pick(row, words, day)
            if leaf is None or leaf.unsupported:
                continue
            mine = (table[:, 0] == p) & (table[:, 1] == m)
            table[mine, 2] = leaf.row
            table[mine, 3] = len(leaf.matched)
            table[mine, 4] = 0

"""Candidates from the terminology: each mention gives the codes that its phrase stands for, at the leaf that
the words around it support."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from codeassist.candidates.combinations import combine
from codeassist.candidates.patterns import pattern_system, resolve_pattern
from codeassist.nlp.annotations import STATUSES
from codeassist.nlp.reading import ReadDocument, ReadNote
from codeassist.terminology.leaf import LeafPicker
from codeassist.terminology.store import Store
from codeassist.terminology.words import content_stems

_MENTIONS = 1 << 32
_TYPE_TWO = re.compile(r"\btype[ -]*(?:2|ii|two)\b|\b(?:t2dm|dm[ -]?2|dm[ -]?ii|t2d|niddm)\b", re.I)
_WIDE = 1_000_003
"""Above the number of tokens of a note: start and end of a span in one number."""
_DIABETES = ("E08", "E09", "E10", "E11", "E13")


@dataclass(slots=True)
class MentionHits:
    """One row for each pair of a mention and a code: which document and mention, the code's row, how many
    attributes chose the leaf, whether the note leaves one open, how many codes the mention stands for, and
    whether the code combines this mention with others (1) or is replaced by such a combination (2)."""

    part: np.ndarray
    mention: np.ndarray
    row: np.ndarray
    matched: np.ndarray
    open: np.ndarray
    readings: np.ndarray
    combined: np.ndarray

    def __len__(self) -> int:
        return len(self.part)


class MentionedCodes:
    """Turns the mentions of a note into codes."""

    def __init__(self, store: Store, leaves: LeafPicker) -> None:
        self._store = store
        self._leaves = leaves
        self._type_one_rows = store.prefix("icd-10-cm", "E10")

    def __call__(self, read: ReadNote, day: int) -> MentionHits:
        rows: list[tuple[int, int, int, int, int, int]] = []
        target = self._store.phrases.row
        side_of_row: dict[int, frozenset[str]] = {}
        pending: list[tuple[int, int, int, int]] = []
        type_one = self._type_one(read)
        for p, part in enumerate(read.parts):
            mentions = part.notes.mentions
            assert mentions is not None
            found: dict[int, dict[int, tuple[int, int, int]]] = {}
            columns = (target[mentions.phrase].tolist(), mentions.start.tolist(), mentions.end.tolist())
            for m, (phrase_row, start, end) in enumerate(zip(*columns, strict=True)):
                named = self._as_type_one(phrase_row) if type_one else phrase_row
                row = self._widened(named, day)
                span = start * _WIDE + end
                for leaf, matched, left_open in self._choose(part, row, named, start, end, day):
                    if left_open and row >= 0:
                        pending.append((p, m, row, span))
                    elif row >= 0 and matched:
                        side_of_row.setdefault(row, part.context.sides(start, end))
                    found.setdefault(span, {}).setdefault(leaf, (m, matched, left_open))
            self._resolve_nested(found)
            for by_leaf in found.values():
                for leaf, (m, matched, left_open) in by_leaf.items():
                    rows.append((p, m, leaf, matched, left_open, len(by_leaf)))
        table = np.array(rows, dtype=np.int64).reshape(-1, 6)
        self._carry_sides(read, table, pending, side_of_row, day)
        table = self._combine(read, table, day)
        return MentionHits(*(np.ascontiguousarray(table[:, i]) for i in range(7)))

    def _resolve_nested(self, found: dict[int, dict[int, tuple[int, int, int]]]) -> None:
        """Within a longer name a shorter one means what the longer says: "DM" in "type 2 DM" is not of type 1.

        ``found`` has the leaves by span. Of a nested span those leaves are dropped that are of another category than
        all leaves of a longer span, where others are of the same one; and diabetes of another type.
        """
        spans = np.array(list(found), dtype=np.int64)
        starts, ends = spans // _WIDE, spans % _WIDE
        order = np.lexsort((-ends, starts))
        spans, starts, ends = spans[order], starts[order], ends[order]
        longest = int((ends - starts).max(initial=0))
        nested = ends[1:] <= np.maximum.accumulate(ends)[:-1]
        for span, start, end in zip(*(column[1:][nested].tolist() for column in (spans, starts, ends)), strict=True):
            by_leaf = found[span]
            categories = {leaf: self._category(leaf) for leaf in by_leaf}
            typed = any(c.startswith(_DIABETES) for c in categories.values())
            if len(set(categories.values())) < 2 and not typed:
                continue
            near = slice(*np.searchsorted(starts, (end - longest, start + 1)))
            for outer in spans[near][(ends[near] >= end) & (ends[near] - starts[near] > end - start)].tolist():
                said = {self._category(leaf) for leaf in found[outer]}
                same = (said & set(categories.values())) - {""}
                if same or (typed and any(c.startswith(_DIABETES) for c in said)):
                    for leaf, category in categories.items():
                        if category and category not in said and (same or category.startswith(_DIABETES)):
                            by_leaf.pop(leaf, None)

    @lru_cache(maxsize=8192)  # noqa: B019 - lives as long as its store
    def _category(self, row: int) -> str:
        return self._store.key[row][:3].decode() if self._store.system[row] == 0 else ""

    def _combine(self, read: ReadNote, table: np.ndarray, day: int) -> np.ndarray:
        """Add the combination codes of conditions that the note asserts, with the mentions of all their parts."""
        table = np.column_stack([table, np.zeros(len(table), dtype=np.int64)])
        asserted: dict[str, int] = {}
        for p, m, row in table[:, :3].tolist():
            part = read.parts[p]
            assert part.notes.mentions is not None
            status = part.notes.status[part.notes.mentions.start[m]]
            if STATUSES[status] in ("present", "historical") and self._store.system[row] == 0:
                asserted[self._store.key[row].decode()] = row
        more = []
        for combination, parts, replaced in combine(asserted):
            whole = self._store.row("icd-10-cm", combination.key)
            if whole is None or not self._store.valid(day)[whole]:
                continue
            added = table[np.isin(table[:, 2], parts)].copy()
            added[:, 2], added[:, 6] = whole, 1
            more.append(added)
            table[np.isin(table[:, 2], list(replaced)), 6] = 2
        return np.concatenate([table, *more]) if more else table

    def _type_one(self, read: ReadNote) -> bool:
        """Whether the note says of the patient that the diabetes is of type 1, and nowhere that it is of type 2.

        Diabetes without a type is type 2 only where the note does not name one (guideline I.C.4.a.1, 2).
        """
        for part in read.parts:
            mentions = part.notes.mentions
            assert mentions is not None
            rows = self._store.phrases.row[mentions.phrase]
            named = (rows >= self._type_one_rows.start) & (rows < self._type_one_rows.stop)
            if (part.notes.status[mentions.start[named]] == STATUSES.index("present")).any():
                return not any(_TYPE_TWO.search(part.notes.text) for part in read.parts)
        return False

    def _as_type_one(self, row: int) -> int:
        key = self._store.key[row].decode() if row >= 0 else ""
        if not key.startswith("E11"):
            return row
        other = self._store.row("icd-10-cm", f"E10{key[3:]}")
        return row if other is None else other

    def _widened(self, row: int, day: int) -> int:
        """A phrase's target, or the category of which it is the default where it leaves something unspecified."""
        return self._leaves.widest(row, day) if row >= 0 and self._store.system[row] == 0 else row

    def _choose(
        self, part: ReadDocument, row: int, named: int, start: int, end: int, day: int
    ) -> list[tuple[int, int, int]]:
        """The codes that a phrase means here: row, attributes matched, whether one is left open. Two where both sides
        are meant and no bilateral code exists (guideline I.B.13).

        The phrase stands for ``named``, and is looked for below ``row``, which may be wider; a leaf found so must be
        said in full.
        """
        if row >= 0 and self._store.billable[row]:
            return [(row, 0, 0)] if self._store.valid(day)[row] else []
        words = part.context.words(start, end)
        if row < 0:
            choice = resolve_pattern(self._store.patterns[-1 - row], words)
            found = self._store.row(pattern_system(choice.code), choice.code) if choice else None
            if choice is None or found is None or not self._store.valid(day)[found]:
                return []
            return [(found, len(choice.matched), int(bool(choice.open)))]
        vocabulary = self._leaves.vocabulary(row)
        sides = [words]
        if "bilateral" in words and "bilateral" not in vocabulary and {"left", "right"} <= vocabulary:
            sides = [words - {"left"} | {"right"}, words - {"right"} | {"left"}]
        leaves = [self._leaves.pick(row, s, day) for s in sides]
        if row != named and any(leaf is None or leaf.unsupported or leaf.vague for leaf in leaves):
            leaves = [self._leaves.pick(named, s, day) for s in sides]
        return [
            (leaf.row, len(leaf.matched), int(bool(leaf.missing) and not leaf.matched))
            for leaf in leaves
            if leaf is not None and not leaf.unsupported
        ]

    @lru_cache(maxsize=8192)  # noqa: B019 - lives as long as its store
    def _organ(self, row: int) -> frozenset[str]:
        """The words of a category's title, among them its organ's."""
        return frozenset(content_stems(self._store.title(row)))

    def _carry_sides(
        self,
        read: ReadNote,
        table: np.ndarray,
        pending: list[tuple[int, int, int, int]],
        side_of_row: dict[int, frozenset[str]],
        day: int,
    ) -> None:
        """A problem named without its side keeps the side that the note gave it before ("left knee pain" in the
        history, "knee pain" in the assessment), or the only side that the note gives its organ."""
        order = np.lexsort((table[:, 1], table[:, 0]))
        places = table[order, 0] * _MENTIONS + table[order, 1]
        for p, m, row, _ in pending:
            part = read.parts[p]
            side = side_of_row.get(row) or part.context.side_of(self._organ(row))
            if not side:
                continue
            mentions = part.notes.mentions
            assert mentions is not None
            words = part.context.words(int(mentions.start[m]), int(mentions.end[m])) | side
            leaf = self._leaves.pick(row, words, day)
            if leaf is None or leaf.unsupported:
                continue
            low, high = np.searchsorted(places, (p * _MENTIONS + m, p * _MENTIONS + m + 1))
            mine = order[low:high]
            table[mine, 2] = leaf.row
            table[mine, 3] = len(leaf.matched)
            table[mine, 4] = 0

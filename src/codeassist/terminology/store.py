"""The store: answers by code, by prefix, by date and by text from the mapped index."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from codeassist.errors import InputError, TerminologyError
from codeassist.terminology.edits import Conversions, Edits
from codeassist.terminology.hcc import HccTable
from codeassist.terminology.instructions import Instructions
from codeassist.terminology.laterality import Sides
from codeassist.terminology.layout import FORMAT, GROUPS, META, SYSTEM_NAMES, SYSTEM_NUMBERS, Strings
from codeassist.terminology.ncci.store import FOLDER as NCCI_IMPORTS
from codeassist.terminology.ncci.store import Ncci
from codeassist.terminology.phrases import PhraseKind
from codeassist.terminology.vagueness import Vague

FIRST_DAY = 20221001
"""First day of the first edition held (FY2023)."""
_FOREVER = 99991231
_PREFIXES = {"icd-10-cm": 3}


@dataclass(frozen=True, slots=True)
class CodeEntry:
    """What a release says of a code. Dates are ``None`` where the tables set no end."""

    system: str
    code: str
    display: str
    billable: bool
    valid_from: date | None
    valid_to: date | None
    parent: str | None
    children: tuple[str, ...]
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    source: str = ""


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A code found by text; ``score`` runs from 0 to 1."""

    system: str
    code: str
    display: str
    score: float


@dataclass(frozen=True, slots=True)
class PhraseTable:
    """Phrases by key (sorted): the code row each stands for, or below zero a PCS pattern, and its kind."""

    key: np.ndarray
    row: np.ndarray
    kind: np.ndarray
    words: np.ndarray
    context: np.ndarray
    capitals: np.ndarray


class Store:
    """A mapped terminology index. Rows number its codes; they are stable within one index only."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            self.meta: dict[str, Any] = json.loads((folder / META).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise TerminologyError(
                f"no terminology index in {folder.name}: run `codeassist terminology build`"
            ) from None
        if self.meta.get("format") != FORMAT:
            raise TerminologyError("the terminology index has an older format: build it again")
        self.key = self._array("code_key")
        self.system = self._array("code_system")
        self.first = self._array("code_first")
        self.last = self._array("code_last")
        self.billable = self._array("code_billable")
        self.expanded = self._array("code_expanded")
        self.parent = self._array("code_parent")
        self._source = self._array("code_source")
        self._title = Strings(folder, "code_title")
        self._title_words = Strings(folder, "code_words")
        self._notes = Strings(folder, "code_notes")
        self._sources = Strings(folder, "source")
        self.phrases = PhraseTable(
            *(self._array(f"phrase_{n}") for n in ("key", "row", "kind", "words", "context", "capitals"))
        )
        self.sides = Sides(*(self._array(n) for n in ("side_group", "side", "side_member")))
        self.vague = Vague(
            self._array("vague_scope"),
            self._array("vague_pointer"),
            self._array("vague_row"),
            Strings(folder, "vague_words"),
        )
        self.edits = Edits(self._array("edit_day"), self._array("edit_flags"))
        self._conversions = Conversions(*(self._array(f"conversion_{n}") for n in ("old", "new", "day")))
        self.hcc = HccTable(folder)
        self.drg_surgical = self._array("drg_surgical")
        self.instructions = Instructions(folder, self.parent, int(np.searchsorted(self.system, SYSTEM_NUMBERS[GROUPS])))
        self.ncci = Ncci(folder, folder.parent / NCCI_IMPORTS)
        self.form_key = self._array("form_key")
        self.form_value = self._array("form_value")
        self.contexts: list[tuple[str, ...]] = [tuple(c) for c in self.meta["contexts"]]
        self.patterns: list[str] = self.meta["patterns"]
        self.releases: dict[str, str] = self.meta["releases"]
        bounds = np.searchsorted(self.system, np.arange(len(SYSTEM_NAMES) + 1))
        self._bounds = {name: (int(bounds[i]), int(bounds[i + 1])) for i, name in enumerate(SYSTEM_NAMES)}
        self._code = lru_cache(maxsize=65536)(self._format_code)
        self._valid = lru_cache(maxsize=8)(self._valid_rows)

    def _array(self, name: str) -> np.ndarray:
        return np.asarray(np.load(self.folder / f"{name}.npy", mmap_mode="r", allow_pickle=False))

    def __len__(self) -> int:
        return len(self.key)

    # -- by code -----------------------------------------------------------------------------------

    def row(self, system: str, code: str) -> int | None:
        """The row of a code, written with or without its dot, or ``None``."""
        key = normal_key(code).encode("ascii", "replace")
        low, high = self._range(system)
        i = low + int(np.searchsorted(self.key[low:high], key))
        return i if i < high and self.key[i] == key else None

    def get(self, system: str, code: str) -> CodeEntry | None:
        """Everything known of a code, or ``None``; raises :class:`InputError` for an unknown system."""
        row = self.row(system, code)
        return None if row is None else self.entry(row)

    def entry(self, row: int) -> CodeEntry:
        """Everything known of the code in ``row``."""
        parent = int(self.parent[row])
        return CodeEntry(
            system=self.system_name(row),
            code=self.code(row),
            display=self.title(row),
            billable=bool(self.billable[row]),
            valid_from=_day(int(self.first[row])),
            valid_to=_day(int(self.last[row])),
            parent=self.code(parent) if parent >= 0 else None,
            children=tuple(self.code(c) for c in self.children(row)),
            notes=self.notes(row),
            source=self._sources[int(self._source[row])],
        )

    def code(self, row: int) -> str:
        """The code as it is written on a claim, with its dot."""
        return self._code(row)

    def _format_code(self, row: int) -> str:
        key = self.key[row].decode()
        return f"{key[:3]}.{key[3:]}" if self.system[row] == 0 and len(key) > 3 else key

    def title(self, row: int) -> str:
        """The code's title in its release."""
        return self._title[row]

    def title_words(self, row: int) -> frozenset[str]:
        """The stems of what the code's title says is there; none where no title is held."""
        return frozenset(self._title_words[row].split())

    def notes(self, row: int) -> dict[str, tuple[str, ...]]:
        """The tabular's notes at this code (not those above it), by kind."""
        raw = self._notes[row]
        return {k: tuple(v) for k, v in json.loads(raw).items()} if raw else {}

    def system_name(self, row: int) -> str:
        """The code system of a row; chapters and blocks count as ICD-10-CM."""
        name = SYSTEM_NAMES[int(self.system[row])]
        return "icd-10-cm" if name == GROUPS else name

    # -- by prefix and hierarchy -------------------------------------------------------------------

    def subtree(self, row: int) -> range:
        """The rows of a code and of everything below it (ICD-10-CM and ICD-10-PCS by prefix)."""
        low, high = self._bounds[SYSTEM_NAMES[int(self.system[row])]]
        key = bytes(self.key[row])
        stop = low + int(np.searchsorted(self.key[low:high], key + b"\x7f"))
        return range(row, stop)

    def prefix(self, system: str, prefix: str) -> range:
        """The rows whose code begins with ``prefix``."""
        low, high = self._range(system)
        key = normal_key(prefix).encode("ascii", "replace")
        keys = self.key[low:high]
        return range(low + int(np.searchsorted(keys, key)), low + int(np.searchsorted(keys, key + b"\x7f")))

    def children(self, row: int) -> list[int]:
        """The rows one step below."""
        if SYSTEM_NAMES[int(self.system[row])] == GROUPS:
            return [int(r) for r in np.flatnonzero(self.parent == row)]
        below = self.subtree(row)
        return [below.start + int(i) for i in np.flatnonzero(self.parent[below.start : below.stop] == row)]

    # -- by date -----------------------------------------------------------------------------------

    def day(self, on: date) -> int:
        """``on`` as yyyymmdd, moved into the days that the editions cover (the nearest release)."""
        return min(max(on.year * 10000 + on.month * 100 + on.day, FIRST_DAY), int(self.meta["covered_until"]))

    def covers(self, on: date) -> bool:
        """Whether an edition held here was in force on that day."""
        return self.day(on) == on.year * 10000 + on.month * 100 + on.day

    def valid(self, day: int) -> np.ndarray:
        """For every row, whether it is billable on ``day`` (yyyymmdd)."""
        return self._valid(day)

    def _valid_rows(self, day: int) -> np.ndarray:
        return np.asarray(self.billable & (self.first <= day) & (day <= self.last))

    def successors(self, row: int, day: int) -> list[int]:
        """The rows, billable on ``day`` (yyyymmdd), that took the place of one that had ended by then; rows in order.

        CMS's conversions, over several editions where need be; where they say nothing, the codes below it.
        """
        valid = self.valid(day)
        found: set[int] = set()
        seen, ahead = {row}, [row]
        while ahead:
            old = ahead.pop()
            for new in self._conversions.after(old, int(self.last[old])):
                if valid[new]:
                    found.add(new)
                elif new not in seen:
                    seen.add(new)
                    ahead.append(new)
        return sorted(found) or [r for r in self.subtree(row) if valid[r] and r != row]

    def predecessors(self, row: int, day: int) -> list[int]:
        """The rows, billable on ``day`` (yyyymmdd), whose place, or a part of it, ``row`` took later: by CMS's
        conversions, else the code that became its category."""
        valid = self.valid(day)
        before = sorted({r for r in self._conversions.before(row) if valid[r]})
        above = int(self.parent[row])
        return before or ([above] if above >= 0 and valid[above] else [])

    def count(self, system: str, on: date) -> int:
        """How many codes of a system are billable on a day."""
        low, high = self._range(system)
        return int(self.valid(self.day(on))[low:high].sum())

    # -- by text -----------------------------------------------------------------------------------

    def search(self, text: str, system: str | None = None, on: date | None = None, limit: int = 20) -> list[SearchHit]:
        """Codes for a code, title, synonym, abbreviation or misspelling, best first.

        Only codes billable on ``on`` (today unless given) and categories that lead to one.
        """
        from codeassist.terminology.search import Searcher

        if self._searcher is None:
            self._searcher = Searcher(self)
        if system is not None:
            self._range(system)
        hits: list[SearchHit] = self._searcher.find(text, system, self.day(on or date.today()), limit)
        return hits

    _searcher: Any = None
    site_headings: Mapping[str, str] = {}
    site_cues: tuple[tuple[str, str, bool, int], ...] = ()

    def with_phrases(self, key: np.ndarray, code: np.ndarray, words: np.ndarray, kind: PhraseKind) -> Store:
        """This store with more phrases for ICD-10-CM codes; phrases of codes that it lacks are left out."""
        if not len(key):
            return self
        low, high = self._range("icd-10-cm")
        keys = self.key[low:high]
        at = np.minimum(np.searchsorted(keys, code), high - low - 1)
        known = keys[at] == code
        key, row, words = key[known], (at[known] + low).astype(np.int32), words[known]
        table = self.phrases
        place = np.searchsorted(table.key, key, side="right")
        other = copy(self)
        other.phrases = PhraseTable(
            np.insert(table.key, place, key),
            np.insert(table.row, place, row),
            np.insert(table.kind, place, int(kind)),
            np.insert(table.words, place, words),
            np.insert(table.context, place, 0),
            np.insert(table.capitals, place, False),
        )
        return other

    def phrase_kind(self, i: int) -> PhraseKind:
        """The kind of phrase ``i``."""
        return PhraseKind(int(self.phrases.kind[i]))

    def _range(self, system: str) -> tuple[int, int]:
        try:
            return self._bounds[system]
        except KeyError:
            names = ", ".join(n for n in SYSTEM_NAMES if n != GROUPS)
            raise InputError(f"unknown code system {system!r}: use {names}") from None

    def system_range(self, system: str) -> tuple[int, int]:
        """First row of a system, and the row after its last."""
        return self._range(system)


def normal_key(code: str) -> str:
    """A code as the index keys it: capitals, no dot, no blanks (chapters and blocks as they are)."""
    text = code.strip()
    return text if text.startswith("chapter ") else text.upper().replace(".", "").replace(" ", "")


def _day(value: int) -> date | None:
    return None if value in (0, _FOREVER) else date(value // 10000, value // 100 % 100, value % 100)


__all__ = ["SYSTEM_NUMBERS", "CodeEntry", "PhraseTable", "SearchHit", "Store"]

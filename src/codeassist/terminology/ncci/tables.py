"""What an NCCI table answers about the codes of a claim. Codes are numbers (:func:`.layout.code_number`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from codeassist.terminology.ncci.layout import CODE_BITS, AddOns, Pairs, Units

NOT_APPLICABLE = 9
"""Modifier indicator of pairs that were withdrawn as of their first day."""
_BITS = np.uint64(CODE_BITS)
_CODE = (1 << CODE_BITS) - 1


@dataclass(frozen=True, slots=True)
class Limit:
    """The most units of a code, and whether they count by line (1), by day and absolutely (2), or by day (3)."""

    units: int
    indicator: int


@dataclass(frozen=True, slots=True)
class AddOn:
    """An add-on code's type (1, 2, 3) and the primary codes listed for it."""

    kind: int
    primaries: frozenset[int]


@dataclass(frozen=True)
class PairTable:
    """Pairs of an edition; ``name`` says which one, for a reader."""

    name: str
    rows: Pairs

    def among(self, codes: Iterable[int], day: int) -> list[tuple[int, int, int]]:
        """Pairs of ``codes`` in force on ``day`` (yyyymmdd), in either direction: column 1, column 2, indicator."""
        keys = self.rows.key
        numbers = np.array(sorted(set(codes)), dtype=np.uint64)
        if len(numbers) < 2 or not len(keys):
            return []
        wanted = ((numbers[:, None] << _BITS) | numbers).ravel()
        at = np.searchsorted(keys, wanted)
        hits = np.flatnonzero(keys[np.minimum(at, len(keys) - 1)] == wanted)
        out = []
        for key, row in zip(wanted[hits].tolist(), at[hits].tolist(), strict=True):
            indicator = self._in_force(key, row, day)
            if indicator is not None:
                out.append((key >> CODE_BITS, key & _CODE, indicator))
        return out

    def _in_force(self, key: int, row: int, day: int) -> int | None:
        """The indicator on ``day`` of the pair whose first row is ``row``: it has one row for each span of days."""
        table = self.rows
        while row < len(table.key) and int(table.key[row]) == key:
            indicator = int(table.indicator[row])
            if table.first[row] <= day <= table.last[row] and indicator != NOT_APPLICABLE:
                return indicator
            row += 1
        return None


@dataclass(frozen=True)
class UnitTable:
    """Unit limits of an edition."""

    name: str
    rows: Units

    def limit(self, code: int) -> Limit | None:
        """The limit of a code, where the table has one."""
        row = int(np.searchsorted(self.rows.code, code)) if code >= 0 else len(self.rows)
        if row >= len(self.rows) or int(self.rows.code[row]) != code:
            return None
        return Limit(int(self.rows.units[row]), int(self.rows.indicator[row]))


@dataclass(frozen=True)
class AddOnTable:
    """Add-on codes of an edition."""

    name: str
    rows: AddOns

    def among(self, codes: Iterable[int], day: int) -> dict[int, AddOn]:
        """The add-on codes of ``codes`` on ``day`` (yyyymmdd) with their primary codes."""
        numbers = np.array(sorted(set(codes)), dtype=np.uint64)
        low = np.searchsorted(self.rows.key, numbers << _BITS)
        high = np.searchsorted(self.rows.key, (numbers + np.uint64(1)) << _BITS)
        out = {}
        for i in np.flatnonzero(high > low).tolist():
            rows = slice(int(low[i]), int(high[i]))
            now = (self.rows.first[rows] <= day) & (day <= self.rows.last[rows])
            if now.any():
                primaries = (self.rows.key[rows][now] & np.uint64(_CODE)).tolist()
                out[int(numbers[i])] = AddOn(int(self.rows.kind[rows][now].max()), frozenset(primaries) - {0})
        return out

"""The Medicare Code Editor's attributes of a code, and the codes that took the place of others.

Source: CMS, Definitions of Medicare Code Edits, FY2023 to FY2027, as the shipped carrier holds them; CMS's conversion
tables of ICD-10-CM and ICD-10-PCS.
"""

from __future__ import annotations

from bisect import bisect_right
from enum import IntEnum

import numpy as np


class Edit(IntEnum):
    """An attribute of a code, as a bit of its flags."""

    NEWBORN = 1
    PAEDIATRIC = 2
    MATERNITY = 4
    ADULT = 8
    FEMALE = 16
    """For female patients only (editions before 2024-10-01; later ones have no sex edits)."""
    MALE = 32
    MANIFESTATION = 64
    UNACCEPTABLE_PRINCIPAL = 128
    QUESTIONABLE_ADMISSION = 256
    REQUIRES_SECONDARY = 512
    UNSPECIFIED = 1024
    """Laterality unspecified where a code for each side exists."""
    NONCOVERED = 2048
    """A procedure that Medicare does not cover."""
    LIMITED_COVERAGE = 4096


class Edits:
    """Flags of every row, one line of ``flags`` for each day in ``days`` on which any code's flags change."""

    def __init__(self, days: np.ndarray, flags: np.ndarray) -> None:
        self._days = [int(d) for d in days]
        self._flags = flags

    def on(self, day: int) -> np.ndarray:
        """The flags of every row on ``day`` (yyyymmdd)."""
        return np.asarray(self._flags[max(bisect_right(self._days, day) - 1, 0)])

    def of(self, row: int, day: int) -> int:
        """The flags of ``row`` on ``day``: the bits of :class:`Edit`, 0 for none."""
        return int(self._flags[max(bisect_right(self._days, day) - 1, 0), row])

    def has(self, row: int, edit: Edit, day: int) -> bool:
        """Whether ``row`` has the attribute on ``day``."""
        return bool(self.of(row, day) & edit)


class Conversions:
    """Which rows took the place of which, sorted by the old row."""

    def __init__(self, old: np.ndarray, new: np.ndarray, day: np.ndarray) -> None:
        self._old, self._new, self._day = old, new, day

    def after(self, row: int, since: int) -> list[int]:
        """The rows that took the place of ``row`` later than ``since`` (yyyymmdd)."""
        low, high = np.searchsorted(self._old, [row, row + 1])
        return [int(r) for r, d in zip(self._new[low:high], self._day[low:high], strict=True) if d > since]

    def before(self, row: int) -> list[int]:
        """The rows whose place, or a part of it, ``row`` took."""
        return [int(r) for r in self._old[self._new == row]]

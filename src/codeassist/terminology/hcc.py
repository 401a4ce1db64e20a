"""CMS-HCC model V28: the risk-adjustment categories of ICD-10-CM codes by payment year.

Source: CMS, Announcement of Medicare Advantage Rates, the mappings and software of model V28 for payment years 2025 to
2027. Diagnoses of one calendar year count for the payment year after it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from codeassist.terminology.layout import Strings

NO_SEX = 0
SEXES = {"M": 1, "F": 2}
"""A patient's sex as the edits are stored."""
ASSIST_DEVICE = 223
"""Heart failure with heart assist device: set to nothing unless a category of heart failure stands beside it."""
_HEART_FAILURE = frozenset({221, 222, 224, 225, 226})


@dataclass(frozen=True, slots=True)
class _Edit:
    sex: int
    oldest: int
    youngest: int
    category: int


class HccTable:
    """The mapped categories by row, with their labels and hierarchies."""

    def __init__(self, folder: Path) -> None:
        self._category = np.load(folder / "hcc_category.npy", mmap_mode="r", allow_pickle=False)
        self._labels = Strings(folder, "hcc_label")
        self.years: tuple[int, ...] = tuple(np.load(folder / "hcc_year.npy").tolist())
        """The payment years held."""
        self.complete_until = (self.years[-1] - 1) * 10000 + 930
        """The last day (yyyymmdd) on which every code in force is in the tables."""
        below: dict[int, set[int]] = defaultdict(set)
        for above, dropped in np.load(folder / "hcc_hierarchy.npy").tolist():
            below[above].add(dropped)
        self._below = {above: frozenset(dropped) for above, dropped in below.items()}
        self._edits = {row: _Edit(*edit) for row, *edit in np.load(folder / "hcc_edit.npy").tolist()}

    def payment_year(self, day: int) -> int:
        """The payment year of services on ``day`` (yyyymmdd): the calendar year after, or the nearest one held."""
        return min(max(day // 10000 + 1, self.years[0]), self.years[-1])

    def categories(
        self, rows: Sequence[int], year: int, age: float | None = None, sex: str | None = None
    ) -> list[tuple[int, ...]]:
        """The V28 categories of each row (ICD-10-CM) in a payment year held; none, one or two, ascending.

        The model's edits by age and sex apply where these are known.
        """
        found = self._category[self.years.index(year), np.asarray(rows, dtype=np.int64)].tolist()
        return [self._edited(row, tuple(c for c in pair if c), age, sex) for row, pair in zip(rows, found, strict=True)]

    def _edited(self, row: int, categories: tuple[int, ...], age: float | None, sex: str | None) -> tuple[int, ...]:
        edit = self._edits.get(row)
        if edit is None or not categories:
            return categories
        years = None if age is None else int(age)
        fires = (years is not None and (years <= edit.oldest or years >= edit.youngest)) or (
            edit.sex != NO_SEX and SEXES.get(sex or "") == edit.sex
        )
        if not fires:
            return categories
        return (edit.category,) if edit.category else ()

    def counting(self, present: Collection[int]) -> frozenset[int]:
        """The categories of a patient to which the hierarchies apply."""
        found = frozenset(present)
        return found if found & _HEART_FAILURE else found - {ASSIST_DEVICE}

    def below(self, category: int) -> frozenset[int]:
        """The categories that this one drops when it is present."""
        return self._below.get(category, frozenset())

    def label(self, category: int) -> str:
        """CMS's label of a category; nothing for a number that is none."""
        return self._labels[category] if category < len(self._labels) else ""

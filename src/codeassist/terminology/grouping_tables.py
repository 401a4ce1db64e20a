"""Writes CMS-HCC's categories and the MS-DRGs' types into the index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from codeassist.terminology.codes import Code
from codeassist.terminology.hcc import NO_SEX, SEXES
from codeassist.terminology.layout import IndexWriter
from codeassist.terminology.sources import carriers
from codeassist.terminology.sources.carriers import carrier_path
from codeassist.terminology.sources.grouper import read_surgical
from codeassist.terminology.sources.risk_adjustment import (
    read_categories,
    read_category_edits,
    read_hierarchies,
    read_labels,
)

_MOST = 2
"""Most categories of one diagnosis."""
_NEVER_OLDEST, _NEVER_YOUNGEST = -1, 999


def write_grouping(writer: IndexWriter, codes: Sequence[Code]) -> None:
    """The arrays of :class:`~codeassist.terminology.hcc.HccTable`, and ``drg_surgical``: whether the MS-DRG of that
    number is surgical. ``codes`` are in the order of the index, ICD-10-CM first."""
    rows = {code.key: row for row, code in enumerate(codes) if code.system == "icd-10-cm"}
    years = sorted(carriers.HCC_CATEGORIES)
    writer.array("hcc_year", np.array(years, dtype=np.int32))
    writer.array("hcc_category", _categories(years, rows, codes))
    writer.array("hcc_edit", _edits(rows))
    hierarchies = read_hierarchies(carrier_path(carriers.HCC_HIERARCHIES))
    writer.array("hcc_hierarchy", np.array(hierarchies, dtype=np.int32))
    labels = read_labels(carrier_path(carriers.HCC_LABELS))
    writer.strings("hcc_label", [labels.get(c, "") for c in range(max(labels) + 1)])
    surgical = np.zeros(1000, dtype=bool)
    surgical[sorted(read_surgical(carrier_path(carriers.CODE_EDITOR)))] = True
    writer.array("drg_surgical", surgical)


def _categories(years: Sequence[int], rows: Mapping[str, int], codes: Sequence[Code]) -> np.ndarray:
    """By year, row and place: the categories of a diagnosis, or 0."""
    tables = [read_categories(carrier_path(carriers.HCC_CATEGORIES[year])) for year in years]
    category = np.zeros((len(years), len(rows), _MOST), dtype=np.uint16)
    for i, year in enumerate(years):
        for key, row in rows.items():
            found = tables[i].get(key, ())
            if not found and codes[row].first >= (year - 1) * 10000 + 1001:
                # a code newer than the year's table, which CMS maps during that year: as in the table after
                found = next((t[key] for t in tables[i + 1 :] if key in t), ())
            category[i, row, : len(found)] = found
    return category


def _edits(rows: Mapping[str, int]) -> np.ndarray:
    """Row, sex, oldest age and youngest age at which it fires, and the category then."""
    edits = [
        (
            rows[e.code],
            SEXES.get(e.sex or "", NO_SEX),
            _NEVER_OLDEST if e.oldest is None else e.oldest,
            _NEVER_YOUNGEST if e.youngest is None else e.youngest,
            e.category,
        )
        for e in read_category_edits(carrier_path(carriers.HCC_EDITS))
        if e.code in rows
    ]
    return np.array(sorted(edits), dtype=np.int32)

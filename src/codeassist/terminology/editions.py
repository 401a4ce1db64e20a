"""Which codes exist, from when to when, under which titles: the carriers' editions joined with a site's imports."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from codeassist.terminology.layout import GROUPS
from codeassist.terminology.sources import carriers
from codeassist.terminology.sources.carriers import carrier_path
from codeassist.terminology.sources.code_editor import Validity, read_validity
from codeassist.terminology.sources.icd10cm_tabular import TabularEntry, read_tabular
from codeassist.terminology.sources.order_file import read_codes_file
from codeassist.terminology.sources.tables import CatalogueEntry

ALWAYS = Validity(0, 99991231)
COVERED_UNTIL = 20270331
"""Last day that the shipped tables of validity cover (FY2027, first half)."""
UNTITLED = "(no title in the shipped files: import the official files of this edition)"


@dataclass(frozen=True, slots=True)
class Code:
    """One row of the index: a code without its dot, its title, days of validity, parent and tabular notes."""

    system: str
    key: str
    title: str
    first: int
    last: int
    billable: bool
    source: str
    parent: str | None = None
    parent_system: str | None = None
    expanded: bool = False
    notes: dict[str, tuple[str, ...]] = field(default_factory=dict)


def releases(imports: Path) -> dict[str, str]:
    """The edition in use of each code system."""
    editions = {"icd-10-cm": "2026-04", "icd-10-pcs": "2026-04", "cpt": "starter-2026", "hcpcs": "starter-2026"}
    for system, edition in _imported(imports):
        editions[system] = edition
    return editions


def imported_file(imports: Path, system: str) -> Path:
    """Where the import of ``system`` keeps the codes it read (JSON Lines after a head line)."""
    return imports / f"{system}.jsonl"


def official_codes(imports: Path) -> Iterator[Code]:
    """All ICD-10-CM and ICD-10-PCS codes, with the groups of ICD-10-CM."""
    yield from _icd10cm()
    yield from _icd10pcs()


def _icd10cm() -> Iterator[Code]:
    path = carrier_path(carriers.TABULAR)
    source = f"{carriers.TABULAR[0]}: {path.name}"
    validity, _ = read_validity(carrier_path(carriers.CODE_EDITOR), "icd-10-cm")
    seen = set()
    for entry in read_tabular(path)[1]:
        code = _tabular_code(entry, validity, source)
        if code is not None:
            seen.add(code.key)
            yield code
    older = {c.code: c.title for c in read_codes_file(carrier_path(carriers.CM_TITLES_2024))}
    dates = f"{carriers.CODE_EDITOR[0]}: {carriers.CODE_EDITOR[1].rsplit('/', 1)[1]}"
    for key in sorted(validity.keys() - seen):
        days = validity[key]
        yield Code(
            "icd-10-cm", key, older.get(key, UNTITLED), days.first, _open_end(days), True, dates, parent=key[:3]
        )


def _tabular_code(entry: TabularEntry, validity: dict[str, Validity], source: str) -> Code | None:
    if entry.level != "code":
        return Code(
            GROUPS, entry.code, entry.title, ALWAYS.first, ALWAYS.last, False, source, entry.parent, notes=entry.notes
        )
    key = entry.code.replace(".", "")
    days = validity.get(key) if entry.leaf else ALWAYS
    if days is None:  # a 7th character that this code does not take
        return None
    parent = entry.parent or ""
    group = "-" in parent
    return Code(
        "icd-10-cm",
        key,
        entry.title,
        days.first,
        _open_end(days),
        entry.leaf,
        source,
        parent if group else parent.replace(".", ""),
        GROUPS if group else None,
        entry.expanded,
        entry.notes,
    )


def _icd10pcs() -> Iterator[Code]:
    path = carrier_path(carriers.PCS_TITLES)
    titles = {c.code: c.title for c in read_codes_file(path)}
    validity, _ = read_validity(carrier_path(carriers.CODE_EDITOR), "icd-10-pcs")
    source = f"{carriers.PCS_TITLES[0]}: {path.name}"
    for key, days in validity.items():
        yield Code("icd-10-pcs", key, titles.get(key, UNTITLED), days.first, _open_end(days), True, source)


def _open_end(days: Validity) -> int:
    return ALWAYS.last if days.last >= COVERED_UNTIL else days.last


def catalogue_codes(system: str, entries: Iterable[CatalogueEntry], imports: Path) -> Iterator[Code]:
    """The starter catalogue of ``cpt`` or ``hcpcs``, or the site's import of it in its place."""
    source = f"codeassist starter catalogue: {system}.tsv"
    for e in entries:
        notes: dict[str, tuple[str, ...]] = {"section": (e.section,)}
        if e.synonyms:
            notes["inclusion_term"] = e.synonyms
        if e.unit:
            notes["unit"] = (e.unit,)
        if e.remark:
            notes["note"] = (e.remark,)
        yield Code(system, e.code, e.description, ALWAYS.first, ALWAYS.last, True, source, notes=notes)


def _imported(imports: Path) -> Iterator[tuple[str, str]]:
    if imports.is_dir():
        for path in sorted(imports.glob("*.jsonl")):
            with path.open(encoding="utf-8") as lines:
                head = json.loads(lines.readline())
            yield head["system"], head["edition"]

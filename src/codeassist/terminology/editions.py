"""Which codes exist, from when to when, under which titles: the carriers' editions joined with a site's imports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from functools import lru_cache
from pathlib import Path

from codeassist.terminology.codes import ALWAYS, FOREVER, UNTITLED, Code
from codeassist.terminology.imported import CODE_KINDS, imports_of
from codeassist.terminology.layout import GROUPS
from codeassist.terminology.overlay import lay_over, previous_codes
from codeassist.terminology.sources import carriers
from codeassist.terminology.sources.carriers import carrier_path
from codeassist.terminology.sources.code_editor import Validity, read_validity
from codeassist.terminology.sources.icd10cm_tabular import TabularEntry, read_tabular
from codeassist.terminology.sources.order_file import read_codes_file
from codeassist.terminology.sources.tables import CatalogueEntry
from codeassist.terminology.store import FIRST_DAY

COVERED_UNTIL = 20270331
"""Last day that the shipped tables of validity cover (FY2027, first half)."""
SHIPPED = {"icd-10-cm": "2026-04", "icd-10-pcs": "2026-04", "cpt": "starter-2026", "hcpcs": "starter-2026"}
"""Edition of each code system that comes with the installation."""
_TITLED = {"icd-10-cm": 20260401, "icd-10-pcs": 20231001, "cpt": 0, "hcpcs": 0}
"""First day of the edition that the shipped titles come from; 0 for descriptions of our own."""


def releases(imports: Path) -> dict[str, str]:
    """The edition in use of each code system."""
    editions = dict(SHIPPED)
    for i in imports_of(imports):
        if i.kind in CODE_KINDS and (editions[i.system] < i.edition or not editions[i.system][0].isdigit()):
            editions[i.system] = i.edition
    return editions


def covered_until(imports: Path) -> int:
    """The last day that the editions held cover: ICD-10 has new ones each April and October."""
    last = COVERED_UNTIL
    for i in imports_of(imports):
        if i.kind in CODE_KINDS and i.system.startswith("icd"):
            year, month = i.first_day // 10000, i.first_day // 100 % 100
            end = year * 10000 + 930 if 4 <= month < 10 else (year + (month >= 10)) * 10000 + 331
            last = max(last, end)
    return last


@lru_cache(maxsize=2)
def _validity(system: str) -> dict[str, Validity]:
    return read_validity(carrier_path(carriers.CODE_EDITOR), system)[0]


def edition_days(system: str) -> list[date]:
    """First days of the editions of ICD-10-CM or ICD-10-PCS whose dates come with the installation."""
    days = sorted({FIRST_DAY, *(v.first for v in _validity(system).values() if v.first > FIRST_DAY)})
    return [date(d // 10000, d // 100 % 100, d % 100) for d in days]


def shipped_codes(system: str, on: date) -> set[str]:
    """Billable codes (no dots) on a day, by the dates that come with the installation."""
    day = on.year * 10000 + on.month * 100 + on.day
    return {key for key, v in _validity(system).items() if v.first <= day <= v.last}


def official_codes(imports: Path) -> Iterator[Code]:
    """All ICD-10-CM and ICD-10-PCS codes, with the groups of ICD-10-CM, as imports have changed them."""
    previous = previous_codes(imports)
    for system, shipped in (("icd-10-cm", _icd10cm), ("icd-10-pcs", _icd10pcs)):
        boundaries = {v.first for v in _validity(system).values()}
        for code in lay_over(system, shipped(), _TITLED[system], boundaries, imports):
            older = previous.get((code.system, code.key))
            yield replace(code, notes={**code.notes, "previous_codes": older}) if older else code


def _icd10cm() -> Iterator[Code]:
    path = carrier_path(carriers.TABULAR)
    source = f"{carriers.TABULAR[0]}: {path.name}"
    validity = _validity("icd-10-cm")
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
        above = next((key[:n] for n in range(len(key) - 1, 3, -1) if key[:n] in seen), key[:3])
        yield Code("icd-10-cm", key, older.get(key, UNTITLED), days.first, _open_end(days), True, dates, parent=above)


def _tabular_code(entry: TabularEntry, validity: dict[str, Validity], source: str) -> Code | None:
    if entry.level != "code":
        return Code(GROUPS, entry.code, entry.title, *ALWAYS, False, source, entry.parent, notes=entry.notes)
    key = entry.code.replace(".", "")
    days = validity.get(key)
    if entry.leaf and days is None:  # a 7th character that this code does not take
        return None
    billable = entry.leaf
    if days is None or (not entry.leaf and days.last >= _TITLED["icd-10-cm"]):
        days = Validity(*ALWAYS)
    elif not entry.leaf and days.last >= FIRST_DAY:  # a category now, a code in an edition before
        billable = True
    elif not entry.leaf:
        days = Validity(*ALWAYS)
    parent = entry.parent or ""
    group = "-" in parent
    return Code(
        "icd-10-cm",
        key,
        entry.title,
        days.first,
        _open_end(days),
        billable,
        source,
        parent if group else parent.replace(".", ""),
        GROUPS if group else None,
        entry.expanded,
        entry.notes,
    )


def _icd10pcs() -> Iterator[Code]:
    path = carrier_path(carriers.PCS_TITLES)
    titles = {c.code: c.title for c in read_codes_file(path)}
    validity = _validity("icd-10-pcs")
    source = f"{carriers.PCS_TITLES[0]}: {path.name}"
    for key, days in validity.items():
        yield Code("icd-10-pcs", key, titles.get(key, UNTITLED), days.first, _open_end(days), True, source)


def _open_end(days: Validity) -> int:
    return FOREVER if days.last >= COVERED_UNTIL else days.last


def catalogue_codes(system: str, entries: Iterable[CatalogueEntry], imports: Path) -> Iterator[Code]:
    """The starter catalogue of ``cpt`` or ``hcpcs``, under the site's import of it."""
    yield from lay_over(system, (_starter(system, e) for e in entries), _TITLED[system], (), imports)


def _starter(system: str, e: CatalogueEntry) -> Code:
    notes: dict[str, tuple[str, ...]] = {"section": (e.section,)}
    if e.synonyms:
        notes["inclusion_term"] = e.synonyms
    if e.unit:
        notes["unit"] = (e.unit,)
    if e.remark:
        notes["note"] = (e.remark,)
    source = f"codeassist starter catalogue: {system}.tsv"
    return Code(system, e.code, e.description, *ALWAYS, True, source, notes=notes)

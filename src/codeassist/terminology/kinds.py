"""The published files that can be imported: how each is told by its content, read, and how large it must be."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from codeassist.errors import TerminologyError
from codeassist.terminology.imported import Row
from codeassist.terminology.sources.cpt import read_cpt
from codeassist.terminology.sources.gems import GEM_LINE, read_gems
from codeassist.terminology.sources.hcpcs import HcpcsCode, read_hcpcs_text
from codeassist.terminology.sources.hcpcs_workbook import find_heads, read_hcpcs_workbook, workbook_rows
from codeassist.terminology.sources.icd10cm_cells import DRUG_COLUMNS, NEOPLASM_COLUMNS, read_cells
from codeassist.terminology.sources.icd10cm_index import IndexEntry, read_index
from codeassist.terminology.sources.icd10cm_tabular import read_tabular
from codeassist.terminology.sources.icd10pcs_definitions import read_pcs_definitions
from codeassist.terminology.sources.icd10pcs_index import read_pcs_index
from codeassist.terminology.sources.icd10pcs_tables import read_pcs_tables
from codeassist.terminology.sources.order_file import ListedCode, read_codes_file, read_order_file
from codeassist.terminology.sources.text_files import read_lines
from codeassist.terminology.sources.xml_files import read_xml, text_of

MINIMUM_ROWS = {
    "icd-10-cm-tabular": 60_000,
    "icd-10-cm-codes": 60_000,
    "icd-10-cm-index": 40_000,
    "icd-10-cm-external-causes": 3_000,
    "icd-10-cm-drugs": 3_000,
    "icd-10-cm-neoplasms": 700,
    "icd-10-pcs-codes": 60_000,
    "icd-10-pcs-tables": 1_500,
    "icd-10-pcs-definitions": 500,
    "icd-10-pcs-index": 2_000,
    "hcpcs": 5_000,
    "cpt-long": 8_000,
    "cpt-medium": 8_000,
    "cpt-short": 8_000,
    "gem-icd-10-cm": 10_000,
    "gem-icd-10-pcs": 3_000,
}
"""Records below which a file must be cut short. Every edition so far had at least a fifth more."""

KNOWN = (
    "ICD-10-CM tabular, index, drug, neoplasm or external cause XML; CMS code or order files; ICD-10-PCS tables, "
    "definitions or index XML; the HCPCS quarterly file as text or workbook; AMA CPT text; GEMs; NCCI pairs, MUE or "
    "add-on codes; or a zip of these"
)


@dataclass(frozen=True, slots=True)
class Reading:
    """A file, read: its kind, the records, and the year and quarter (yyyymmdd) that it states, where it does."""

    kind: str
    rows: list[Row]
    year: str | None = None
    first_day: int | None = None

    @property
    def system(self) -> str:
        """The code system whose codes the records hold."""
        systems = ("icd-10-cm", "icd-10-pcs", "hcpcs", "cpt")
        return next(s for s in systems if self.kind.removeprefix("gem-").startswith(s))

    def codes(self) -> set[str]:
        """The codes (no dots) that the file says its edition has, for lists of codes."""
        if self.kind == "icd-10-pcs-tables":
            from codeassist.terminology.sources.icd10pcs_tables import TableRow

            return {code for row in self.rows for code, _ in TableRow(tuple(row["axes"])).codes()}
        return {r["code"] for r in self.rows if r.get("billable", True) and "code" in r}


def read_published(path: Path) -> Reading | None:
    """What a file holds, or ``None`` when it is none of the files known here.

    Raises :class:`TerminologyError` when it is one, but damaged.
    """
    reader = _reader(path)
    return None if reader is None else reader(path)


def _reader(path: Path) -> Callable[[Path], Reading] | None:
    with path.open("rb") as file:
        start = file.read(4096)
    if not start.strip():
        raise TerminologyError(f"{path.name} is empty")
    if start.startswith(b"PK"):
        return _hcpcs_workbook if _is_hcpcs_workbook(path) else None
    if start.lstrip(b"\xef\xbb\xbf \r\n\t").startswith((b"<?xml", b"<ICD10")):
        return _xml_reader(path)
    return _text_reader(path) if b"\0" not in start else None


def _is_hcpcs_workbook(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            if "xl/workbook.xml" not in archive.namelist():
                return False
    except zipfile.BadZipFile:
        raise TerminologyError(f"{path.name} is damaged: not readable as a zip file; download it again") from None
    return find_heads(workbook_rows(path)) is not None


def _xml_reader(path: Path) -> Callable[[Path], Reading] | None:
    root = read_xml(path)
    readers: dict[str, Callable[[Path], Reading]] = {
        "ICD10CM.tabular": _tabular,
        "ICD10PCS.tabular": _pcs_tables,
        "ICD10PCS.definitions": _pcs_definitions,
        "ICD10PCS.index": _pcs_index,
    }
    if root.tag != "ICD10CM.index":
        return readers.get(root.tag)
    heads = " ".join(text_of(h) for h in root.iter("head")).lower()
    title = text_of(root.find("title")).lower()
    if "underdos" in heads or "drug" in title:
        return _drugs
    if "situ" in heads or "neoplasm" in title:
        return _neoplasms
    return _external_causes if "external" in title else _index


def _text_reader(path: Path) -> Callable[[Path], Reading] | None:
    """The reader for a text, told by its first lines that are not blank."""
    lines = [line for _, line in _head_lines(path)]
    if not lines:
        return None
    first = lines[0]
    if re.match(r"^[0-9]{5} [0-9A-Z]{3,7} +[01] \S", first) and len(first) > 77:
        return _order
    if GEM_LINE.match(first):
        return _gems
    if re.match(r"^[ A-Z0-9]{5}[0-9]{5}[3478]\S", first) and any(len(line) > 200 for line in lines):
        return _hcpcs_text
    if re.match(r"^(?:[A-Z][0-9][0-9A-Z]{1,5}|[0-9A-HJ-NP-Z]{7}) +\S", first):
        return _codes
    cpt = re.compile(r"^[0-9]{4}[0-9AFMTU][\t ]+\S")
    heads = any("cpt code" in line.lower() and "long" in line.lower() and "\t" in line for line in lines)
    if heads or any(cpt.match(line) for line in lines):
        return _cpt
    return None


def _head_lines(path: Path) -> Iterator[tuple[int, str]]:
    for number, line in read_lines(path):
        if number > 60:
            return
        yield number, line


def _order(path: Path) -> Reading:
    return _listed(read_order_file(path), path)


def _codes(path: Path) -> Reading:
    return _listed(read_codes_file(path), path)


def _listed(listed: Iterator[ListedCode], path: Path) -> Reading:
    rows: list[Row] = [{"code": c.code, "title": c.title, "billable": c.billable} for c in listed]
    pcs = re.compile(r"^[0-9A-HJ-NP-Z]{3}(?:[0-9A-HJ-NP-Z]{4})?$")
    whole = [r for r in rows if r["billable"]]
    if all(pcs.match(r["code"]) for r in rows) and all(len(r["code"]) == 7 for r in whole) and whole:
        return Reading("icd-10-pcs-codes", [r for r in rows if r["billable"]])
    for r in rows:
        if not re.match(r"^[A-Z][0-9A-Z]{2,6}$", r["code"]):
            raise TerminologyError(f"{path.name}: {r['code']!r} is no ICD-10-CM code")
    return Reading("icd-10-cm-codes", rows)


def _tabular(path: Path) -> Reading:
    year, entries = read_tabular(path)
    rows: list[Row] = []
    for e in entries:
        if not e.title:
            raise TerminologyError(f"{path.name}: {e.code!r} has no title: the file is damaged")
        code = e.code.replace(".", "") if e.level == "code" else e.code
        if e.level == "code" and not re.match(r"^[A-Z][0-9A-Z]{2,6}$", code):
            raise TerminologyError(f"{path.name}: {e.code!r} is no ICD-10-CM code")
        row: Row = {"code": code, "title": e.title, "level": e.level, "parent": e.parent, "billable": e.leaf}
        rows.append(row | ({"notes": e.notes} if e.notes else {}) | ({"expanded": True} if e.expanded else {}))
    return Reading("icd-10-cm-tabular", rows, year)


def _index(path: Path) -> Reading:
    year, entries = read_index(path)
    return Reading("icd-10-cm-index", _index_rows(entries), year)


def _external_causes(path: Path) -> Reading:
    year, entries = read_index(path)
    return Reading("icd-10-cm-external-causes", _index_rows(entries), year)


def _index_rows(entries: Iterator[IndexEntry]) -> list[Row]:
    """Lines with a code, their own or that of the line they refer to."""
    listed = list(entries)
    codes = {_address(e.path): e.code for e in reversed(listed) if e.code}
    rows: list[Row] = []
    for e in listed:
        code = e.code or (codes.get(_address(re.split(r",\s*", e.see.strip()))) if e.see else None)
        if code:
            rows.append({"path": list(e.path), "code": code.replace(".", "")})
    return rows


def _address(path: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return tuple(part.split(",")[0].strip().lower() for part in path)


def _drugs(path: Path) -> Reading:
    return _cells("icd-10-cm-drugs", path, DRUG_COLUMNS)


def _neoplasms(path: Path) -> Reading:
    return _cells("icd-10-cm-neoplasms", path, NEOPLASM_COLUMNS)


def _cells(kind: str, path: Path, columns: tuple[str, ...]) -> Reading:
    year, entries = read_cells(path, columns)
    rows: list[Row] = [
        {"path": list(e.path), "codes": {c: v.replace(".", "") for c, v in e.codes.items()}} for e in entries
    ]
    return Reading(kind, rows, year)


def _pcs_tables(path: Path) -> Reading:
    year, entries = read_pcs_tables(path)
    return Reading("icd-10-pcs-tables", [{"axes": list(e.axes)} for e in entries], year)


def _pcs_definitions(path: Path) -> Reading:
    year, entries = read_pcs_definitions(path)
    rows: list[Row] = [
        {
            "section": e.section,
            "position": e.position,
            "term": e.term,
            "definition": e.definition,
            "explanation": e.explanation,
            "includes": list(e.includes),
        }
        for e in entries
    ]
    return Reading("icd-10-pcs-definitions", rows, year)


def _pcs_index(path: Path) -> Reading:
    year, entries = read_pcs_index(path)
    return Reading("icd-10-pcs-index", [{"path": list(e.path), "code": e.code} for e in entries if e.code], year)


def _hcpcs_text(path: Path) -> Reading:
    return _hcpcs(list(read_hcpcs_text(path)))


def _hcpcs_workbook(path: Path) -> Reading:
    return _hcpcs(list(read_hcpcs_workbook(path)))


def _hcpcs(codes: list[HcpcsCode]) -> Reading:
    """The edition is the quarter of the latest action; an action's date is never ahead of its edition."""
    rows: list[Row] = []
    for c in codes:
        row: Row = {"modifier" if c.modifier else "code": c.code, "title": c.long or c.short, "short": c.short}
        rows.append(row | ({} if c.modifier else {"first": c.added, "last": c.ended}))
    return Reading("hcpcs", rows, first_day=max((c.acted for c in codes), default=0) or None)


def _cpt(path: Path) -> Reading:
    file = read_cpt(path)
    rows: list[Row] = [{"code": c.code, "title": c.description} for c in file.codes]
    return Reading(f"cpt-{file.length}", rows, str(file.year) if file.year else None)


def _gems(path: Path) -> Reading:
    pairs = list(read_gems(path))
    rows: list[Row] = [{"code": p.code, "previous": p.previous, "approximate": p.approximate} for p in pairs]
    return Reading(f"gem-{pairs[0].system}", rows, "2018")

"""Import of NCCI files: told by their heads, written as arrays beside the index, which needs no new build.

CMS publishes the pairs in parts (``ccipra-v321r0-f1`` to ``f4``): those of one edition are joined as they come.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import zipfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from codeassist.errors import TerminologyError
from codeassist.terminology.imported import Imported
from codeassist.terminology.ncci.layout import Pairs, Table
from codeassist.terminology.ncci.readers import read_add_ons, read_pairs, read_units
from codeassist.terminology.ncci.store import HEAD, TABLES, Held, held_in, in_use
from codeassist.terminology.sources.hcpcs_workbook import workbook_rows

MINIMUM_ROWS = {
    "pairs-hospital": 20_000,
    "pairs-practitioner": 20_000,
    "units-hospital": 5_000,
    "units-practitioner": 5_000,
    "units-supplier": 500,
    "add-ons": 1_000,
}
"""Records below which a file, or a part of one, must be cut short."""
_NAMES = {"practitioner": r"ccipra|practitioner|physician", "hospital": r"ccioph|hospital|outpatient"}
"""How a file's name tells of which table its pairs are."""
_START = 32_768
_FIRST_VERSION = 1994
"""The year of NCCI's version 0: version 32.1 is that of April 2026."""


@dataclass(frozen=True, slots=True)
class Edits:
    """A file, read: its table (:data:`.store.TABLES`), first day of its edition where it states one, part, rows."""

    table: str
    first_day: date | None
    part: int
    rows: Table


@dataclass(frozen=True, slots=True)
class Staged:
    """A table written aside, ready to be moved into place; ``instead_of`` are the folders that it replaces."""

    folder: Path
    instead_of: tuple[Path, ...]


def read_edits(path: Path, archive: str = "") -> Edits | None:
    """The NCCI file at ``path``, or ``None`` when it is none; ``archive`` is the name of the zip that it came in.

    Raises :class:`TerminologyError` when it is one, but damaged, or of a table that its name does not tell.
    """
    kind = _kind(path)
    names = f"{path.name} {archive}".lower()
    if kind == "pairs":
        table = _pair_table(path, names)
        part = re.search(r"[-_ ]f(\d)(?!\d)", path.name.lower())
        rows = read_pairs(path, int(part[1]) if part else 0)
        return Edits(table, _stated_day(names) or _latest_quarter(rows), int(part[1]) if part else 0, rows)
    if kind == "units":
        provider, units = read_units(path)
        return Edits(f"units-{provider}", _stated_day(names), 0, units)
    if kind == "add-ons":
        add_ons = read_add_ons(path)
        return Edits("add-ons", _stated_day(names), 0, add_ons)
    return None


def _kind(path: Path) -> str:
    """What the first lines of a text or workbook announce."""
    with path.open("rb") as file:
        start = file.read(_START)
    if start.startswith(b"PK"):
        text = _workbook_start(path)
    elif start.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<") or b"\0" in start:
        return ""
    else:
        text = start.decode("cp1252", "replace").lower()
    if re.search(r"column ?1[\s/\"|,]+column ?2", text):
        return "pairs"
    if re.search(r"mue\s+values?\b", text) and "adjudication" in text:
        return "units"
    heads = re.compile(r"^(?=.*add.?on.{0,3}code|.*\baoc\b)(?=.*primary.{0,3}code)(?=.*type)", re.M)
    return "add-ons" if heads.search(text.replace("_", " ")) else ""


def _workbook_start(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            if "xl/workbook.xml" not in archive.namelist():
                return ""
    except zipfile.BadZipFile:
        raise TerminologyError(f"{path.name} is damaged: not readable as a zip file; download it again") from None
    rows = (row for _, row in zip(range(20), workbook_rows(path), strict=False))
    return "\n".join("\t".join(" ".join(str(c).split()) for c in row if c is not None) for row in rows).lower()


def _pair_table(path: Path, names: str) -> str:
    for table, words in _NAMES.items():
        if re.search(words, names):
            return f"pairs-{table}"
    raise TerminologyError(
        f"{path.name} holds NCCI pairs, but does not say of which table: keep CMS's name for it "
        "(ccipra… for practitioners, ccioph… for outpatient hospitals)"
    )


def _stated_day(names: str) -> date | None:
    """The first day of the edition that a name states: ``v321r0``, ``V2026Q2``, ``Eff_04-01-2026``."""
    version = re.search(r"(?<![a-z])v(\d\d)([0-3])r\d", names)
    if version:
        return date(_FIRST_VERSION + int(version[1]), 3 * int(version[2]) + 1, 1)
    quarter = re.search(r"(20\d\d)[-_ ]?q([1-4])", names)
    if quarter:
        return date(int(quarter[1]), 3 * int(quarter[2]) - 2, 1)
    day = re.search(r"(?<!\d)(\d\d)[-_](\d\d)[-_](20\d\d)(?!\d)", names)
    return date(int(day[3]), int(day[1]), int(day[2])) if day else None


def _latest_quarter(rows: Pairs) -> date | None:
    """The quarter in which the newest of the pairs began."""
    if not len(rows):
        return None
    day = int(rows.first.max())
    return date(day // 10000, (day // 100 % 100 - 1) // 3 * 3 + 1, 1)


def head_of(edits: Edits, source: str, sha256: str, effective: date | None, minimum: int | None) -> Imported:
    """The record of a file read; raises :class:`TerminologyError` for too few rows, or no edition."""
    least = MINIMUM_ROWS[edits.table] if minimum is None else minimum
    if len(edits.rows) < least:
        raise TerminologyError(
            f"{source} has {len(edits.rows)} records of NCCI {edits.table}; a whole file has at least {least}: "
            "is it cut short?"
        )
    first = effective or edits.first_day
    if first is None:
        raise TerminologyError(
            f"{source} does not state its edition: give its first day, such as --effective 2026-04-01"
        )
    today = date.today().isoformat()
    kind = f"ncci-{edits.table}"
    return Imported(kind, "ncci", f"{first:%Y-%m}", first.isoformat(), source, sha256, len(edits.rows), today)


def stage(found: Iterable[tuple[Edits, Imported]], folder: Path, current: Path) -> list[Staged]:
    """Write tables into ``folder``, each joined with the parts of its edition that ``current`` holds.

    Raises :class:`TerminologyError` for an edition older than one that is held and has its pairs as well.
    """
    held = held_in(current)
    groups: dict[tuple[str, str], list[tuple[Edits, Imported]]] = {}
    for edits, head in found:
        groups.setdefault((edits.table, head.edition), []).append((edits, head))
    out = []
    for (table, edition), members in groups.items():
        newer = [h for h in in_use(held) if h.table == table and h.edition > edition]
        if newer and not table.startswith("units"):
            raise TerminologyError(
                f"{members[0][1].source} is the edition {edition} of NCCI {table}; {newer[-1].edition} is held, "
                "which has the edits of earlier days too"
            )
        out.append(_joined(table, members, [h for h in held if (h.table, h.edition) == (table, edition)], folder))
    return out


def _joined(table: str, members: list[tuple[Edits, Imported]], held: list[Held], folder: Path) -> Staged:
    """One table of one edition: its new files, and the parts held of it that they do not replace."""
    files = {edits.part: (edits.rows, head) for edits, head in members}
    tables = [rows for rows, _ in files.values()]
    heads = {part: head for part, (_, head) in files.items()}
    for old in held:
        kept = [p for p in old.files if p and p not in files] if 0 not in files else []
        heads |= {p: old.files[p] for p in kept}
        rows = TABLES[table].open(old.folder) if kept else None
        if isinstance(rows, Pairs):
            tables += [rows.where(rows.part == p) for p in kept]
    rows = type(tables[0]).joined(tables)
    identity = hashlib.sha256(" ".join(sorted(h.sha256 for h in heads.values())).encode()).hexdigest()[:12]
    head = members[0][1]
    target = folder / f"{table}-{head.edition}-{identity}"
    target.mkdir()
    rows.save(target)
    record = {
        "table": table,
        "edition": head.edition,
        "first_day": head.first_day,
        "rows": len(rows),
        "files": {part: asdict(h) for part, h in sorted(heads.items())},
    }
    (target / HEAD).write_text(json.dumps(record, indent=1), encoding="utf-8")
    return Staged(target, tuple(h.folder for h in held if h.folder.name != target.name))


def swap(staged: Iterable[Staged], current: Path) -> None:
    """Move staged tables into ``current``, then remove what they replace, and editions that a newer whole one does.

    Should a move fail, nothing is changed, and :class:`TerminologyError` is raised.
    """
    current.mkdir(parents=True, exist_ok=True)
    staged = list(staged)
    moved: list[Path] = []
    try:
        for item in staged:
            target = current / item.folder.name
            if not target.exists():  # else the same files were imported before
                os.rename(item.folder, target)
                moved.append(target)
    except OSError as error:
        for target in moved:
            shutil.rmtree(target, ignore_errors=True)
        raise TerminologyError(f"the import could not be stored ({error.strerror}); nothing was changed") from None
    for item in staged:
        for folder in item.instead_of:
            shutil.rmtree(folder, ignore_errors=True)
    held = held_in(current)
    newest = {h.table: h.first_day for h in in_use(held) if not h.table.startswith("units")}
    for old in held:
        if old.first_day < newest.get(old.table, 0):
            shutil.rmtree(old.folder, ignore_errors=True)


def ncci_imports(current: Path) -> list[Imported]:
    """The records of the files in use, for reports; parts of a table one by one."""
    return [head for table in in_use(held_in(current)) for _, head in sorted(table.files.items())]

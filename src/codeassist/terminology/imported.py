"""What a site has imported: normalised files under ``imports/``, one JSON record a line after a head line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from codeassist.errors import TerminologyError

Row = dict[str, Any]

CODE_KINDS = {
    "icd-10-cm-codes": "icd-10-cm",
    "icd-10-cm-tabular": "icd-10-cm",
    "icd-10-pcs-tables": "icd-10-pcs",
    "icd-10-pcs-codes": "icd-10-pcs",
    "hcpcs": "hcpcs",
    "cpt-short": "cpt",
    "cpt-medium": "cpt",
    "cpt-long": "cpt",
}
"""Kinds that say which codes an edition holds, in the order in which one edition's are applied: the last has
the last word on a title. One file an edition is kept, so that last year's dates of service stay right."""


@dataclass(frozen=True, slots=True)
class Imported:
    """The head line of an import. ``effective`` is the edition's first day, ``sha256`` that of the source file."""

    kind: str
    system: str
    edition: str
    effective: str
    source: str
    sha256: str
    rows: int
    imported: str

    @property
    def file_name(self) -> str:
        """Where the import lies: one file a kind and, for lists of codes, an edition."""
        return f"{self.kind}-{self.edition}.jsonl" if self.kind in CODE_KINDS else f"{self.kind}.jsonl"

    @property
    def first_day(self) -> int:
        """``effective`` as yyyymmdd."""
        return int(self.effective.replace("-", ""))

    @property
    def identity(self) -> str:
        """What makes this import differ from another in the index built from it (not the day it was made)."""
        return f"{self.file_name} {self.edition} {self.effective} {self.sha256} {self.rows}"


def imports_of(folder: Path) -> list[Imported]:
    """The imports in a folder, oldest edition first, then in the order of :data:`CODE_KINDS`.

    Raises :class:`TerminologyError` when a file there is not one that an import wrote.
    """
    order = list(CODE_KINDS)
    found = [_head(path) for path in sorted(folder.glob("*.jsonl"))] if folder.is_dir() else []
    return sorted(found, key=lambda i: (i.effective, order.index(i.kind) if i.kind in order else 99, i.kind))


def _head(path: Path) -> Imported:
    try:
        with path.open(encoding="utf-8") as lines:
            head = Imported(**json.loads(lines.readline()))
    except (OSError, ValueError, TypeError):
        raise TerminologyError(
            f"imports/{path.name} in the cache is damaged: delete it and import its source again"
        ) from None
    return head


def read_rows(folder: Path, head: Imported) -> Iterator[Row]:
    """The records of an import; raises :class:`TerminologyError` when there are fewer than its head says."""
    count = 0
    with (folder / head.file_name).open(encoding="utf-8") as lines:
        next(lines)
        for line in lines:
            try:
                row: Row = json.loads(line)
            except ValueError:
                break
            count += 1
            yield row
    if count != head.rows:
        raise TerminologyError(
            f"imports/{head.file_name} in the cache is damaged ({count} of {head.rows} records): "
            f"delete it and import {head.source} again"
        )


def write_import(folder: Path, head: Imported, rows: Iterable[Row]) -> None:
    """Write an import into ``folder``."""
    with (folder / head.file_name).open("w", encoding="utf-8") as file:
        file.write(json.dumps(asdict(head), ensure_ascii=False) + "\n")
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def edition_day(name: str) -> date:
    """The first day of an edition: ``FY2027``, ``2026-10`` (also ``2026-Q4``'s day as ``2026-10-01``).

    >>> edition_day("FY2027"), edition_day("2026-04")
    (datetime.date(2026, 10, 1), datetime.date(2026, 4, 1))

    Raises :class:`TerminologyError` for anything else.
    """
    text = name.strip().upper()
    try:
        if text.startswith("FY") and len(text) == 6:
            return date(int(text[2:]) - 1, 10, 1)
        return date.fromisoformat(text if len(text) > 7 else f"{text}-01")
    except ValueError:
        raise TerminologyError(f"{name!r} is not an edition: write FY2027, 2026-10 or 2026-10-01") from None


def modifiers(folder: Path) -> dict[str, str]:
    """HCPCS modifiers of the latest imported quarterly file, with their descriptions."""
    latest = [i for i in imports_of(folder) if i.kind == "hcpcs"][-1:]
    return {r["modifier"]: r["title"] for i in latest for r in read_rows(folder, i) if "modifier" in r}


def pcs_definitions(folder: Path) -> Iterator[Row]:
    """Records of the imported ICD-10-PCS definitions: section, position, term, definition, explanation, includes."""
    for head in imports_of(folder):
        if head.kind == "icd-10-pcs-definitions":
            yield from read_rows(folder, head)

"""Reader of ICD-10-CM's two tables with columns: the Table of Drugs and Chemicals (``icd10cm_drug_YYYY.xml``)
and the Table of Neoplasms (``icd10cm_neoplasm_YYYY.xml``).

They have the form of an index whose terms carry ``<cell col="2">`` and so on, under heads that
``<indexHeading>`` names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

from codeassist.errors import TerminologyError
from codeassist.terminology.sources.icd10cm_index import INDEX_CODE, split_title
from codeassist.terminology.sources.xml_files import read_xml, release_year, text_of

DRUG_COLUMNS = ("accidental", "self_harm", "assault", "undetermined", "adverse", "underdosing")
NEOPLASM_COLUMNS = ("malignant", "secondary", "in_situ", "benign", "uncertain", "unspecified")
_HEAD_WORDS = {
    "accidental": "accidental",
    "self_harm": "self",
    "assault": "assault",
    "undetermined": "undetermined",
    "adverse": "adverse",
    "underdosing": "underdos",
    "malignant": "primary",
    "secondary": "secondary",
    "in_situ": "situ",
    "benign": "benign",
    "uncertain": "uncertain",
    "unspecified": "unspecified",
}


@dataclass(frozen=True, slots=True)
class CellEntry:
    """One line of a table: its titles from the main term down, and the code in each filled column."""

    path: tuple[str, ...]
    codes: dict[str, str]


def read_cells(path: Path, columns: tuple[str, ...]) -> tuple[str, Iterator[CellEntry]]:
    """The release year and the table's lines; ``columns`` is one of the two sets above, in the order printed.

    Raises :class:`TerminologyError` when the heads are others, or a cell holds no code.
    """
    root = read_xml(path)
    heads = {h.get("col") or "": text_of(h).lower() for h in root.iter("head")}
    place: dict[str, str] = {}
    for column in columns:
        found = [c for c, head in heads.items() if re.search(rf"\b{_HEAD_WORDS[column]}", head)]
        if len(found) != 1:
            shown = ", ".join(repr(h) for h in heads.values()) or "none"
            raise TerminologyError(f"{path.name} has no column {column.replace('_', ' ')!r} (its heads: {shown})")
        place[found[0]] = column
    return release_year(root, path), _entries(root, place, path)


def _entries(root: Element, place: dict[str, str], path: Path) -> Iterator[CellEntry]:
    for holder in (root, *root.findall("letter")):
        for term in holder.findall("mainTerm"):
            yield from _walk(term, (), place, path)


def _walk(term: Element, above: tuple[str, ...], place: dict[str, str], path: Path) -> Iterator[CellEntry]:
    here = (*above, split_title(term.find("title"))[0])
    codes = {}
    for cell in term.findall("cell"):
        value = text_of(cell)
        if not value.strip("-–"):
            continue
        column = place.get(cell.get("col") or "")
        if column is None or not INDEX_CODE.match(value):
            raise TerminologyError(f"{path.name}: {', '.join(here)!r} has {value!r} in column {cell.get('col')!r}")
        codes[column] = value
    if codes:
        yield CellEntry(here, codes)
    for below in term.findall("term"):
        yield from _walk(below, here, place, path)

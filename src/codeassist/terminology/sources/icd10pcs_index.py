"""Reader of the ICD-10-PCS index (``icd10pcs_index_YYYY.xml``): terms with a table, a whole code or a reference."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from codeassist.errors import TerminologyError
from codeassist.terminology.sources.icd10cm_index import IndexEntry, split_title
from codeassist.terminology.sources.xml_files import read_xml, release_year, text_of

_PCS_CODE = re.compile(r"^[0-9A-HJ-NP-Z]{1,7}$")


def read_pcs_index(path: Path) -> tuple[str, Iterator[IndexEntry]]:
    """The release year and the index's lines. ``code`` is a whole code, or the first characters of one
    (a table); raises :class:`TerminologyError` when the file is no such index."""
    root = read_xml(path)
    if root.tag != "ICD10PCS.index":
        raise TerminologyError(f"{path.name} is not an ICD-10-PCS index (its root is <{root.tag}>)")
    return release_year(root, path), _entries(root, path)


def _entries(root: Element, path: Path) -> Iterator[IndexEntry]:
    for letter in root.findall("letter"):
        for term in letter.findall("mainTerm"):
            yield from _walk(term, (), path)


def _walk(term: Element, above: tuple[str, ...], path: Path) -> Iterator[IndexEntry]:
    title, modifiers = split_title(term.find("title"))
    here = (*above, title)
    code = next((text for tag in ("code", "codes", "tab") if (text := text_of(term.find(tag)))), None)
    if code is not None and not _PCS_CODE.match(code):
        raise TerminologyError(f"{path.name}: {', '.join(here)!r} has {code!r}, which is no ICD-10-PCS code or table")
    reference = text_of(term.find("see")) or text_of(term.find("use")) or None
    yield IndexEntry(here, code, reference, modifiers)
    for below in term.findall("term"):
        yield from _walk(below, here, path)

"""Reader of the ICD-10-CM Index to Diseases and of the Index to External Causes (``icd10cm_index_YYYY.xml``,
``icd10cm_eindex_YYYY.xml``): letters, main terms and nested terms, each with a code or a reference.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

from codeassist.errors import TerminologyError
from codeassist.terminology.sources.xml_files import read_xml, release_year, text_of

ROOT = "ICD10CM.index"
INDEX_CODE = re.compile(r"^[A-Z][0-9A-Z]{2}(?:\.[0-9A-Z]{0,4})?-*$")
"""A code as the index prints it: a final dash stands for characters that the tabular completes."""


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """One line of an index: the titles from the main term down, without nonessential modifiers.

    ``modifiers`` are those of the last title; ``see`` is the path of a mandatory reference, as printed;
    ``manifestation`` the second code of a pair.
    """

    path: tuple[str, ...]
    code: str | None = None
    see: str | None = None
    modifiers: str = ""
    manifestation: str | None = None


def read_index(path: Path) -> tuple[str, Iterator[IndexEntry]]:
    """The release year and the index's lines, in its order.

    Raises :class:`TerminologyError` when the file is no index or a code in it is malformed.
    """
    root = read_xml(path)
    if root.tag != ROOT:
        raise TerminologyError(f"{path.name} is not an ICD-10-CM index (its root is <{root.tag}>)")
    return release_year(root, path), _entries(root, path)


def _entries(root: Element, path: Path) -> Iterator[IndexEntry]:
    for letter in root.findall("letter"):
        for term in letter.findall("mainTerm"):
            yield from _walk(term, (), path)


def _walk(term: Element, above: tuple[str, ...], path: Path) -> Iterator[IndexEntry]:
    title, modifiers = split_title(term.find("title"))
    here = (*above, title)
    code = text_of(term.find("code")) or None
    manifestation = text_of(term.find("manif")).strip("[]") or None
    for value in (code, manifestation):
        if value is not None and not INDEX_CODE.match(value):
            raise TerminologyError(f"{path.name}: {', '.join(here)!r} has {value!r}, which is no ICD-10-CM code")
    yield IndexEntry(here, code, text_of(term.find("see")) or None, modifiers, manifestation)
    for below in term.findall("term"):
        yield from _walk(below, here, path)


def split_title(title: Element | None) -> tuple[str, str]:
    """A title without its nonessential modifiers (I.A.7 of the guidelines), and these."""
    if title is None:
        return "", ""
    modifiers = " ".join(text_of(m) for m in title.findall("nemod"))
    words = (title.text or "") + "".join(m.tail or "" for m in title)
    return " ".join(words.split()), modifiers

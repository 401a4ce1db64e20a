"""Reader of the ICD-10-PCS definitions (``icd10pcs_definitions_YYYY.xml``): what each value of an axis means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

from codeassist.errors import TerminologyError
from codeassist.terminology.sources.xml_files import read_xml, release_year, text_of


@dataclass(frozen=True, slots=True)
class Definition:
    """A value of an axis (``position`` 3 is the operation) of a section, defined or spelled out."""

    section: str
    position: int
    term: str
    definition: str = ""
    explanation: str = ""
    includes: tuple[str, ...] = ()


def read_pcs_definitions(path: Path) -> tuple[str, Iterator[Definition]]:
    """The release year and the definitions; raises :class:`TerminologyError` when the file holds none."""
    root = read_xml(path)
    if root.tag != "ICD10PCS.definitions":
        raise TerminologyError(f"{path.name} holds no ICD-10-PCS definitions (its root is <{root.tag}>)")
    return release_year(root, path), _definitions(root, path)


def _definitions(root: Element, path: Path) -> Iterator[Definition]:
    for section in root.findall("section"):
        code = section.get("code") or ""
        for axis in section.findall("axis"):
            position = axis.get("pos") or ""
            if not position.isdigit():
                raise TerminologyError(f"{path.name}: an axis of section {code!r} has no position")
            for terms in axis.findall("terms"):
                term = text_of(terms.find("title")) or text_of(terms.find("label"))
                if not term:
                    raise TerminologyError(f"{path.name}: section {code!r}, axis {position}: a term without a title")
                includes = tuple(text_of(i) for i in terms.findall("includes"))
                yield Definition(
                    code,
                    int(position),
                    term,
                    text_of(terms.find("definition")),
                    text_of(terms.find("explanation")),
                    includes,
                )

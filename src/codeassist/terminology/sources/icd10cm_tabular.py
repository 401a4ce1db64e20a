"""Reader of the ICD-10-CM tabular XML as NCHS publishes it (``icd10cm_tabular_YYYY.xml``)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml.ElementTree import parse

from codeassist.errors import TerminologyError

NOTE_KINDS = {
    "inclusionTerm": "inclusion_term",
    "includes": "includes",
    "excludes1": "excludes1",
    "excludes2": "excludes2",
    "codeFirst": "code_first",
    "useAdditionalCode": "use_additional_code",
    "codeAlso": "code_also",
    "notes": "note",
}
SEVENTH_KINDS = ("sevenChrNote", "sevenChrDef")


@dataclass(frozen=True, slots=True)
class TabularEntry:
    """One code, category, block or chapter of the tabular list.

    ``level`` is ``chapter``, ``block`` or ``code``; ``seventh`` maps the 7th characters that apply here,
    own or inherited, to their meaning; ``expanded`` marks a code made by adding a 7th character.
    """

    code: str
    title: str
    level: str
    parent: str | None
    leaf: bool
    notes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    seventh: dict[str, str] = field(default_factory=dict)
    expanded: bool = False


def read_tabular(path: Path) -> tuple[str, Iterator[TabularEntry]]:
    """The release year that the file states, and its entries in the tabular's order.

    Codes that take a 7th character are expanded with placeholder X (tabular introduction, "7th
    characters and placeholder X"). Not every combination made so is valid: dates decide.
    Raises :class:`TerminologyError` when the file is not a tabular list.
    """
    try:
        root = parse(path).getroot()
    except ParseError as error:
        raise TerminologyError(f"{path.name} is not readable as XML: {error}") from None
    if root is None or root.tag != "ICD10CM.tabular":
        tag = getattr(root, "tag", "")
        raise TerminologyError(f"{path.name} is not an ICD-10-CM tabular list (its root is <{tag}>)")
    version = (root.findtext("version") or "").strip()
    if not version.isdigit():
        raise TerminologyError(f"{path.name} does not state its release year in <version>")
    return version, _entries(root)


def _entries(root: Element) -> Iterator[TabularEntry]:
    for chapter in root.findall("chapter"):
        number = (chapter.findtext("name") or "").strip()
        name = f"chapter {number}"
        yield TabularEntry(name, (chapter.findtext("desc") or "").strip(), "chapter", None, False, _notes(chapter))
        for section in chapter.findall("section"):
            block = section.get("id") or ""
            # a block of one category shares its id with it: keep the category
            block_name = block if "-" in block else f"{block}-{block}"
            yield TabularEntry(
                block_name, (section.findtext("desc") or "").strip(), "block", name, False, _notes(section)
            )
            for category in section.findall("diag"):
                yield from _walk(category, block_name, {})


def _notes(element: Element) -> dict[str, tuple[str, ...]]:
    notes: dict[str, tuple[str, ...]] = {}
    for tag, kind in NOTE_KINDS.items():
        texts = [
            " ".join((note.text or "").split())
            for holder in element.findall(tag)
            for note in holder.findall("note")
            if note.text
        ]
        if texts:
            notes[kind] = tuple(texts)
    return notes


def _walk(diag: Element, parent: str, seventh: dict[str, str]) -> Iterator[TabularEntry]:
    code = (diag.findtext("name") or "").strip()
    title = (diag.findtext("desc") or "").strip()
    definition = diag.find("sevenChrDef")
    if definition is not None:
        seventh = {(e.get("char") or ""): (e.text or "").strip() for e in definition.findall("extension")}
    children = diag.findall("diag")
    expands = not children and bool(seventh) and len(code.replace(".", "")) < 7
    notes = _notes(diag)
    if definition is not None:
        notes["seventh_character"] = tuple(f"{c}: {t}" for c, t in seventh.items())
    yield TabularEntry(code, title, "code", parent, not children and not expands, notes, seventh if expands else {})
    for child in children:
        yield from _walk(child, code, seventh)
    if expands:
        stem = code if "." in code else code + "."
        stem = stem + "X" * (7 - len(stem))
        for character, meaning in seventh.items():
            yield TabularEntry(stem + character, f"{title}, {meaning}", "code", code, True, expanded=True)

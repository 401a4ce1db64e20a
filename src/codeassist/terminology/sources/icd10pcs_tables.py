"""Reader of the ICD-10-PCS tables (``icd10pcs_tables_YYYY.xml``): three fixed axes a table, four a row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from xml.etree.ElementTree import Element

from codeassist.errors import TerminologyError
from codeassist.terminology.sources.xml_files import read_xml, release_year, text_of

_CHARACTERS = frozenset("0123456789ABCDEFGHJKLMNPQRSTUVWXYZ")
"""Characters of ICD-10-PCS: no I and no O."""
_EMPTY = frozenset({"no device", "no qualifier", "none"})


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row: for each of the seven axes, the labels by character. A row holds all their combinations."""

    axes: tuple[dict[str, str], ...]

    def codes(self) -> Iterator[tuple[str, str]]:
        """Every code of the row, and its title composed of the labels.

        >>> axes = [{"0": "Medical and Surgical"}, {"D": "Gastrointestinal System"}, {"T": "Resection"}]
        >>> axes += [{"J": "Appendix"}, {"0": "Open"}, {"Z": "No Device"}, {"Z": "No Qualifier"}]
        >>> list(TableRow(tuple(axes)).codes())
        [('0DTJ0ZZ', 'Resection, Appendix, Open')]
        """
        for labelled in product(*(axis.items() for axis in self.axes)):
            labels = [label for _, label in labelled[2:] if label.lower() not in _EMPTY]
            if labelled[0][0] not in "0":  # outside the medical and surgical section its name says what is done
                labels.insert(0, labelled[0][1])
            yield "".join(character for character, _ in labelled), ", ".join(labels)


def read_pcs_tables(path: Path) -> tuple[str, Iterator[TableRow]]:
    """The release year and the rows. Raises :class:`TerminologyError` when a row is not of seven whole axes."""
    root = read_xml(path)
    if root.tag != "ICD10PCS.tabular":
        raise TerminologyError(f"{path.name} holds no ICD-10-PCS tables (its root is <{root.tag}>)")
    return release_year(root, path), _rows(root, path)


def _rows(root: Element, path: Path) -> Iterator[TableRow]:
    for table in root.findall("pcsTable"):
        fixed = [_axis(a) for a in table.findall("axis")]
        name = "".join(next(iter(labels), "?") for labels in fixed)
        for row in table.findall("pcsRow"):
            axes = (*fixed, *(_axis(a) for a in row.findall("axis")))
            if len(axes) != 7 or not all(axes) or any(set(a) - _CHARACTERS for a in axes):
                raise TerminologyError(f"{path.name}: a row of table {name} does not have seven axes of labels")
            out = TableRow(axes)
            stated = row.get("codes")
            counted = 1
            for a in axes:
                counted *= len(a)
            if stated is not None and stated != str(counted):
                raise TerminologyError(f"{path.name}: a row of table {name} states {stated} codes and has {counted}")
            yield out


def _axis(axis: Element) -> dict[str, str]:
    return {(e.get("code") or ""): text_of(e) for e in axis.findall("label")}

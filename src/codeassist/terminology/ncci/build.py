"""The shipped tables (``ncci/data/*.tsv``) as arrays of the terminology index."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from codeassist.errors import TerminologyError
from codeassist.terminology.codes import FOREVER
from codeassist.terminology.layout import IndexWriter
from codeassist.terminology.ncci.layout import AddOns, Pairs, Table, code_number, pair_key
from codeassist.terminology.sources.tables import data_folder

PAIRS, ADD_ONS, EDITIONS = "ncci_pairs", "ncci_add_ons", "ncci_edition"
"""Names of the arrays in the index; the editions of the two tables stand in this order."""
Row = tuple[int, int, int, int, list[str]]


def write_shipped(writer: IndexWriter) -> None:
    """Write the shipped pairs and add-on codes; raises :class:`TerminologyError` for a line that is neither."""
    editions = []
    for prefix, file, table in ((PAIRS, "pairs_hospital.tsv", _pairs), (ADD_ONS, "add_ons.tsv", _add_ons)):
        edition, rows = _read(data_folder("ncci/data") / file)
        editions.append(edition)
        for name, values in table(rows).columns(prefix).items():
            writer.array(name, values)
    writer.strings(EDITIONS, editions)


def _pairs(rows: list[Row]) -> Table:
    flat = [(pair_key(a, code_number(b)), first, last, i) for a, i, first, last, codes in rows for b in codes]
    key, first, last, indicator = zip(*flat, strict=True)
    return Pairs.of(key, first, last, indicator)


def _add_ons(rows: list[Row]) -> Table:
    flat = [(pair_key(a, max(code_number(b), 0)), first, last, i) for a, i, first, last, codes in rows for b in codes]
    return AddOns.of(*zip(*flat, strict=True))


def _read(path: Path) -> tuple[str, list[Row]]:
    """The edition at the head of a shipped file, and its rows: code, number, first and last day, other codes."""
    text = path.read_text(encoding="utf-8").splitlines()
    edition = next((line.split("\t")[1] for line in text if line.startswith("# edition\t")), "")
    return edition, list(_rows(path.name, text))


def _rows(name: str, text: list[str]) -> Iterator[Row]:
    for number, line in enumerate(text, 1):
        if line.startswith("#"):
            continue
        try:
            code, kind, first, last, others = line.split("\t")
            row = code_number(code), int(kind), 0 if first == "-" else int(first), FOREVER if last == "-" else int(last)
        except ValueError:
            row = (-1, 0, 0, 0)
        if row[0] < 0 or any(o != "-" and code_number(o) < 0 for o in others.split()):
            raise TerminologyError(f"{name}, line {number}: not a code, a number, two days and a list of codes")
        yield *row, others.split()

"""Readers of the project's own tab-separated files: the lexicon and the starter catalogues."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from codeassist.errors import TerminologyError

LEXICON_COLUMNS = ("term", "system", "code", "kind", "context", "remark")
CATALOGUE_COLUMNS = ("code", "section", "description", "synonyms", "unit", "remark")


@dataclass(frozen=True, slots=True)
class LexiconEntry:
    """One line of the lexicon: a term and the code, stem (``M25.56-``) or PCS pattern that it means.

    ``context`` lists words of which one must stand in the note (``!word``: must not); ``line`` is for messages.
    """

    term: str
    system: str
    code: str
    kind: str
    context: tuple[str, ...]
    remark: str
    line: str


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One CPT or HCPCS number with a description and synonyms in the project's own words."""

    code: str
    section: str
    description: str
    synonyms: tuple[str, ...]
    unit: str
    remark: str


def data_folder(name: str) -> Path:
    """The folder of shipped data beside this package: ``lexicon``, ``catalogues`` or ``tabular``."""
    return Path(str(resources.files("codeassist.terminology") / name))


def read_lexicon(folder: Path | None = None) -> Iterator[LexiconEntry]:
    """Entries of every ``*.tsv`` of the lexicon, by file name."""
    for path in sorted((folder or data_folder("lexicon")).glob("*.tsv")):
        for where, row in _rows(path, LEXICON_COLUMNS):
            term, system, code, kind, context, remark = row
            words = tuple(w.strip().lower() for w in context.split("|") if w.strip())
            yield LexiconEntry(term, system, code, kind, words, remark, where)


def read_catalogue(system: str, folder: Path | None = None) -> Iterator[CatalogueEntry]:
    """Entries of the starter catalogue of ``cpt`` or ``hcpcs``."""
    path = (folder or data_folder("catalogues")) / f"{system}.tsv"
    for _, (code, section, description, synonyms, unit, remark) in _rows(path, CATALOGUE_COLUMNS):
        names = tuple(s.strip() for s in synonyms.split("|") if s.strip())
        yield CatalogueEntry(code, section, description, names, unit, remark)


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[str, list[str]]]:
    if not path.is_file():
        raise TerminologyError(f"{path.name} is missing from the installation")
    header = False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        cells = line.split("\t")
        if not header:
            if tuple(cells) != columns:
                raise TerminologyError(f"{path.name}, line {number}: the columns must be {', '.join(columns)}")
            header = True
            continue
        if len(cells) != len(columns):
            raise TerminologyError(f"{path.name}, line {number}: {len(cells)} columns, not {len(columns)}")
        yield f"{path.name}:{number}", cells

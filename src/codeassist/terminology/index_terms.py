"""Lines of the imported indexes and tables as phrases that a note may hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path

from codeassist.terminology.imported import Imported, Row, imports_of, read_rows
from codeassist.terminology.phrases import usable
from codeassist.terminology.words import content_stems

_MOST = 4
"""Most readings of one line whose titles print several forms of a word."""
_VAGUE = re.compile(r"\b(specified|nec|nos|type|by site|other|multiple|see|unspecified site)\b", re.I)
_DRUG_PHRASES = {
    "accidental": ("{} poisoning", "{} overdose"),
    "adverse": ("adverse effect of {}", "adverse reaction to {}"),
    "underdosing": ("underdosing of {}",),
}
_NEOPLASM_PHRASES = {
    "malignant": ("malignant neoplasm of {}", "{} cancer"),
    "secondary": ("secondary malignant neoplasm of {}", "{} metastasis"),
    "in_situ": ("carcinoma in situ of {}",),
    "benign": ("benign neoplasm of {}",),
    "uncertain": ("neoplasm of uncertain behavior of {}",),
    "unspecified": ("neoplasm of {}",),
}


@dataclass(frozen=True, slots=True)
class IndexTerm:
    """A phrase of an index and the code or stem (no dot, no dash) that it leads to."""

    text: str
    system: str
    code: str
    spoken: bool
    """Whether a note that holds the phrase means the code; if not, only a search may use it."""


def index_terms(imports: Path) -> Iterator[IndexTerm]:
    """Phrases of all imported indexes and tables."""
    for head in imports_of(imports):
        readers = {
            "icd-10-cm-index": _diseases,
            "icd-10-cm-external-causes": _causes,
            "icd-10-cm-drugs": _drugs,
            "icd-10-cm-neoplasms": _neoplasms,
            "icd-10-pcs-index": _procedures,
        }
        if head.kind in readers:
            yield from readers[head.kind](imports, head)


def _diseases(imports: Path, head: Imported) -> Iterator[IndexTerm]:
    for row in read_rows(imports, head):
        for text in path_phrases(row["path"]):
            stems = content_stems(text)
            alone = len(stems) == 1 and (len(stems[0]) < 5 or row["code"][0] in "VWXYZ")
            yield IndexTerm(text, head.system, _stem(row), usable(stems) and not alone)


def _causes(imports: Path, head: Imported) -> Iterator[IndexTerm]:
    for row in read_rows(imports, head):
        for text in path_phrases(row["path"]):
            yield IndexTerm(text, head.system, _stem(row), False)


def _procedures(imports: Path, head: Imported) -> Iterator[IndexTerm]:
    for row in read_rows(imports, head):
        if len(row["code"]) == 7:
            for text in path_phrases(row["path"]):
                yield IndexTerm(text, head.system, row["code"], len(content_stems(text)) > 1)


def _drugs(imports: Path, head: Imported) -> Iterator[IndexTerm]:
    yield from _cells(imports, head, _DRUG_PHRASES, 0)


def _neoplasms(imports: Path, head: Imported) -> Iterator[IndexTerm]:
    yield from _cells(imports, head, _NEOPLASM_PHRASES, 1)


def _cells(imports: Path, head: Imported, phrases: dict[str, tuple[str, ...]], skip: int) -> Iterator[IndexTerm]:
    """``skip`` titles from the top say only what the table is about."""
    for row in read_rows(imports, head):
        for name in path_phrases(row["path"][skip:]):
            for column, forms in phrases.items():
                code = row["codes"].get(column)
                if code:
                    for form in forms:
                        yield IndexTerm(form.format(name), head.system, code.rstrip("-"), True)


def _stem(row: Row) -> str:
    code: str = row["code"]
    return code.rstrip("-")


def path_phrases(path: list[str]) -> Iterator[str]:
    """The wordings of a line: its titles joined, each of the forms that a title prints taken in turn.

    A title prints forms of one word ("Abscess, abscesses") or a name turned round ("Tall stature, constitutional").

    >>> list(path_phrases(["Abscess", "abdomen, abdominal", "cavity"]))
    ['Abscess abdomen cavity', 'Abscess abdominal cavity']
    >>> list(path_phrases(["Impediment, speech"]))
    ['Impediment speech']
    >>> list(path_phrases(["Anemia", "specified NEC"]))
    []
    """
    if not path or any(_VAGUE.search(title) for title in path):
        return
    for words in islice(product(*(_forms(title) for title in path)), _MOST):
        yield " ".join(words)


def _forms(title: str) -> list[str]:
    parts = [p.strip() for p in title.split(",") if p.strip()]
    if len(parts) > 1 and all(p[:4].lower() == parts[0][:4].lower() for p in parts):
        return parts
    return [" ".join(parts)]

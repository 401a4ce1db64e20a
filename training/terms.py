"""Term files: phrases and the codes that they stand for, learnt into a release as hashed keys.

Read are the Alphabetic Index as CSV (columns Level, Term, Code; NCHS, FY2025) and tables of labels with
``ICD10CM:`` cross-references (Disease Ontology, TSV).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from codeassist.errors import InputError
from codeassist.release import LearnedPhrases
from codeassist.terminology.phrases import usable
from codeassist.terminology.store import Store, normal_key
from codeassist.terminology.words import content_stems, phrase_key

_CODE = re.compile(r"^[A-Z][0-9][0-9A-Z](?:\.[0-9A-Z]{1,4})?\.?-*$")
_MOST_CODES = 3
"""A phrase that stands for more codes than this tells nothing."""


def learn_terms(files: list[Path], store: Store) -> LearnedPhrases:
    """Phrases of the files that stand for codes of the store; what the store knows already is left out."""
    found: dict[int, tuple[set[str], int]] = {}
    known = set(store.phrases.key.tolist())
    for file in files:
        for phrase, code in _read(file):
            stems = content_stems(phrase)
            key = phrase_key(stems)
            if usable(stems) and key not in known and store.row("icd-10-cm", code) is not None:
                found.setdefault(key, (set(), len(stems)))[0].add(code)
    rows = sorted((k, c, n) for k, (codes, n) in found.items() if len(codes) <= _MOST_CODES for c in codes)
    return LearnedPhrases(
        np.array([k for k, _, _ in rows], dtype=np.uint64),
        np.array([c.encode() for _, c, _ in rows], dtype="S10"),
        np.array([n for _, _, n in rows], dtype=np.uint8),
    )


def _read(path: Path) -> Iterator[tuple[str, str]]:
    if not path.is_file():
        raise InputError(f"there is no term file {path}")
    with path.open(encoding="utf-8-sig", newline="") as file:
        head = file.readline()
        file.seek(0)
        if "Level" in head and "Term" in head and "Code" in head:
            yield from _index(csv.DictReader(file))
        elif head.startswith("id\tlabel\txrefs"):
            yield from _labels(csv.DictReader(file, delimiter="\t"))
        else:
            raise InputError(
                f"{path.name}: not an index CSV with Level, Term and Code, nor a TSV of id, label and xrefs"
            )


def _index(rows: csv.DictReader[str]) -> Iterator[tuple[str, str]]:
    path: list[str] = []
    for row in rows:
        level = int(row["Level"] or 0)
        path = [*path[:level], row["Term"]]
        path += [""] * (level + 1 - len(path))
        path[level] = row["Term"]
        code = (row["Code"] or "").strip()
        if _CODE.match(code):
            yield " ".join(path), normal_key(code).rstrip("-")


def _labels(rows: csv.DictReader[str]) -> Iterator[tuple[str, str]]:
    for row in rows:
        for code in re.findall(r"ICD10CM:([A-Z0-9.]+)", row["xrefs"] or ""):
            if _CODE.match(code):
                yield row["label"], normal_key(code)

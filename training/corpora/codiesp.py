"""CodiEsp as it is published (Miranda-Escalada et al. 2020): texts in a folder, codes in tables.

train/
  text_files/ARTICLE.txt       Spanish, which the offsets of X belong to
  text_files_en/ARTICLE.txt    the machine translation into English, where it is there
  trainD.tsv  trainP.tsv       article, code (or article, type, code): diagnoses; procedures
  trainX.tsv                   article, type, code, the words, and their offsets: "12 20;31 40"
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from codeassist.errors import InputError

_SYSTEMS = {"DIAGNOSTICO": "icd-10-cm", "PROCEDIMIENTO": "icd-10-pcs", "D": "icd-10-cm", "P": "icd-10-pcs"}
_Codes = dict[tuple[str, str], list[dict[str, int]]]


def is_codiesp(folder: Path) -> bool:
    """Whether a folder has this layout."""
    return any((folder / name).is_dir() for name in ("text_files", "text_files_en"))


def read_codiesp(folder: Path) -> Iterator[tuple[int, Mapping[str, Any] | InputError]]:
    """A record an article, by the name of its file. The English texts are taken where they are there: the pipeline
    reads English; evidence comes with the Spanish ones only, whose offsets it is.

    Raises :class:`InputError` for a folder without tables, or a table that has another form.
    """
    english = (folder / "text_files_en").is_dir()
    tables = sorted(folder.glob("*.tsv"))
    if not tables:
        raise InputError(f"{folder.name} has texts, but no tables of codes (*.tsv) as CodiEsp has them")
    articles: dict[str, _Codes] = {}
    for table in tables:
        for article, key, spans in _rows(table):
            kept = articles.setdefault(article, {}).setdefault(key, [])
            kept += [] if english else spans
    files = sorted((folder / ("text_files_en" if english else "text_files")).glob("*.txt"))
    for number, file in enumerate(files, 1):
        codes = articles.get(file.stem, {})
        yield (
            number,
            {
                "id": file.stem,
                "text": file.read_text(encoding="utf-8"),
                "setting": "inpatient",
                "date_of_service": "2018-06-01",
                "codes": [{"system": s, "code": c, "evidence": spans} for (s, c), spans in codes.items()],
            },
        )


def _rows(table: Path) -> Iterator[tuple[str, tuple[str, str], list[dict[str, int]]]]:
    with table.open(encoding="utf-8-sig", newline="") as file:
        for number, row in enumerate(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE), 1):
            if not row:
                continue
            kind = table.stem[-1:].upper() if len(row) == 2 else row[1].strip().upper()
            if len(row) not in (2, 3, 5) or kind not in _SYSTEMS:
                if number == 1:
                    continue  # a head
                raise InputError(
                    f"{table.name}, line {number}: expected an article, DIAGNOSTICO or PROCEDIMIENTO, and a code"
                )
            code = row[1] if len(row) == 2 else row[2]
            try:
                spans = [_span(part) for part in row[4].split(";")] if len(row) == 5 else []
            except ValueError:
                raise InputError(f"{table.name}, line {number}: the offsets are not as in 12 20;31 40") from None
            yield row[0].strip(), (_SYSTEMS[kind], code.strip().upper()), spans


def _span(part: str) -> dict[str, int]:
    start, end = part.split()
    return {"start": int(start), "end": int(end)}

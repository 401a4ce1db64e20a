"""Readers of CMS's fixed-width code lists.

``icd10cm-codes-YYYY.txt`` and ``icd10pcs_codes_YYYY.txt``: code, blanks, long title.
``icd10cm_order_YYYY.txt`` and ``icd10pcs_order_YYYY.txt``: order number (5), code (7 from column 7),
billable flag (column 15), short title (60 from column 17), long title (from column 78).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from codeassist.errors import TerminologyError
from codeassist.terminology.sources.text_files import read_lines


@dataclass(frozen=True, slots=True)
class ListedCode:
    """One line of a code list; ``code`` has no dot."""

    code: str
    title: str
    billable: bool


def read_codes_file(path: Path) -> Iterator[ListedCode]:
    """Codes of a ``codes`` file; raises :class:`TerminologyError` with the line's number when one is malformed."""
    for number, line in read_lines(path):
        code, _, title = line.partition(" ")
        if not 3 <= len(code) <= 7 or not code.isalnum() or not title.strip():
            raise TerminologyError(f"{path.name}, line {number}: not a code followed by its title")
        yield ListedCode(code, title.strip(), True)


def read_order_file(path: Path) -> Iterator[ListedCode]:
    """Codes and headers of an ``order`` file; raises :class:`TerminologyError` as :func:`read_codes_file` does."""
    for number, line in read_lines(path):
        order, code, flag, title = line[:5], line[6:13].strip(), line[14:15], line[77:].strip()
        if not order.isdigit() or not code.isalnum() or flag not in ("0", "1") or not title:
            raise TerminologyError(f"{path.name}, line {number}: not a line of a CMS order file")
        yield ListedCode(code, title, flag == "1")

"""Writes the code editor's attributes and the conversions into the index."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codeassist.terminology.codes import Code
from codeassist.terminology.edits import Edit
from codeassist.terminology.layout import IndexWriter
from codeassist.terminology.sources import carriers
from codeassist.terminology.sources.carriers import carrier_path
from codeassist.terminology.sources.code_editor import Span, read_attributes, read_conversions
from codeassist.terminology.store import FIRST_DAY

_SYSTEMS = ("icd-10-cm", "icd-10-pcs")
_NAMES = {
    "newborn": Edit.NEWBORN,
    "pediatric": Edit.PAEDIATRIC,
    "maternity": Edit.MATERNITY,
    "adult": Edit.ADULT,
    "female": Edit.FEMALE,
    "male": Edit.MALE,
    "manifestation": Edit.MANIFESTATION,
    "unacceptable": Edit.UNACCEPTABLE_PRINCIPAL,
    "qadm": Edit.QUESTIONABLE_ADMISSION,
    "reqsdx": Edit.REQUIRES_SECONDARY,
    "unspecified": Edit.UNSPECIFIED,
    "noncovered": Edit.NONCOVERED,
    "lcov": Edit.LIMITED_COVERAGE,
}


def write_edits(writer: IndexWriter, codes: Sequence[Code]) -> None:
    """Flags by day and row, and the conversions by row; ``codes`` are in the order of the index."""
    rows = {(c.system, c.key): row for row, c in enumerate(codes) if c.system in _SYSTEMS}
    path = carrier_path(carriers.CODE_EDITOR)
    spans: dict[int, list[Span]] = {}
    for system in _SYSTEMS:
        for span in read_attributes(path, system):
            if (system, span.code) in rows:
                spans.setdefault(rows[system, span.code], []).append(span)
    changes = {s.first for of_code in spans.values() for s in of_code[1:] if s.first > FIRST_DAY}
    days = np.array(sorted({FIRST_DAY, *changes}), dtype=np.int32)
    flags = np.zeros((len(days), len(codes)), dtype=np.uint16)
    for row, of_code in spans.items():
        for span in of_code:
            # before its first day a code has the flags of that day, so that a rule can speak of a code of next year
            since = 0 if span is of_code[0] else int(np.searchsorted(days, span.first))
            flags[since:, row] = sum(_NAMES.get(a, 0) for a in span.attributes)
    writer.array("edit_day", days)
    writer.array("edit_flags", flags)
    found = sorted(
        (rows[system, old], rows[system, new], day)
        for system in _SYSTEMS
        for old, new, day in read_conversions(path, system)
        if (system, old) in rows and (system, new) in rows
    )
    for name, column in zip(("old", "new", "day"), np.array(found, dtype=np.int32).T, strict=True):
        writer.array(f"conversion_{name}", np.ascontiguousarray(column))

"""What is known of the modifiers of CPT and HCPCS lines (``data/ncci_modifiers.tsv`` and its neighbours)."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources

from codeassist.errors import CodeassistError
from codeassist.terminology.ncci.layout import code_number


def _rows(name: str, columns: int) -> Iterator[list[str]]:
    file = resources.files("codeassist.rules.data") / name
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if line and not line.startswith("#"):
            row = line.split("\t")
            if len(row) != columns:
                raise CodeassistError(f"{name} line {number}: {len(row)} columns, not {columns}")
            yield row


_KNOWN = list(_rows("ncci_modifiers.tsv", 4))
MEANING = {modifier: meaning for modifier, meaning, _, _ in _KNOWN}
"""What a modifier says, in the project's own words."""
BYPASS = frozenset(modifier for modifier, _, passes, _ in _KNOWN if passes == "yes")
"""Modifiers with which an NCCI pair of indicator 1 passes."""
VISIT_ONLY = frozenset(modifier for modifier, _, _, where in _KNOWN if where == "visit")
PROCEDURE_ONLY = frozenset(modifier for modifier, _, _, where in _KNOWN if where == "procedure")
CONFLICTS = tuple((frozenset((a, b)), why) for a, b, why in _rows("ncci_conflicts.tsv", 3))
"""Modifiers that may not stand on one line together, with the reason."""
_VISITS = tuple((code_number(a), code_number(b), what) for a, b, what in _rows("ncci_visits.tsv", 3))


def visit_kind(code: int) -> str:
    """``visit`` for an evaluation and management code, ``like`` for one that takes modifiers as a visit and as a
    procedure does, else ``procedure``; ``code`` is :func:`codeassist.terminology.ncci.layout.code_number`'s."""
    kind = "procedure"
    for first, last, what in _VISITS:
        if first <= code <= last:
            kind = what
    return kind

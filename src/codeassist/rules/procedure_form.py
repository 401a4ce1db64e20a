"""Which character of an ICD-10-PCS code its table does not have (guidelines A1 to A9)."""

from __future__ import annotations

import numpy as np

from codeassist.rules.case import Case
from codeassist.rules.diagnosis_form import Fault
from codeassist.rules.tables import read_table

SYSTEM = "icd-10-pcs"
LENGTH = 7
_TABLE = 3
_MOST = 6
_NEVER = str.maketrans("OI", "01")
NAMES = {s: tuple(names.split(",")) for sections, names in read_table("pcs_characters", 2) for s in sections.split(",")}
"""What each of the seven characters stands for, by section (the first character)."""


def procedure_fault(case: Case, key: str) -> Fault:
    """What is wrong with an ICD-10-PCS code that is in no release."""
    if len(key) != LENGTH or not key.isalnum():
        return _length(case, key)
    digits = key.translate(_NEVER)
    if digits != key and _valid(case, digits):
        return Fault("pcs-value", f"{key}: the letters O and I are never used in ICD-10-PCS", f"write {digits}")
    at = _first_wrong(case, key)
    names = NAMES.get(key[0], NAMES["0"])
    what = f"character {at + 1} ({names[at]}) cannot be {key[at]}" + (f" after {key[:at]}" if at else "")
    allowed = _allowed(case, key[:at])
    mended = [code for c in allowed if _valid(case, code := key[:at] + c + key[at + 1 :])]
    table = f"there is no table {key[:_TABLE]}:" if at < _TABLE else f"in table {key[:_TABLE]},"
    message = f"{key}: {table} {what}"
    if mended:
        more = f" and {len(mended) - _MOST} more" if len(mended) > _MOST else ""
        return Fault("pcs-value", message, f"codes with another value there: {', '.join(mended[:_MOST])}{more}")
    return Fault("pcs-value", message, f"values there: {', '.join(allowed)}")


def _length(case: Case, key: str) -> Fault:
    """A code that does not have seven characters: what may follow, where it is the beginning of one."""
    message = f"{key} has {len(key)} characters; ICD-10-PCS codes have {LENGTH} letters and digits"
    allowed = _allowed(case, key) if key.isalnum() and len(key) < LENGTH else []
    if not allowed:
        return Fault("format", message)
    names = NAMES.get(key[:1])
    what = f" ({names[len(key)]})" if names else ""
    return Fault("format", message, f"next character{what}: {', '.join(allowed)}")


def _first_wrong(case: Case, key: str) -> int:
    """The place (from 0) of the first character after which no code of the day begins so."""
    valid = case.store.valid(case.day)
    for n in range(1, LENGTH):
        rows = case.store.prefix(SYSTEM, key[:n])
        if not valid[rows.start : rows.stop].any():
            return n - 1
    return LENGTH - 1


def _allowed(case: Case, beginning: str) -> list[str]:
    """The characters that come after ``beginning`` in the codes of the day."""
    rows = case.store.prefix(SYSTEM, beginning)
    keys = case.store.key[rows.start : rows.stop][case.store.valid(case.day)[rows.start : rows.stop]]
    width = keys.dtype.itemsize
    column = np.ascontiguousarray(keys).view("S1").reshape(-1, width)[:, len(beginning)]
    return [c.decode() for c in np.unique(column)]


def _valid(case: Case, key: str) -> bool:
    row = case.store.row(SYSTEM, key)
    return row is not None and bool(case.store.valid(case.day)[row])

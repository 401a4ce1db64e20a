"""Audited notes as CSV: a row a note, with its codes in one column."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from codeassist.errors import InputError

_PLAIN = ("id", "text", "setting", "date_of_service", "note_type", "specialty", "coder", "weight")
LONGEST_FIELD = 1 << 30


def read_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any] | InputError]]:
    """Records as they stand in JSON Lines, with the line that each row begins at; for a bad row, why.

    Columns are named as the fields, with ``age``, ``sex`` and ``patient`` (an identifier) of the patient; ``codes`` is
    ``icd-10-cm:E11.9; cpt:99213``. Empty cells count as not given. Raises :class:`InputError` when there is no column
    ``text`` or ``codes``, or the file is not UTF-8.
    """
    csv.field_size_limit(LONGEST_FIELD)
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            rows = csv.DictReader(file)
            lacking = [c for c in ("text", "codes") if c not in (rows.fieldnames or ())]
            if lacking:
                raise InputError(f"{path.name} has no column {' and no column '.join(lacking)}")
            begins = rows.line_num + 1
            for row in rows:
                yield begins, _checked(row)
                begins = rows.line_num + 1
        except UnicodeDecodeError as error:
            raise InputError(f"{path.name} is not UTF-8 (byte {error.start})") from None
        except csv.Error as error:
            raise InputError(f"{path.name}, line {begins}: {error}") from None


def _checked(row: Mapping[str | None, Any]) -> Mapping[str, Any] | InputError:
    if None in row:
        return InputError("the row has more cells than the head: a comma or a line break may lack its quotes")
    return record_of_row({str(name): value for name, value in row.items()})


def record_of_row(row: Mapping[str, Any]) -> Mapping[str, Any] | InputError:
    """The record of a row whose codes stand in one text; or why it can't be read."""
    record: dict[str, Any] = {name: row[name] for name in _PLAIN if row.get(name)}
    record["text"] = row.get("text") or ""
    codes = []
    for written in filter(None, (part.strip() for part in (row["codes"] or "").split(";"))):
        system, colon, code = written.partition(":")
        if not colon:
            return InputError(f"a code is written SYSTEM:CODE, not {written!r}")
        codes.append({"system": system.strip(), "code": code.strip()})
    record["codes"] = codes
    patient: dict[str, Any] = {k: row[k] for k in ("sex",) if row.get(k)}
    if row.get("patient"):
        patient["id"] = row["patient"]
    if row.get("age"):
        try:
            patient["age"] = float(row["age"])
        except ValueError:
            return InputError("'age' must be a number of years")
    return {**record, "patient": patient}

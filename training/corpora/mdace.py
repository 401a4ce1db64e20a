"""MDACE as it is published (Cheng et al. 2023): a JSON file an admission, whose texts are MIMIC-III's and not in it.

    Inpatient/ICD-10/1.0/117699-ICD-10.json    {"hadm_id", "notes": [{"note_id", "category", "annotations":
                                               [{"begin", "end", "code", "code_system", "covered_text", …}]}]}
    NOTEEVENTS.csv                             MIMIC-III's notes, put there by whoever may use them: ROW_ID, SUBJECT_ID,
                                               HADM_ID, CHARTDATE, CATEGORY, TEXT

Each note is an audited note of its own, with the codes that were annotated in it; a patient's notes stay together in
folds and splits.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from codeassist.errors import InputError
from training.rows import LONGEST_FIELD

_SYSTEMS = {"ICD-10-CM": "icd-10-cm", "ICD-10-PCS": "icd-10-pcs", "CPT": "cpt", "HCPCS": "hcpcs"}
_COLUMNS = ("ROW_ID", "TEXT")
_Annotated = dict[str, tuple[str, Mapping[str, Any]]]


def is_mdace(folder: Path) -> bool:
    """Whether a folder has this layout."""
    return next(folder.rglob("*.json"), None) is not None


def read_mdace(folder: Path) -> Iterator[tuple[int, Mapping[str, Any] | InputError]]:
    """A record a note, in the order of the table of texts, with the number of its row; and for a note whose text is
    not there, or not the one that was annotated, why. Codes of ICD-9 are left out.

    Raises :class:`InputError` without a table of texts, or for a file of another form.
    """
    tables = sorted(folder.rglob("*.csv"))
    if not tables:
        raise InputError(
            f"{folder.name} has no table of texts: MDACE comes without them; put MIMIC-III's NOTEEVENTS.csv, or the "
            "rows of it that are needed, into the folder"
        )
    wanted = _annotated(folder)
    number = 0
    for table in tables:
        for number, row in _rows(table):
            found = wanted.pop(row["ROW_ID"], None)
            if found is not None:
                yield number, _record(*found, row)
    for note in sorted(wanted):
        number += 1
        yield number, InputError(f"the text of note {note} is in no table")


def _annotated(folder: Path) -> _Annotated:
    """The notes with annotations, by number, each with its admission."""
    out: _Annotated = {}
    for file in sorted(folder.rglob("*.json")):
        try:
            admission = json.loads(file.read_bytes())
            for note in admission["notes"]:
                if note["annotations"]:
                    out[str(note["note_id"])] = (str(admission["hadm_id"]), note)
        except (ValueError, KeyError, TypeError):
            raise InputError(
                f"{file.name} is no admission as MDACE has them: hadm_id, and notes with annotations"
            ) from None
    return out


def _rows(table: Path) -> Iterator[tuple[int, dict[str, str]]]:
    csv.field_size_limit(LONGEST_FIELD)
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        lacking = [c for c in _COLUMNS if c not in (rows.fieldnames or ())]
        if lacking:
            raise InputError(f"{table.name} has no column {' and no column '.join(lacking)}")
        yield from enumerate(rows, 1)


def _record(admission: str, note: Mapping[str, Any], row: Mapping[str, str]) -> Mapping[str, Any] | InputError:
    codes: dict[tuple[str, str], list[dict[str, int]]] = {}
    for a in note["annotations"]:
        try:
            system, span = _SYSTEMS.get(a["code_system"]), {"start": int(a["begin"]), "end": int(a["end"])}
            key = (str(system), str(a["code"]))
        except (KeyError, TypeError, ValueError):
            return InputError(f"an annotation of note {row['ROW_ID']} lacks begin, end, code or code_system")
        covered = a.get("covered_text")
        if isinstance(covered, str) and row["TEXT"][span["start"] : span["end"]].split() != covered.split():
            return InputError(f"the text of note {row['ROW_ID']} is not the one that was annotated")
        if system:
            codes.setdefault(key, []).append(span)
    return {
        "id": f"{admission}-{row['ROW_ID']}",
        "text": row["TEXT"],
        "setting": "inpatient",
        **({"date_of_service": row["CHARTDATE"][:10]} if row.get("CHARTDATE") else {}),
        "note_type": row.get("CATEGORY") or note.get("category"),
        "patient": {"id": row.get("SUBJECT_ID") or admission},
        "codes": [{"system": s, "code": c, "evidence": spans} for (s, c), spans in codes.items()],
    }

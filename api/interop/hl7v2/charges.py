"""Submitted codes as DFT^P03, version 2.6: the first with a field for present on admission (DG1-26).

One FT1 with a PR1 for each procedure; the diagnoses stand once, at the end of the message. Where no procedure is coded,
one FT1 with the local code CODING carries them, because the message needs an FT1. Segments are written here and not by
hl7apy, which leaves out the places of withdrawn fields, so that what follows them moves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from api.interop.hl7v2.escapes import Delimiters, escape
from api.interop.hl7v2.times import write_time
from api.reviews.coding import Coding, Line
from api.store.base import now
from api.store.reviews import ReviewRow

VERSION = "2.6"
CODING_SYSTEMS = {"icd-10-cm": "I10", "icd-10-pcs": "I10P", "cpt": "C4", "hcpcs": "HCPCS"}
"""HL7 table 0396."""
CLASSES = {"inpatient": "I", "outpatient": "O", "emergency": "E"}
ON_ADMISSION = {"1": "E"}
"""HL7 table 0895: exempt; the other values are those of the claim."""
FINAL = "F"
"""HL7 table 0052: a final diagnosis."""
CHARGE = "CG"
"""HL7 table 0017."""


def charge_message(review: ReviewRow, coding: Coding, context: Mapping[str, Any] | None, control_id: str) -> bytes:
    """The charges of a submitted review in UTF-8.

    ``context`` is what its document's message said of patient and visit; without it PID and PV1 have what the note has.
    """
    procedures = [line for line in coding.lines if line.system != "icd-10-cm"]
    diagnoses = [line for line in coding.lines if line.system == "icd-10-cm"]
    day = review.note.date_of_service
    segments = [
        rf"MSH|^~\&|CODEASSIST||||{write_time(now())}||DFT^P03^DFT_P03|{control_id}|P|{VERSION}||||||UNICODE UTF-8",
        f"EVN||{write_time(review.submitted_at or now())}",
        _received("PID", context) or _patient(review),
        _received("PV1", context) or f"PV1|1|{CLASSES[review.note.setting]}",
    ]
    for place, line in enumerate(procedures, 1):
        segments += _charge(place, line, diagnoses, day)
    if not procedures:
        segments.append(_segment("FT1", {1: "1", 4: _day(day), 6: CHARGE, 7: "CODING^Final codes^L", 10: "1"}))
    segments += [_diagnosis(place, line, review.note.setting) for place, line in enumerate(diagnoses, 1)]
    return ("\r".join(segments) + "\r").encode("utf-8")


def _charge(place: int, line: Line, diagnoses: Sequence[Line], day: date) -> list[str]:
    titled = {d.code: _coded(d) for d in diagnoses}
    linked = "~".join(titled.get(code, f"{escape(code)}^^I10") for code in line.diagnoses)
    code, modifiers = _coded(line), "~".join(map(escape, line.modifiers))
    charge = {
        1: str(place),
        4: _day(day),
        6: CHARGE,
        7: code,
        10: str(line.units or 1),
        19: linked,
        25: code,
        26: modifiers,
    }
    return [_segment("FT1", charge), _segment("PR1", {1: str(place), 3: code, 5: _day(day), 16: modifiers})]


def _diagnosis(place: int, line: Line, setting: str) -> str:
    on_admission = ON_ADMISSION.get(line.poa, line.poa) if line.poa is not None and setting == "inpatient" else ""
    return _segment("DG1", {1: str(place), 3: _coded(line), 6: FINAL, 15: "1" if place == 1 else "2", 26: on_admission})


def _patient(review: ReviewRow) -> str:
    patient = review.note.record.get("patient") or {}
    identity = str(patient.get("id") or review.note.record["id"])
    return _segment("PID", {1: "1", 3: escape(identity), 5: "^^^^^^U", 8: str(patient.get("sex") or "")[:1].upper()})


def _received(name: str, context: Mapping[str, Any] | None) -> str | None:
    """The segment as it came in, with the usual delimiters."""
    if not context or not context.get(name):
        return None
    came, segment = Delimiters(*context["delimiters"]), str(context[name])
    usual = Delimiters()
    if came == usual:
        return segment
    # a usual delimiter that is plain text in the message becomes its escape sequence
    names = {character: letter for letter, character in usual.names.items() if letter != "P"}
    both = dict(zip(_marks(came), _marks(usual), strict=True))
    return "".join(both.get(c) or (f"\\{names[c]}\\" if c in names else c) for c in segment)


def _marks(d: Delimiters) -> tuple[str, ...]:
    return d.field, d.component, d.repetition, d.escape, d.subcomponent


def _segment(name: str, fields: Mapping[int, str]) -> str:
    """A segment of fields by their number; what follows the last one that is given is left out.

    >>> _segment("PR1", {1: "1", 3: "A", 5: ""})
    'PR1|1||A'
    """
    return "|".join([name, *(fields.get(i, "") for i in range(1, max(fields) + 1))]).rstrip("|")


def _coded(line: Line) -> str:
    return f"{escape(line.code)}^{escape(line.display)}^{CODING_SYSTEMS[line.system]}"


def _day(day: date) -> str:
    return day.strftime("%Y%m%d")

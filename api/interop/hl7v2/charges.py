"""Submitted codes as DFT^P03, version 2.6: the first with a field for present on admission (DG1-26).

One FT1 with a PR1 for each procedure; the diagnoses stand once, at the end of the message. Where no procedure is coded,
one FT1 with the local code CODING carries them, because the message needs an FT1.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from hl7apy.core import Group, Message, Segment
from hl7apy.exceptions import HL7apyException
from hl7apy.parser import parse_segment

from api.interop.hl7v2.escapes import Delimiters, escape
from api.interop.hl7v2.message import TOLERANT, encoding_chars, supported
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


def charge_message(review: ReviewRow, coding: Coding, context: dict[str, Any] | None, control_id: str) -> bytes:
    """The charges of a submitted review in UTF-8.

    ``context`` is what its document's message said of patient and visit; without it PID and PV1 have what the note has.
    """
    message = Message("DFT_P03", version=VERSION)
    message.msh.msh_3 = "CODEASSIST"
    message.msh.msh_7 = write_time(now())
    message.msh.msh_9 = "DFT^P03^DFT_P03"
    message.msh.msh_10 = control_id
    message.msh.msh_11 = "P"
    message.msh.msh_18 = "UNICODE UTF-8"
    message.evn.evn_2 = write_time(review.submitted_at or now())
    message.add(_patient(review, context))
    message.add(_visit(review, context))
    day = review.note.date_of_service
    procedures = [line for line in coding.lines if line.system != "icd-10-cm"]
    diagnoses = [line for line in coding.lines if line.system == "icd-10-cm"]
    for place, line in enumerate(procedures, 1):
        _charge(message, place, line, diagnoses, day)
    if not procedures:
        _transaction(message.add_group("DFT_P03_FINANCIAL"), 1, "CODING^Final codes^L", day)
    for place, line in enumerate(diagnoses, 1):
        _diagnosis(message, place, line, review)
    return (str(message.to_er7()).rstrip("\r") + "\r").encode("utf-8")


def _charge(message: Message, place: int, line: Line, diagnoses: list[Line], day: date) -> None:
    group = message.add_group("DFT_P03_FINANCIAL")
    code = _coded(line)
    charge = _transaction(group, place, code, day, line.units or 1)
    titles = {d.code: d for d in diagnoses}
    for linked in line.diagnoses:
        charge.add_field("FT1_19").value = _coded(titles[linked]) if linked in titles else f"{escape(linked)}^^I10"
    charge.ft1_25 = code
    procedure = group.add_group("DFT_P03_PROCEDURE").add_segment("PR1")
    procedure.pr1_1 = str(place)
    procedure.pr1_3 = code
    procedure.pr1_5 = day.strftime("%Y%m%d")
    for modifier in line.modifiers:
        charge.add_field("FT1_26").value = escape(modifier)
        procedure.add_field("PR1_16").value = escape(modifier)


def _transaction(group: Group, place: int, code: str, day: date, quantity: int = 1) -> Segment:
    charge = group.add_segment("FT1")
    charge.ft1_1 = str(place)
    charge.ft1_4 = day.strftime("%Y%m%d")
    charge.ft1_6 = "CG"
    charge.ft1_7 = code
    charge.ft1_10 = str(quantity)
    return charge


def _diagnosis(message: Message, place: int, line: Line, review: ReviewRow) -> None:
    diagnosis = message.add_segment("DG1")
    diagnosis.dg1_1 = str(place)
    diagnosis.dg1_3 = _coded(line)
    diagnosis.dg1_6 = FINAL
    diagnosis.dg1_15 = "1" if place == 1 else "2"
    if line.poa is not None and review.note.setting == "inpatient":
        diagnosis.dg1_26 = ON_ADMISSION.get(line.poa, line.poa)


def _coded(line: Line) -> str:
    return f"{escape(line.code)}^{escape(line.display)}^{CODING_SYSTEMS[line.system]}"


def _patient(review: ReviewRow, context: dict[str, Any] | None) -> Segment:
    patient = review.note.record.get("patient") or {}
    identity, sex = (
        escape(str(patient.get("id") or review.note.record["id"])),
        str(patient.get("sex") or "")[:1].upper(),
    )
    return _received("PID", context) or _parsed(f"PID|1||{identity}||^^^^^^U|||{sex}")


def _visit(review: ReviewRow, context: dict[str, Any] | None) -> Segment:
    return _received("PV1", context) or _parsed(f"PV1|1|{CLASSES[review.note.setting]}")


def _received(name: str, context: dict[str, Any] | None) -> Segment | None:
    """The segment as it came in; one that this version can't hold is left out."""
    if not context or not context.get(name):
        return None
    delimiters = Delimiters(*context["delimiters"])
    try:
        came = parse_segment(context[name], supported(context["version"]), encoding_chars(delimiters), TOLERANT)
        return _parsed(came.to_er7(encoding_chars(Delimiters())))
    except HL7apyException:
        return None


def _parsed(text: str) -> Segment:
    return parse_segment(text, VERSION, encoding_chars(Delimiters()), TOLERANT)

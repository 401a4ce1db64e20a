"""What a document message says: the note to code, its identity, and what it does to an earlier document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from api.interop.hl7v2.errors import Location, Refused
from api.interop.hl7v2.message import Message
from api.interop.hl7v2.tables import note_type_of, setting_of
from api.interop.hl7v2.text import document_text
from api.interop.hl7v2.times import read_date, read_time

EVENTS = frozenset({"T02", "T04", "T10", "T11"})
"""A new document, a change of its status, a replacement, a cancellation; all but the last with content."""
CANCELLATION = "T11"
REPLACEMENT = "T10"
UNFINISHED = frozenset({"DI", "IP", "IN"})
"""TXA-17: dictated, in progress, incomplete. Such a document is kept, and coded when a message says that it is done."""
COMPLETION = UNFINISHED | {"DO", "PA", "AU", "LA"}
LONGEST_ID = 200
_SEXES = {"M": "M", "F": "F"}


@dataclass(frozen=True, slots=True)
class Document:
    """A document message. ``note`` is a note record, absent in a cancellation; ``context`` has what a charge needs."""

    event: str
    id: str
    parent: str | None
    originated: datetime | None
    completion: str
    note: Mapping[str, Any] | None
    context: Mapping[str, str]


def read_document(message: Message) -> Document:
    """The document of a message. Raises :class:`Refused` that names the field."""
    txa = message.parsed("TXA")
    if txa is None:
        raise Refused("100", "the segment TXA is missing", Location("TXA"))
    event, identity = message.header.event, message.value(txa, 12)
    if not identity:
        raise Refused("101", "TXA-12, the document's number, is missing", Location("TXA", 1, 12))
    if len(identity) > LONGEST_ID or not identity.isprintable():
        raise Refused("102", f"TXA-12 has at most {LONGEST_ID} printable characters", Location("TXA", 1, 12))
    parent = message.value(txa, 13) or None
    if event == REPLACEMENT and parent is None:
        raise Refused("101", "TXA-13, the document that is replaced, is missing", Location("TXA", 1, 13))
    completion = message.value(txa, 17).upper()
    if completion and completion not in COMPLETION:
        raise Refused("103", f"TXA-17 has to be {', '.join(sorted(COMPLETION))}", Location("TXA", 1, 17))
    originated = read_time(message.value(txa, 6), Location("TXA", 1, 6))
    note = None if event == CANCELLATION else _note(message, identity)
    context = {name: found[0] for name in ("PID", "PV1") if (found := message.named(name))}
    marks = message.delimiters
    context["delimiters"] = "".join((marks.field, marks.component, marks.repetition, marks.escape, marks.subcomponent))
    context["version"] = message.header.version
    return Document(event, identity, parent, originated, completion, note, context)


def _note(message: Message, identity: str) -> dict[str, Any]:
    pv1, txa = message.parsed("PV1"), message.parsed("TXA")
    setting = setting_of(message.value(pv1, 2))
    admitted = read_date(message.value(pv1, 44), Location("PV1", 1, 44))
    discharged = read_date(message.value(pv1, 45), Location("PV1", 1, 45))
    active = read_date(message.value(txa, 4), Location("TXA", 1, 4))
    sent = read_date(message.header.time, Location("MSH", 1, 7))
    ends = (discharged, active, admitted, sent) if setting == "inpatient" else (admitted, active, discharged, sent)
    day = next((d for d in ends if d is not None), date.today())
    record: dict[str, Any] = {
        "id": identity,
        "text": document_text(message),
        "setting": setting,
        "date_of_service": day.isoformat(),
    }
    if (kind := _note_type(message)) is not None:
        record["note_type"] = kind
    if patient := _patient(message, day):
        record["patient"] = patient
    service = message.value(pv1, 10)[:LONGEST_ID]
    if service and service.isprintable():
        record["specialty"] = service
    return record


def _note_type(message: Message) -> str | None:
    """By TXA-2, then by the codes of the first OBX-3; else the text that goes with the code of TXA-2."""
    txa = message.parsed("TXA")
    named = [(message.value(txa, 2, 3), message.value(txa, 2))]
    observed = message.named("OBX")[:1]
    for segment in observed:
        fields = segment.split(message.delimiters.field)
        parts = fields[3].split(message.delimiters.component) if len(fields) > 3 else []
        named += [(parts[i + 2], parts[i]) for i in (0, 3) if len(parts) > i + 2]
    known = (note_type_of(system.strip(), code.strip()) for system, code in named)
    return next((k for k in known if k is not None), None) or message.value(txa, 2, 2)[:LONGEST_ID] or None


def _patient(message: Message, day: date) -> dict[str, Any]:
    """Identifier, age in years on the day of service, and sex; what PID does not say is left out."""
    pid = message.parsed("PID")
    patient: dict[str, Any] = {}
    if identity := message.value(pid, 3):
        patient["id"] = identity
    born = read_date(message.value(pid, 7), Location("PID", 1, 7))
    if born is not None:
        age = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
        if not 0 <= age <= 130:
            raise Refused("102", "PID-7 gives an age outside 0 to 130 years", Location("PID", 1, 7))
        patient["age"] = age
    if (sex := _SEXES.get(message.value(pid, 8).upper())) is not None:
        patient["sex"] = sex
    return patient

"""From FHIR resources to the note or encounter that is coded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from api.errors import Problem
from api.interop.fhir.attachments import Content, Source, choose, content_of
from api.interop.fhir.resources import Collected, Resource, references
from api.interop.fhir.tables import encounter_classes, note_types
from api.interop.fhir.texts import text_of

LOINC = "http://loinc.org"
LONGEST_ID = 200


@dataclass(frozen=True, slots=True)
class DocumentSource:
    """One document: the id that evidence names it by, its text, and the reference to where it came from."""

    id: str
    text: str
    reference: str
    note_type: str | None


@dataclass(frozen=True, slots=True)
class Chart:
    """What is coded together, with the resources that it came from."""

    documents: tuple[DocumentSource, ...]
    setting: str
    claim: str
    date_of_service: date | None
    patient: Resource | None = None
    encounter: Resource | None = None
    subject: str | None = None
    encounter_reference: str | None = None

    def facts(self) -> dict[str, Any]:
        """What the resources that go out say beside the codes. It is kept with the note, where it goes to review."""
        facts: dict[str, Any] = {
            "claim": self.claim,
            "sources": {d.id: d.reference for d in self.documents if d.reference},
        }
        if self.subject is not None:
            facts["subject"] = self.subject
        if self.encounter_reference is not None:
            facts["encounter"] = self.encounter_reference
        if self.encounter is not None:
            facts |= {name: self.encounter[name] for name in ("period", "serviceProvider") if name in self.encounter}
        return facts

    def record(self) -> dict[str, Any]:
        """The note record of the design, as :func:`codeassist.note.note_from_record` reads it."""
        record: dict[str, Any] = {"setting": self.setting}
        if self.date_of_service is not None:
            record["date_of_service"] = self.date_of_service.isoformat()
        facts = _patient(self.patient, self.date_of_service or date.today())
        if self.subject is not None:
            facts["id"] = self.subject
        if facts:
            record["patient"] = facts
        record["fhir"] = self.facts()
        rows = [_row(d) for d in self.documents]
        if len(rows) == 1:
            return {**rows[0], **record}
        named = self.encounter_reference or self.subject or "encounter"
        return {"id": named[-LONGEST_ID:], "documents": rows, **record}


@dataclass(frozen=True, slots=True)
class Read:
    """A document whose content is at hand, before its text is taken out."""

    resource: Resource
    content: Content


@dataclass(frozen=True, slots=True)
class Extracted:
    """A document with its text."""

    resource: Resource
    text: str


def extract(read: Read) -> Extracted:
    """The document with its text, which may take a while. Raises :class:`codeassist.errors.InputError`."""
    return Extracted(read.resource, text_of(read.content.data, read.content.media_type, read.content.charset))


async def read_contents(documents: list[Resource], source: Source) -> list[Read]:
    """The content of each document. Raises :class:`Problem` that names the document."""
    limit = source.fetcher.settings.max_documents
    if len(documents) > limit:
        raise Problem("invalid-input", f"These are {len(documents)} documents; the limit is {limit}.")
    return [Read(d, await content_of(choose(d["content"]), source)) for d in documents]


def current(documents: list[Resource]) -> list[Resource]:
    """The documents that stand: neither superseded nor entered in error, by DocumentReference or by its document."""
    return [
        d
        for d in documents
        if d.get("status") == "current" and d.get("docStatus") not in ("entered-in-error", "superseded")
    ]


def chart_of(found: Collected, read: list[Extracted], also: tuple[DocumentSource, ...] = ()) -> Chart:
    """What is coded of the documents. ``also`` are texts beside them, such as the wording of a problem."""
    if not read and not also:
        raise Problem("invalid-input", "There is no current DocumentReference with content here.")
    encounter, encounter_reference = _encounter(found, [r.resource for r in read])
    patients = {s for r in read for s in references(r.resource.get("subject"))}
    subjects = sorted(patients | set(references(encounter.get("subject")) if encounter else ()))
    if len({s.split("/")[-1] for s in subjects}) > 1:
        raise Problem("invalid-input", "The documents are of several patients.")
    patient = found.find(subjects[0]) if subjects else next(iter(found.of_type("Patient")), None)
    subject = subjects[0] if subjects else (f"Patient/{patient['id']}" if patient and "id" in patient else None)
    row = encounter_classes().get(_class(encounter), encounter_classes()["AMB"])
    ids: dict[str, int] = {}
    documents = (*also, *(_document(r, ids, number) for number, r in enumerate(read, 1)))
    day = _day_of_service(encounter, row.setting, [r.resource for r in read])
    return Chart(documents, row.setting, row.claim, day, patient, encounter, subject, encounter_reference)


def day_of(value: object) -> date | None:
    """The day of a FHIR date, dateTime or instant; ``None`` when it names no day.

    >>> day_of("2026-03-02T23:30:00-05:00"), day_of("2026-03")
    (datetime.date(2026, 3, 2), None)
    """
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


def _encounter(found: Collected, documents: list[Resource]) -> tuple[Resource | None, str | None]:
    named = [
        reference
        for document in documents
        for reference in references(*document.get("context", {}).get("encounter", []))
    ]
    encounter = next((e for e in map(found.find, named) if e is not None), None)
    if encounter is None:
        encounter = next(iter(found.of_type("Encounter")), None)
    if named:
        return encounter, named[0]
    return encounter, f"Encounter/{encounter['id']}" if encounter and "id" in encounter else None


def _class(encounter: Resource | None) -> str:
    code = encounter.get("class", {}).get("code") if encounter else None
    return str(code or "AMB").upper()


def _day_of_service(encounter: Resource | None, setting: str, documents: list[Resource]) -> date | None:
    """The discharge for inpatients, otherwise the day on which it began; of the encounter, else of the documents."""
    periods = [encounter.get("period", {})] if encounter else []
    periods += [d.get("context", {}).get("period", {}) for d in documents]
    order: tuple[str, ...] = ("end", "start") if setting == "inpatient" else ("start", "end")
    days = [day_of(period[name]) for period in periods for name in order if name in period]
    days += [day_of(d["date"]) for d in documents if "date" in d]
    return next((day for day in days if day is not None), None)


def _document(read: Extracted, ids: dict[str, int], number: int) -> DocumentSource:
    resource = read.resource
    name = str(resource.get("id") or f"document-{number}")[:LONGEST_ID]
    ids[name] = ids.get(name, 0) + 1
    unique = name if ids[name] == 1 else f"{name}-{ids[name]}"
    reference = f"DocumentReference/{resource['id']}" if "id" in resource else ""
    return DocumentSource(unique, read.text, reference, _note_type(resource))


def _note_type(resource: Resource) -> str | None:
    kind = resource.get("type", {})
    for coding in kind.get("coding", []):
        if coding.get("system") == LOINC and coding.get("code") in note_types():
            return note_types()[coding["code"]]
    words = kind.get("text") or next((c["display"] for c in kind.get("coding", []) if "display" in c), None)
    return str(words)[:LONGEST_ID] if words else None


def _patient(patient: Resource | None, on: date) -> dict[str, Any]:
    if patient is None:
        return {}
    facts: dict[str, Any] = {}
    born = day_of(patient.get("birthDate"))
    if born is not None and 0 <= (years := _age(born, on)) <= 130:
        facts["age"] = years
    sex = {"male": "M", "female": "F"}.get(str(patient.get("gender")))
    return facts if sex is None else {**facts, "sex": sex}


def _age(born: date, on: date) -> float:
    """Age in years: whole ones, and for infants their days."""
    years = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
    return years if years > 0 else round((on - born).days / 365.25, 4)


def _row(document: DocumentSource) -> dict[str, Any]:
    row = {"id": document.id, "text": document.text}
    return row if document.note_type is None else {**row, "note_type": document.note_type}

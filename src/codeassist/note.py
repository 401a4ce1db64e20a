"""The note and the encounter: what the service reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, get_args

from codeassist.errors import InputError, NoteTooLarge

Setting = Literal["outpatient", "inpatient", "emergency"]
SETTINGS: tuple[Setting, ...] = get_args(Setting)
MAX_CHARACTERS = 2_000_000
"""Longest text of one encounter, in Unicode code points, unless the settings say otherwise."""


@dataclass(frozen=True, slots=True)
class Patient:
    """What the rules need to know of a patient: age in years, sex ``M``, ``F`` or ``None``, and a site's identifier."""

    age: float | None = None
    sex: Literal["M", "F"] | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """One document of an encounter."""

    text: str
    id: str = "document"
    note_type: str | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """One note, or the documents of one encounter.

    Give ``text`` for one note, or ``documents`` for an encounter of several.
    ``date_of_service`` is the discharge date for inpatients and defaults to today.

    >>> Note(text="Type 2 diabetes, on metformin.").setting
    'outpatient'
    """

    text: str = ""
    id: str = "note"
    setting: Setting = "outpatient"
    date_of_service: date = field(default_factory=date.today)
    note_type: str | None = None
    patient: Patient = Patient()
    specialty: str | None = None
    documents: tuple[Document, ...] = ()

    def __post_init__(self) -> None:
        if self.setting not in SETTINGS:
            raise InputError(f"unknown setting {self.setting!r}: use {', '.join(SETTINGS)}")
        if self.text and self.documents:
            raise InputError("a note has either text or documents, not both")
        ids = [d.id for d in self.documents]
        if len(set(ids)) != len(ids):
            raise InputError("two documents of one encounter have the same id")
        object.__setattr__(self, "documents", tuple(self.documents))

    @property
    def parts(self) -> tuple[Document, ...]:
        """The documents to read; a note of one text is one document with the note's id and type."""
        return self.documents or (Document(self.text, self.id, self.note_type),)

    def check_length(self, limit: int = MAX_CHARACTERS) -> None:
        """Raise :class:`NoteTooLarge` when the texts together exceed ``limit`` code points,
        and :class:`InputError` when there is nothing to read."""
        length = sum(len(d.text) for d in self.parts)
        if length > limit:
            raise NoteTooLarge(f"the note has {length:,} characters; the limit is {limit:,}")
        if not any(d.text.strip() for d in self.parts):
            raise InputError("the note is empty")


def note_from_record(record: Mapping[str, Any]) -> Note:
    """A note from one JSON record of the design's format; unknown fields are ignored.

    Raises :class:`InputError` that names the field when a value is of the wrong kind.

    >>> note_from_record({"id": "a", "text": "Gout.", "patient": {"age": 61, "sex": "M"}}).patient.age
    61
    """
    if not isinstance(record, Mapping):
        raise InputError("a note record is a JSON object")
    if "text" not in record and "documents" not in record:
        raise InputError("a note record needs 'text' or 'documents'")
    patient = record.get("patient") or {}
    if not isinstance(patient, Mapping):
        raise InputError("'patient' is an object with age and sex")
    documents = record.get("documents") or []
    if not isinstance(documents, (list, tuple)) or not all(isinstance(d, Mapping) for d in documents):
        raise InputError("'documents' is a list of objects with id and text")
    return Note(
        text=_string(record, "text", "") or "",
        id=_string(record, "id", "note") or "note",
        setting=record.get("setting") or "outpatient",
        date_of_service=_date(record.get("date_of_service")),
        note_type=_string(record, "note_type"),
        patient=Patient(_age(patient.get("age")), _sex(patient.get("sex")), _string(patient, "id")),
        specialty=_string(record, "specialty"),
        documents=tuple(
            Document(_string(d, "text", "") or "", _string(d, "id") or f"document-{i}", _string(d, "note_type"))
            for i, d in enumerate(documents, 1)
        ),
    )


def _string(record: Mapping[str, Any], name: str, default: str | None = None) -> str | None:
    value = record.get(name, default)
    if value is None:
        return default
    if isinstance(value, int) and name == "id":
        return str(value)
    if not isinstance(value, str):
        raise InputError(f"'{name}' must be text, not {type(value).__name__}")
    return value


def _date(value: Any) -> date:
    if value is None:
        return date.today()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise InputError(f"'date_of_service' must be a date such as 2026-03-02, not {value!r}") from None


def _age(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 130:
        raise InputError(f"'age' must be a number of years from 0 to 130, not {value!r}")
    return value


def _sex(value: Any) -> Literal["M", "F"] | None:
    if value is None:
        return None
    letter = value.strip()[:1].upper() if isinstance(value, str) else ""
    if letter == "M":
        return "M"
    if letter == "F":
        return "F"
    if letter in ("U", "O", "X"):
        return None
    raise InputError(f"'sex' must be M or F, or left out, not {value!r}")

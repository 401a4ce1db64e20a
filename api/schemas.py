"""What goes over the border: requests, strictly read, and the shapes that OpenAPI shows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from api.body import check_utf8
from api.errors import Problem, invalid
from codeassist.note import Note, Setting, note_from_record
from codeassist.result import Finding, System
from codeassist.rules.encounter import Encounter
from codeassist.rules.reading import MOST_CODES, MOST_LINKED, MOST_UNITS, encounter_from_record
from codeassist.terminology.store import Store

Model = TypeVar("Model", bound=BaseModel)
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SEXES = {"m", "f", "male", "female", "u", "o", "x", "unknown", "other"}


def _known_sex(value: str) -> str:
    if value.strip().lower() not in _SEXES:
        raise PydanticCustomError("sex", "must be M or F, or left out")
    return value


def _day(value: object) -> object:
    """The date of a text; pydantic itself would take "0" for the first day of 1970."""
    if not isinstance(value, str):
        return value
    if _DAY.fullmatch(value):
        with suppress(ValueError):
            return date.fromisoformat(value)
    raise PydanticCustomError("date", "must be a date such as 2026-03-02")


Day = Annotated[date, BeforeValidator(_day)]
"""A date as ISO 8601 writes it, and in no other way."""


class Strict(BaseModel):
    """A body that is refused when a field is of the wrong type or not known."""

    model_config = ConfigDict(strict=True, extra="forbid")


class _Lenient(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")


class _PatientFields(BaseModel):
    age: float | None = Field(None, ge=0, le=130, description="Age in years on the date of service.")
    sex: Annotated[str, AfterValidator(_known_sex)] | None = Field(
        None, description="`M` or `F`, as the rules of the code systems use it; left out when unknown."
    )
    id: str | int | None = Field(None, description="The site's own identifier; not used for coding.")


class _DocumentFields(BaseModel):
    text: str = Field(description="The document, as it stands: offsets count its Unicode code points.")
    id: str | int | None = Field(None, description="Names the document in `evidence`; `document-1`, … when left out.")
    note_type: str | None = Field(None, description="Such as `operative` or `laboratory`.")


class _NoteFields(BaseModel):
    id: str | int | None = Field(None, description="Comes back in the result.")
    text: str | None = Field(None, description="The note, as it stands: offsets count its Unicode code points.")
    setting: Setting | None = Field(None, description="`outpatient` when left out.")
    date_of_service: Day | None = Field(None, description="Today when left out; for inpatients the discharge date.")
    note_type: str | None = Field(None, description="Such as `progress` or `discharge summary`.")
    specialty: str | None = None

    @model_validator(mode="after")
    def _text_or_documents(self) -> Self:
        if (self.text is None) == (getattr(self, "documents", None) is None):
            raise PydanticCustomError("text_or_documents", "give either 'text' or 'documents'")
        return self


class PatientIn(_PatientFields, Strict):
    """What the rules need to know of the patient."""


class DocumentIn(_DocumentFields, Strict):
    """One document of an encounter."""


class NoteIn(_NoteFields, Strict):
    """A note, with `text`, or an encounter of several documents, with `documents`. Unknown fields are refused."""

    patient: PatientIn | None = None
    documents: list[DocumentIn] | None = Field(None, min_length=1, description="In place of `text`: an encounter.")


class _LenientPatient(_PatientFields, _Lenient):
    pass


class _LenientDocument(_DocumentFields, _Lenient):
    pass


class NoteLine(_NoteFields, _Lenient):
    """A line of a batch: as `NoteIn`, but a site's own fields are ignored."""

    patient: _LenientPatient | None = None
    documents: list[_LenientDocument] | None = Field(None, min_length=1)


class CodedLineIn(_Lenient):
    """One code of a claim, with what stands beside it."""

    system: System | None = Field(None, description="Left out, it is told by the code: see docs/rules.md.")
    code: str = Field(description="In capitals or not, with the dot or without.")
    poa: str | None = Field(None, description="Present on admission: `Y`, `N`, `U`, `W`, or `1` for exempt.")
    modifiers: list[str] | None = Field(None, max_length=MOST_LINKED)
    units: int | None = Field(None, ge=1, le=MOST_UNITS)
    diagnoses: list[str] | None = Field(
        None, max_length=MOST_LINKED, description="The diagnosis codes that the line is linked to."
    )


class EditsIn(_Lenient):
    """An encounter's codes, in the order of the claim. Unknown fields are ignored: a claim may be sent whole."""

    setting: Setting | None = Field(None, description="`outpatient` when left out.")
    date_of_service: Day | None = Field(None, description="Today when left out; for inpatients the discharge date.")
    patient: _LenientPatient | None = None
    text: str | None = Field(None, description="The note, for the rules that read it.")
    codes: list[CodedLineIn] = Field(max_length=MOST_CODES, description="The principal or first diagnosis first.")


def parse_note(data: bytes, model: type[NoteIn] | type[NoteLine]) -> Note:
    """The note of one JSON object. Raises :class:`Problem`, or :class:`codeassist.errors.InputError`."""
    return note_from_record(record_of(data, model))


def parse_edits(data: bytes, store: Store) -> Encounter:
    """The encounter of one JSON object. Raises :class:`Problem`, or :class:`codeassist.errors.InputError`."""
    return encounter_from_record(record_of(data, EditsIn), store)


def read_model(data: bytes, model: type[Model]) -> Model:
    """The body as ``model``. Raises :class:`Problem`: 400 for what is no JSON in UTF-8, 422 that names the fields."""
    try:
        return model.model_validate_json(check_utf8(data))
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        if found[0]["type"] == "json_invalid":
            raise Problem("malformed-json", f"{found[0]['msg']}.") from None
        raise invalid(found, "body") from None


def record_of(data: bytes, model: type[BaseModel]) -> dict[str, Any]:
    """The body as ``model`` takes it, as JSON again and without nulls. Raises as :func:`read_model` does."""
    return read_model(data, model).model_dump(exclude_none=True)


class CodesQuery(BaseModel):
    """The parameters of a search."""

    model_config = ConfigDict(extra="forbid")

    q: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)] = Field(
        description="A code or its beginning, a title, a synonym or an abbreviation; misspellings are forgiven."
    )
    system: System | None = Field(None, description="Only codes of this system.")
    date_of_service: Day | None = Field(None, description="Only codes that are valid on this day.")
    limit: int = Field(20, ge=1, le=100)


class HitOut(BaseModel):
    """One code that a search found."""

    model_config = ConfigDict(from_attributes=True)

    system: System
    code: str
    display: str
    score: float = Field(description="How well it matches; the list is in this order, best first.")


class CodeOut(BaseModel):
    """A code as its release defines it."""

    model_config = ConfigDict(from_attributes=True)

    system: System
    code: str
    display: str
    billable: bool
    valid_from: date | None
    valid_to: date | None
    parent: str | None
    children: tuple[str, ...]
    notes: Mapping[str, tuple[str, ...]] = Field(description="By kind: `includes`, `excludes1`, `code_first`, …")
    source: str = Field(description="The file that the facts come from.")


class SequencedOut(BaseModel):
    """A code at its place in the proposed order."""

    code: str
    reason: str


class EditsOut(BaseModel):
    """What the rules say of an encounter's codes."""

    findings: list[Finding] = Field(description="Errors first, then warnings, then what is good to know.")
    sequence: list[SequencedOut] = Field(description="All codes given, in the order in which to report them.")
    rules: list[str] = Field(description="The families of rules that ran.")
    editions: dict[str, str] = Field(description="The editions of everything that was read.")


class IndicatorOut(BaseModel):
    """A clinical indicator, quoted from the note."""

    start: int
    end: int
    text: str
    document: str | None = Field(None, description="Which document, where the encounter has several.")


class QueryOut(BaseModel):
    """The draft of a query to the physician."""

    topic: str
    reason: str = Field(description="What the documentation leaves open, for the coder.")
    indicators: list[IndicatorOut]
    question: str
    options: list[str] = Field(description="Open options, with other and unable to determine.")
    codes: list[str] = Field(description="The codes that the answer bears on.")


class SectionOut(BaseModel):
    """A section of a note, from its heading to the next one."""

    kind: str = Field(description="What the heading means: `assessment`, `medications`, `other`, …")
    title: str = Field(description="The heading as the note has it.")
    start: int
    end: int
    document: str | None = Field(None, description="Which document, where the encounter has several.")


class HealthOut(BaseModel):
    """The process runs."""

    status: Literal["ok"] = "ok"


class ReadyOut(BaseModel):
    """The model and the terminology are loaded."""

    status: Literal["ready"] = "ready"
    model: dict[str, str]
    terminology: dict[str, str]


class FieldErrorOut(BaseModel):
    """One field or parameter that is wrong."""

    place: Literal["body", "query", "path"] = Field(alias="in")
    field: str
    code: str
    detail: str


class ProblemOut(BaseModel):
    """A problem document (RFC 9457). A program tests `code`."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    instance: str | None = Field(None, description="The request, as the service's log names it.")
    errors: list[FieldErrorOut] | None = None

"""What the routes of reviews read, and the shapes of their answers that OpenAPI shows."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, RootModel, StringConstraints
from pydantic_core import PydanticCustomError

from api.reviews.worklist import Sort
from api.schemas import Day, Strict
from api.store.reviews import Band, State
from codeassist.note import Setting
from codeassist.result import CodingResult, Finding, System
from codeassist.rules.reading import LONGEST_CODE, MOST_CODES, MOST_LINKED, MOST_UNITS

LARGEST = 2**31 - 1
"""Largest number of a review or a version that a database takes."""


def _storable(value: str) -> str:
    if "\0" in value:
        raise PydanticCustomError("nul", "must not hold the character NUL")
    return value


_Stored = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1), AfterValidator(_storable)]
Reason = Annotated[_Stored, Field(max_length=2000)]
Name = Annotated[_Stored, Field(max_length=200)]
Code = Annotated[_Stored, Field(max_length=LONGEST_CODE)]
Version = Annotated[int, Field(ge=1, le=LARGEST, description="The version of the review that the request is about.")]


class CodeIn(Strict):
    """A code, in capitals or not, with the dot or without."""

    system: System
    code: Code


class SpanIn(Strict):
    """A piece of the note: code points; `document` names it in an encounter of several."""

    start: int = Field(ge=0, le=LARGEST)
    end: int = Field(ge=1, le=LARGEST)
    document: str | None = None


class Accepted(CodeIn):
    """A suggestion, or a code that was left out, is taken as it is."""

    version: Version
    kind: Literal["accepted"]


class Rejected(CodeIn):
    """A suggestion, or a chosen code, is turned down."""

    version: Version
    kind: Literal["rejected"]
    reason: Reason


class Replaced(CodeIn):
    """Another code is taken in place of a suggestion or of a chosen code."""

    version: Version
    kind: Literal["replaced"]
    by: CodeIn
    reason: Reason | None = None


class Added(CodeIn):
    """A code that was not suggested is taken."""

    version: Version
    kind: Literal["added"]
    evidence: list[SpanIn] | None = Field(None, max_length=MOST_LINKED)


class Reordered(Strict):
    """All chosen codes in a new order."""

    version: Version
    kind: Literal["reordered"]
    order: list[CodeIn] = Field(max_length=MOST_CODES)


class PoaSet(CodeIn):
    """Whether a chosen diagnosis was present on admission; null takes it away."""

    version: Version
    kind: Literal["poa"]
    poa: Literal["Y", "N", "U", "W", "1"] | None


class ModifiersSet(CodeIn):
    """The modifiers of a chosen service."""

    version: Version
    kind: Literal["modifiers"]
    modifiers: list[Annotated[str, StringConstraints(to_upper=True, pattern=r"^[A-Za-z0-9]{2}$")]] = Field(
        max_length=MOST_LINKED
    )


class UnitsSet(CodeIn):
    """How often a chosen service was done; null takes it away."""

    version: Version
    kind: Literal["units"]
    units: int | None = Field(ge=1, le=MOST_UNITS)


class Linked(CodeIn):
    """The diagnoses that a chosen procedure is linked to."""

    version: Version
    kind: Literal["linked"]
    diagnoses: list[Code] = Field(max_length=MOST_LINKED)


class DecisionIn(
    RootModel[
        Annotated[
            Accepted | Rejected | Replaced | Added | Reordered | PoaSet | ModifiersSet | UnitsSet | Linked,
            Field(discriminator="kind"),
        ]
    ]
):
    """A decision of a coder; `kind` says which."""


class VersionIn(Strict):
    """The version that the request is about."""

    version: Version


class HoldIn(VersionIn):
    """Why the note is put aside."""

    reason: Reason


class OverrideIn(Strict):
    """An error that is submitted in spite of, by its rule and codes as the finding has them."""

    rule: Name
    codes: list[Code] = Field(max_length=MOST_CODES)
    reason: Reason


class SubmitIn(VersionIn):
    """The errors that stand, each with a reason."""

    overrides: list[OverrideIn] = Field(default_factory=list, max_length=MOST_CODES)


class OpenIn(Strict):
    """Whether the note is taken from somebody who has it open."""

    take_over: bool = False


class NextIn(Strict):
    """Which notes are meant; all of them unless given."""

    setting: Setting | None = None
    specialty: Name | None = None
    date_from: Day | None = None
    date_to: Day | None = None
    confidence: Band | None = None


class AssignIn(Strict):
    """Whom the note is for; null for whoever comes. `priority` is 1 for what comes first to 9 for what comes last."""

    to: Name | None
    priority: int | None = Field(None, ge=1, le=9)


class KeepIn(Strict):
    """Nothing: an empty object."""


BODIES = (NextIn, OpenIn, DecisionIn, VersionIn, HoldIn, SubmitIn, AssignIn, KeepIn)


class NotesQuery(BaseModel):
    """Which notes are meant."""

    model_config = ConfigDict(extra="forbid")

    setting: Setting | None = None
    specialty: Name | None = Field(None, description="As the note gives it.")
    date_from: Day | None = Field(None, description="First date of service.")
    date_to: Day | None = Field(None, description="Last date of service.")


class WorklistQuery(NotesQuery):
    """The parameters of the worklist."""

    state: State | None = None
    confidence: Band | None = Field(None, description="The band of the confidence in what was proposed.")
    mine: bool = Field(
        False,
        description="Only yours: what you have open, hold or have submitted, or what waits and is assigned to you.",
    )
    assigned_to: Name | None = None
    sort: Sort = "received"
    after: int = Field(0, ge=0, le=LARGEST, description="`next` of the page before.")
    limit: int = Field(50, ge=1, le=200)


class LockOut(BaseModel):
    """Who has the note open, and until when nobody else can open it without taking it over."""

    holder: str
    until: str
    expired: bool


class SubmittedOut(BaseModel):
    """Who made the codes final, and when."""

    by: str
    time: str


class SummaryOut(BaseModel):
    """A review as the worklist shows it."""

    review: int
    state: State
    version: int = Field(description="Name it in the next change.")
    note_id: str
    setting: Setting
    date_of_service: date
    received: str
    specialty: str | None = None
    confidence: float = Field(description="The expected F1 of the codes proposed.")
    confidence_band: Band
    priority: int = Field(description="1 comes first, 9 last.")
    assigned_to: str | None = None
    lock: LockOut | None = None
    hold_reason: str | None = None
    submitted: SubmittedOut | None = None


class MineOut(BaseModel):
    """How many notes are yours: open, waiting and assigned to you, put on hold by you, submitted by you."""

    open: int
    assigned: int
    held: int
    submitted: int


class WorklistOut(BaseModel):
    """A page of the worklist."""

    counts: dict[State, int] = Field(description="How many notes that the filters let through are in each state.")
    mine: MineOut
    at_least: bool = Field(description="Whether a count of 10000 may stand for more.")
    specialties: list[str] = Field(description="Those that notes have.")
    reviews: list[SummaryOut]
    next: int | None = Field(None, description="Give it as `after` for the following page.")


class KeptOut(BaseModel):
    """A lock that began anew."""

    review: int
    version: int
    lock: LockOut


class GapOut(BaseModel):
    """Something that is missing for this kind of visit, and the words of the note that say so where there are any."""

    kind: str
    message: str
    document: str | None = None
    start: int | None = None
    end: int | None = None
    text: str | None = None


class LineOut(BaseModel):
    """A code that the coder has chosen."""

    system: System
    code: str
    display: str
    origin: Literal["accepted", "replaced", "added"]
    sequence: int
    evidence: list[dict[str, Any]]
    poa: str | None = None
    modifiers: list[str] | None = None
    units: int | None = None
    diagnoses: list[str] | None = None
    instead_of: str | None = None


class RejectedOut(BaseModel):
    """A code that the coder has turned down."""

    system: System
    code: str
    reason: str


class SequenceOut(BaseModel):
    """A code at its place in the order that the rules propose."""

    code: str
    reason: str


class DecisionOut(BaseModel):
    """A decision as it was made. An undo supersedes the decision that it takes back, a redo the undo."""

    number: int
    kind: str
    user: str
    time: str
    stands: bool
    supersedes: int | None = None
    details: dict[str, Any]


class StateOut(SummaryOut):
    """A review as a change leaves it."""

    codes: list[LineOut]
    rejected: list[RejectedOut]
    undecided: int = Field(description="Suggestions of tier `code` that are neither taken nor turned down.")
    findings: list[Finding] = Field(description="What the rules say of `codes`.")
    sequence: list[SequenceOut]
    decisions: list[DecisionOut]
    can_undo: bool
    can_redo: bool


class OverrideOut(BaseModel):
    """An error that the coder submitted in spite of, with the reason."""

    rule: str
    codes: list[str]
    message: str
    reason: str
    user: str
    time: str


class ReviewOut(StateOut):
    """A review with its note, and the suggestions as they were made."""

    note: dict[str, Any]
    result: CodingResult
    missing: list[GapOut]
    overrides: list[OverrideOut] = Field(description="Empty until the codes are submitted.")

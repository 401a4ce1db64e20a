"""What the routes of second looks read, and the shapes of their answers that OpenAPI shows."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from api.review_schemas import (
    LARGEST,
    DecisionOut,
    GapOut,
    LineOut,
    Name,
    NextIn,
    OverrideOut,
    Reason,
    RejectedOut,
    SequenceOut,
)
from api.review_schemas import VersionIn as _Versioned
from api.reviews.audit_records import reasons
from api.schemas import Strict
from api.store.audits import Answer, AuditState, DifferenceKind, Mode, Verdict
from codeassist.note import Setting
from codeassist.result import CodingResult, Finding, System


class AuditIn(Strict):
    """The submitted review that is looked at again; `blind` hides the coder's codes until yours are submitted."""

    review: int = Field(ge=1, le=LARGEST)
    mode: Mode


class AuditNextIn(NextIn):
    """From which submitted reviews one is drawn. `share` is the part of each coder's that is sampled."""

    mode: Mode = "blind"
    coder: Name | None = None
    share: float = Field(1.0, gt=0, le=1)


class MarkIn(_Versioned):
    """Who is right in a difference, and why; `GET /v1/audits:reasons` lists the reasons."""

    difference: int = Field(ge=1, le=LARGEST)
    verdict: Verdict
    reason: str
    text: Reason | None = None

    @field_validator("reason")
    @classmethod
    def _listed(cls, value: str) -> str:
        if value not in reasons():
            raise PydanticCustomError("reason", "is one of the reasons that GET /v1/audits:reasons lists")
        return value


class AnswerIn(_Versioned):
    """The coder's answer to a difference; `text` is needed to rebut."""

    difference: int = Field(ge=1, le=LARGEST)
    answer: Answer
    text: Reason | None = None


class CloseIn(_Versioned):
    """Whether it is closed although the coder has not answered everything."""

    unanswered: bool = False


BODIES = (AuditIn, AuditNextIn, MarkIn, AnswerIn, CloseIn)


class AuditsQuery(BaseModel):
    """Which second looks are listed."""

    model_config = ConfigDict(extra="forbid")

    state: AuditState | None = None
    mine: bool = Field(False, description="Only those that you do, or, for coders, that are at your codings.")
    coder: Name | None = None
    after: int = Field(0, ge=0, le=LARGEST, description="`next` of the page before.")
    limit: int = Field(50, ge=1, le=200)


class ReasonOut(BaseModel):
    """A reason for a mark."""

    reason: str
    label: str


class ReasonsOut(BaseModel):
    """All reasons, in the order in which a list shows them."""

    reasons: list[ReasonOut]


class AuditSummaryOut(BaseModel):
    """A second look as a list shows it."""

    audit: int
    review: int
    note_id: str
    setting: Setting
    date_of_service: date
    coder: str | None = Field(None, description="Left out until a blind second look is submitted.")
    auditor: str
    mode: Mode
    state: AuditState
    version: int = Field(description="Name it in the next change.")
    opened: str
    submitted: str | None = None
    closed: str | None = None
    differences: int | None = None
    unmarked: int | None = None
    unanswered: int | None = None


class AuditsOut(BaseModel):
    """A page of second looks, the latest first."""

    counts: dict[AuditState, int]
    audits: list[AuditSummaryOut]
    next: int | None = None


class AuditStateOut(AuditSummaryOut):
    """A second look as a change leaves it, with the auditor's codes."""

    codes: list[LineOut]
    rejected: list[RejectedOut]
    undecided: int
    findings: list[Finding]
    sequence: list[SequenceOut]
    decisions: list[DecisionOut]
    can_undo: bool
    can_redo: bool


class DifferenceOut(BaseModel):
    """A difference: the codes of both, or the values of both beside `code`."""

    difference: int
    kind: DifferenceKind
    system: System
    coder: str | None = None
    auditor: str | None = None
    code: str | None = None
    coder_value: Any = None
    auditor_value: Any = None
    verdict: Verdict | None = None
    reason: str | None = None
    text: str | None = None
    answer: Answer | None = None
    answer_text: str | None = None


class ComparisonOut(BaseModel):
    """How far the two codings agree."""

    agreed: int = Field(description="Codes that both chose.")
    missed: int = Field(description="Codes that the auditor alone chose.")
    extra: int = Field(description="Codes that the coder alone chose.")
    neither: int = Field(description="Codes that were offered and that neither chose.")
    exact: bool
    principal_agreed: bool | None
    precision: float | None = None
    recall: float | None = None
    f1: float | None = None
    differences: list[DifferenceOut]


class AuditOut(AuditStateOut):
    """A second look with the note and the suggestions, and what may be seen of the coder's codes."""

    note: dict[str, Any]
    result: CodingResult
    missing: list[GapOut]
    coder_codes: list[LineOut] | None = None
    coder_rejected: list[RejectedOut] | None = None
    coder_overrides: list[OverrideOut] | None = None
    comparison: ComparisonOut | None = None
    final_codes: list[LineOut] | None = None

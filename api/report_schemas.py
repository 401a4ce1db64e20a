"""The parameters and answers of reports and claims that OpenAPI shows."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.review_schemas import Code, Name
from api.reviews.reports import ReportName
from api.schemas import Day
from codeassist.note import Setting


class ReportQuery(BaseModel):
    """What a report is about."""

    model_config = ConfigDict(extra="forbid")

    date_from: Day | None = Field(None, description="First day of submission (UTC).")
    date_to: Day | None = Field(None, description="Last day of submission (UTC).")
    coder: Name | None = None
    setting: Setting | None = None
    specialty: Name | None = None
    limit: int = Field(1000, ge=1, le=10_000, description="The most rows.")
    format: Literal["json", "csv"] | None = Field(None, description="What the Accept header asks for unless given.")


class ColumnOut(BaseModel):
    """A column of a report: its name in each row, and what stands above it."""

    name: str
    label: str


class ReportOut(BaseModel):
    """A report. A figure that can't be given is null."""

    report: ReportName
    own: bool = Field(description="Whether it has your own figures alone.")
    columns: list[ColumnOut]
    rows: list[dict[str, str | float | None]]


class ClaimQuery(BaseModel):
    """What the final codes alone don't say of a claim."""

    model_config = ConfigDict(extra="forbid")

    form: Literal["professional", "institutional"] | None = Field(
        None,
        description="837P or 837I; unless given, by the setting of the note and CODEASSIST_INSTITUTIONAL_SETTINGS.",
    )
    admitting: Code | None = Field(None, description="The admitting diagnosis (HI ABJ) of an inpatient.")
    reason: Annotated[list[Code], Field(max_length=3)] = Field(
        default_factory=list, description="Why the patient came (HI APR), on an institutional claim of an outpatient."
    )


class HealthCodeOut(BaseModel):
    """One composite of an HI segment: C022 of ASC X12N."""

    qualifier: Literal["ABK", "ABF", "ABJ", "APR", "ABN", "BBR", "BBQ"]
    code: str
    poa: str | None = None
    composite: str


class _ServiceLineOut(BaseModel):
    """The values that service lines of both forms have."""

    line: int
    procedure: str
    unit: Literal["UN"]
    units: int


class ServiceOut(_ServiceLineOut):
    """A service line of a professional claim: SV101 procedure, SV103 unit, SV104 units, SV107 pointers to diagnoses."""

    pointers: list[int]


class FacilityServiceOut(_ServiceLineOut):
    """A service line of an institutional claim: SV202 procedure, SV204 unit, SV205 units. The revenue code, SV201, is
    not known here: the billing system fills it in."""

    revenue_code: None


class ClaimOut(BaseModel):
    """Values for an 837 claim. What does not fit, and what has to be filled in, stands in `warnings`."""

    review: int
    note_id: str
    form: Literal["professional", "institutional"]
    hi: list[HealthCodeOut]
    sv1: list[ServiceOut] = Field(description="Of a professional claim.")
    sv2: list[FacilityServiceOut] = Field(description="Of an institutional claim of an outpatient.")
    segments: list[str]
    warnings: list[str]

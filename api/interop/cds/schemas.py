"""What CDS clients send. Fields that are not known are passed over: the standard lets clients add their own."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Id = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9\-.]+$")]


class _Lenient(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")


class Authorization(_Lenient):
    """The access token for the FHIR server."""

    access_token: Annotated[str, StringConstraints(min_length=1, max_length=8000, pattern=r"^[\x21-\x7e]+$")]
    token_type: Literal["Bearer"]
    expires_in: int
    scope: str
    subject: str


class Context(_Lenient):
    """The context of the three hooks."""

    userId: str
    patientId: Id
    encounterId: Id | None = None
    conditions: dict[str, Any] | None = None


class HookRequest(_Lenient):
    """A call of a service."""

    hook: str
    hookInstance: UUID
    context: Context
    fhirServer: Annotated[str, StringConstraints(max_length=2000)] | None = None
    fhirAuthorization: Authorization | None = None
    prefetch: dict[str, Any] | None = None


class Coding(_Lenient):
    """A reason by its code."""

    code: Annotated[str, StringConstraints(max_length=200)]
    system: Annotated[str, StringConstraints(max_length=500)] | None = None


class OverrideReason(_Lenient):
    """Why a card was turned down."""

    reason: Coding | None = None
    userComment: Annotated[str, StringConstraints(max_length=2000)] | None = None


class AcceptedSuggestion(_Lenient):
    """A suggestion that was taken."""

    id: UUID


class Feedback(_Lenient):
    """What became of one card."""

    card: UUID
    outcome: Literal["accepted", "overridden"]
    acceptedSuggestions: Annotated[list[AcceptedSuggestion], Field(max_length=200)] | None = None
    overrideReason: OverrideReason | None = None
    outcomeTimestamp: datetime


class FeedbackRequest(_Lenient):
    """What became of cards."""

    feedback: Annotated[list[Feedback], Field(min_length=1, max_length=200)]


class ServiceOut(BaseModel):
    """A service as discovery lists it."""

    hook: str
    title: str
    description: str
    id: str
    prefetch: dict[str, str]
    usageRequirements: str


class ServicesOut(BaseModel):
    """All services."""

    services: list[ServiceOut]


class CardsOut(BaseModel):
    """The cards of a service, as CDS Hooks 2.0 has them."""

    cards: list[dict[str, Any]]


BODIES = (HookRequest, FeedbackRequest)

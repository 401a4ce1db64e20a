"""What the routes of messages and webhooks read and answer, as OpenAPI shows it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from api.review_schemas import LARGEST
from api.schemas import Strict
from api.store.events import DeliveryState, Event
from api.store.hl7 import MessageState

Url = Annotated[str, Field(min_length=1, max_length=2000, description="Of a host that the site allows.")]
Events = Annotated[list[Event], Field(min_length=1, max_length=10, description="What the webhook is told of.")]


def _submitted() -> list[Event]:
    return ["review.submitted"]


class WebhookIn(Strict):
    """A webhook to register."""

    url: Url
    events: Events = Field(default_factory=_submitted)


class WebhookChange(Strict):
    """What of a webhook is to change; what is left out stays."""

    url: Url | None = None
    events: Events | None = None
    active: bool | None = None


class WebhookOut(BaseModel):
    """A webhook."""

    webhook: int
    url: str
    events: list[Event]
    active: bool = Field(description="False: nothing is sent. A receiver that answers 410 is switched off.")
    created: str
    created_by: str


class NewWebhookOut(WebhookOut):
    """A webhook as it is registered; the secret is shown this once."""

    secret: str = Field(description="Verifies the signatures: `whsec_` and 32 bytes in Base64.")


class WebhooksOut(BaseModel):
    """All webhooks."""

    webhooks: list[WebhookOut]


class DeliveryOut(BaseModel):
    """An event on its way to a webhook."""

    delivery: int
    event: Event
    id: str = Field(description="The header `webhook-id`: the same for each attempt.")
    review: int
    time: str
    state: DeliveryState
    attempts: int
    next_attempt: str | None = None
    delivered: str | None = None
    last_error: str | None = None


class DeliveriesOut(BaseModel):
    """A page of deliveries, the latest first."""

    deliveries: list[DeliveryOut]
    next: int | None = Field(None, description="Give it as `before` for the following page.")


class DeliveriesQuery(BaseModel):
    """Which deliveries are meant."""

    model_config = ConfigDict(extra="forbid")

    state: DeliveryState | None = None
    before: int = Field(LARGEST, ge=1, le=LARGEST, description="`next` of the page before.")
    limit: int = Field(50, ge=1, le=200)


class MessagesQuery(BaseModel):
    """Which messages are meant."""

    model_config = ConfigDict(extra="forbid")

    state: MessageState | None = None
    flagged: bool = Field(False, description="Only those that somebody has to look at.")
    after: int = Field(0, ge=0, le=LARGEST, description="`next` of the page before.")
    limit: int = Field(50, ge=1, le=200)


class MessageOut(BaseModel):
    """An HL7 message as it came in, without its text."""

    message: int
    control_id: str
    event: str
    received: str
    by: str
    state: MessageState
    document: str | None = Field(None, description="TXA-12.")
    completion: str | None = Field(None, description="TXA-17.")
    originated: str | None = None
    review: int | None = None
    reason: str | None = Field(None, description="Why it was refused, or could not be coded.")
    flag: str | None = Field(None, description="What somebody has to look at.")


class MessagesOut(BaseModel):
    """A page of messages, in the order in which they came in."""

    counts: dict[MessageState, int]
    messages: list[MessageOut]
    next: int | None = Field(None, description="Give it as `after` for the following page.")


MESSAGE_BODIES = (WebhookIn, WebhookChange)

"""Plans the deliveries of each event and makes them: at least once, again with growing pauses, until they arrive or
are given up."""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import anyio
import anyio.to_thread
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import joinedload

from api.middleware import place_of
from api.store.base import now
from api.store.database import Database
from api.store.events import DeliveryRow, EventRow, WebhookRow

POLL_SECONDS = 0.5
TOGETHER = 20
"""Deliveries made at the same time."""
LEASE = timedelta(minutes=2)
"""A delivery that a process has begun is nobody else's for this long."""
MOST_PAUSE = 6 * 3600.0
log = logging.getLogger("codeassist.outbox")


class NotDelivered(Exception):
    """The receiver did not take it, or can't be reached; ``gone`` when it wants no more."""

    def __init__(self, reason: str, gone: bool = False) -> None:
        super().__init__(reason)
        self.gone = gone


Send = Callable[[DeliveryRow], Awaitable[None]]
"""Delivers, or raises :class:`NotDelivered`."""


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a delivery is tried, and the pause in seconds after the first failure, which doubles each time."""

    attempts: int
    first_pause: float

    def pause(self, attempts: int) -> timedelta:
        """The pause after so many attempts: half of it by chance, so that what failed together does not come back
        together."""
        whole = min(self.first_pause * 2.0 ** min(attempts - 1, 30), MOST_PAUSE)
        return timedelta(seconds=whole / 2 + random.uniform(0, whole / 2))


class Outbox:
    """Delivers beside the requests, for as long as the application runs.

    Parameters
    ----------
    to_webhook, to_billing : send one delivery; without ``to_billing`` no charges are planned
    """

    def __init__(self, database: Database, retries: Retries, to_webhook: Send, to_billing: Send | None) -> None:
        self._database = database
        self._retries = retries
        self._to_webhook = to_webhook
        self._to_billing = to_billing

    async def run(self) -> None:
        """Work until cancelled. A database that fails is tried again."""
        while True:
            try:
                await anyio.to_thread.run_sync(self._plan)
                due = await anyio.to_thread.run_sync(self._claim)
                async with anyio.create_task_group() as tasks:
                    for delivery in due:
                        tasks.start_soon(self._deliver, delivery)
                if len(due) == TOGETHER:
                    continue
            except SQLAlchemyError as error:
                log.error("the outbox can't be read: %s", type(error).__name__)
            await anyio.sleep(POLL_SECONDS)

    def _plan(self) -> None:
        """A delivery for each webhook that wants the event, and one of charges for what was submitted."""
        waiting = select(EventRow).where(EventRow.planned.is_(False)).order_by(EventRow.id).limit(100)
        with self._database.reading() as session:
            if session.scalars(waiting.limit(1)).first() is None:
                return
        with self._database.writing() as session:
            hooks = session.scalars(select(WebhookRow).where(WebhookRow.active, ~WebhookRow.deleted)).all()
            for event in session.scalars(waiting.with_for_update(skip_locked=True)):
                for hook in hooks:
                    if event.name in hook.events:
                        session.add(_delivery(event.id, hook.id))
                if self._to_billing is not None and event.name == "review.submitted":
                    session.add(_delivery(event.id, None))
                event.planned = True

    def _claim(self) -> list[DeliveryRow]:
        query = select(DeliveryRow).where(DeliveryRow.state == "pending", DeliveryRow.next_attempt <= now())
        query = query.order_by(DeliveryRow.next_attempt).limit(TOGETHER)
        with self._database.reading() as session:
            if session.scalars(query.limit(1)).first() is None:
                return []
        query = query.options(joinedload(DeliveryRow.event), joinedload(DeliveryRow.webhook))
        with self._database.writing() as session:
            due = list(session.scalars(query.with_for_update(skip_locked=True, of=DeliveryRow)))
            for delivery in due:
                delivery.attempts += 1
                delivery.next_attempt = now() + LEASE
        return due

    async def _deliver(self, delivery: DeliveryRow) -> None:
        send = self._to_webhook if delivery.webhook_id is not None else self._to_billing
        try:
            if send is None:
                raise NotDelivered("no address for charges is set", gone=True)
            await send(delivery)
            failure = None
        except NotDelivered as error:
            failure = error
        except Exception as error:  # one delivery must not stop the others: it is tried again as one that failed
            log.error("delivery %d: %s", delivery.id, place_of(error))
            failure = NotDelivered(type(error).__name__)
        await anyio.to_thread.run_sync(self._settle, delivery.id, failure)

    def _settle(self, number: int, failure: NotDelivered | None) -> None:
        with self._database.writing() as session:
            delivery = session.get_one(DeliveryRow, number, with_for_update=True)
            if failure is None:
                delivery.state, delivery.delivered, delivery.last_error = "delivered", now(), None
                return
            delivery.last_error = str(failure)[:500]
            if failure.gone and delivery.webhook is not None:
                delivery.webhook.active = False
            if failure.gone or delivery.attempts >= self._retries.attempts:
                delivery.state = "dead"
                log.error("delivery %d is given up: %s", number, delivery.last_error)
            else:
                delivery.next_attempt = now() + self._retries.pause(delivery.attempts)


def _delivery(event: int, webhook: int | None) -> DeliveryRow:
    return DeliveryRow(event_id=event, webhook_id=webhook, state="pending", attempts=0, next_attempt=now())

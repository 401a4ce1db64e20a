"""Sends charges to the billing system over MLLP, and waits for its acknowledgement."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import anyio.to_thread
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.interop.hl7v2.charges import charge_message
from api.interop.hl7v2.errors import Refused
from api.interop.hl7v2.framing import Framer, framed
from api.interop.hl7v2.message import read_message
from api.messages.outbox import NotDelivered, Send
from api.reviews.errors import ReviewUnknown
from api.reviews.service import coding_of
from api.store.database import Database
from api.store.events import DeliveryRow
from api.store.hl7 import Hl7MessageRow
from api.store.reviews import ReviewRow

SECONDS = 30.0
LONGEST_ANSWER = 65_536


def charges_of(session: Session, number: int, control_id: str) -> bytes | None:
    """The charges of a review, ``None`` while it is not submitted. Raises :class:`ReviewUnknown`."""
    review = session.get(ReviewRow, number)
    if review is None:
        raise ReviewUnknown(f"there is no review {number}")
    if review.state != "submitted":
        return None
    came = select(Hl7MessageRow).where(Hl7MessageRow.review_id == number).order_by(Hl7MessageRow.id.desc()).limit(1)
    row = session.scalars(came).first()
    return charge_message(review, coding_of(review), None if row is None else row.context, control_id)


def billing_sender(database: Database, address: str) -> Send:
    """What delivers charges to ``HOST:PORT``. The control id is that of the event: one sent again is known as such."""
    host, _, port = address.rpartition(":")

    async def send(delivery: DeliveryRow) -> None:
        def build() -> bytes | None:
            with database.reading() as session:
                return charges_of(session, delivery.event.review_id, control_id)

        control_id = delivery.event.uid.removeprefix("msg_")[:20]
        message = await anyio.to_thread.run_sync(build)
        if message is None:
            raise NotDelivered("the review is not submitted", gone=True)
        try:
            answer = await asyncio.wait_for(_exchange(host, int(port), message), SECONDS)
        except (OSError, TimeoutError) as error:
            raise NotDelivered(type(error).__name__) from None
        _require_accepted(answer, control_id)

    return send


async def _exchange(host: str, port: int, message: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(framed(message))
        await writer.drain()
        framer = Framer(LONGEST_ANSWER)
        while piece := await reader.read(LONGEST_ANSWER):
            for frame in framer.feed(piece):
                if frame.fault is None:
                    return frame.data
        raise NotDelivered("the connection ended before the acknowledgement")
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def _require_accepted(answer: bytes, control_id: str) -> None:
    try:
        found = read_message(answer).named("MSA")
    except Refused as error:
        raise NotDelivered(f"the acknowledgement can't be read: {error.message}") from None
    fields = found[0].split("|") if found else []
    if len(fields) < 3 or fields[1] not in ("AA", "CA") or fields[2] != control_id:
        said = fields[1] if len(fields) > 1 and fields[1].isalpha() else "nothing"
        raise NotDelivered(f"the acknowledgement says {said[:2]}")

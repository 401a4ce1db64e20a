"""What runs beside the requests: coding of documents that came in as messages, deliveries, and the MLLP server."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import anyio
import anyio.to_thread
from starlette.datastructures import State

from api.engine import Engine
from api.interop.hl7v2.billing import billing_sender
from api.interop.hl7v2.intake import Limits, receive
from api.interop.hl7v2.queue import CodingQueue
from api.interop.hl7v2.server import MllpLimits, MllpServer
from api.messages.outbox import Outbox, Retries
from api.messages.webhooks import webhook_client, webhook_sender
from api.settings import ApiSettings
from api.store.database import Database

MLLP_USER = "mllp"
"""Who stands in the audit trail for what came over MLLP, which knows no users."""
_INTAKE_THREADS = 4


@asynccontextmanager
async def running_beside(state: State, mllp: socket.socket | None) -> AsyncIterator[None]:
    """Run all of it until the end of the context. ``state`` is the application's."""
    settings: ApiSettings = state.settings
    database: Database = state.database
    engine: Engine = state.engine
    limits = intake_limits(settings)
    threads = anyio.CapacityLimiter(_INTAKE_THREADS)

    async def answer(data: bytes, fault: str | None) -> bytes | None:
        work = partial(receive, database, MLLP_USER, data, limits, fault)
        return (await anyio.to_thread.run_sync(work, limiter=threads)).answer

    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(webhook_client())
        outbox = Outbox(
            database,
            Retries(settings.webhook_attempts, settings.webhook_retry_seconds),
            webhook_sender(client, settings.webhook_hosts),
            None if settings.billing_address is None else billing_sender(database, settings.billing_address),
        )
        tasks = await stack.enter_async_context(anyio.create_task_group())
        stack.callback(tasks.cancel_scope.cancel)
        tasks.start_soon(CodingQueue(database, engine).run)
        tasks.start_soon(outbox.run)
        if mllp is not None:
            bounds = MllpLimits(settings.max_body_bytes, settings.mllp_connections, settings.mllp_idle_seconds)
            await stack.enter_async_context(MllpServer(answer, bounds).listening(mllp))
        yield


def intake_limits(settings: ApiSettings) -> Limits:
    """What of a message the settings allow."""
    return Limits(settings.hl7_processing_ids, settings.max_characters)

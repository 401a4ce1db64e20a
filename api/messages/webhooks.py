"""Sends an event to a webhook."""

from __future__ import annotations

import time
from collections.abc import Collection

import httpx

from api.errors import Problem
from api.messages.addresses import check_address
from api.messages.outbox import NotDelivered, Send
from api.messages.signing import signature
from api.routes.answers import json_bytes
from api.store.base import stamp
from api.store.events import DeliveryRow

SECONDS = 15.0
"""What Standard Webhooks names as the least and most that a receiver should be given."""


def webhook_sender(client: httpx.AsyncClient, hosts: Collection[str]) -> Send:
    """What delivers to a webhook over ``client``. The address is checked each time: the setting may have changed."""

    async def send(delivery: DeliveryRow) -> None:
        hook, event = delivery.webhook, delivery.event
        assert hook is not None
        if not hook.active or hook.deleted:
            raise NotDelivered("the webhook is switched off", gone=True)
        try:
            check_address(hook.url, hosts)
        except Problem as problem:
            raise NotDelivered(problem.detail) from None
        body = json_bytes({"type": event.name, "timestamp": stamp(event.time), "data": event.data})
        moment = int(time.time())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "codeassist",
            "webhook-id": event.uid,
            "webhook-timestamp": str(moment),
            "webhook-signature": signature(hook.secret, event.uid, moment, body),
        }
        try:
            async with client.stream("POST", hook.url, content=body, headers=headers) as response:
                status = response.status_code  # the body is not read: nothing in it counts
        except httpx.HTTPError as error:
            raise NotDelivered(type(error).__name__) from None
        if not 200 <= status < 300:
            raise NotDelivered(f"answered with {status}", gone=status == 410)

    return send


def webhook_client() -> httpx.AsyncClient:
    """A client that follows no redirects, which could lead to another host, and asks no proxy."""
    return httpx.AsyncClient(timeout=SECONDS, follow_redirects=False, trust_env=False)

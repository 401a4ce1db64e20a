"""Many clients at once, against the service as a site runs it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

import httpx
import pytest

CLIENTS = 64
TEXT = "Assessment and Plan:\n1. Type 2 diabetes mellitus, on metformin.\n2. Essential hypertension, stable."
REQUESTS: tuple[tuple[str, str, dict[str, object] | None], ...] = (
    ("POST", "/v1/suggestions", {"text": TEXT}),
    ("GET", "/v1/codes?q=type%202%20diabetes", None),
    ("POST", "/v1/reviews", {"text": TEXT, "date_of_service": "2026-03-02"}),
    ("POST", "/v1/edits", {"codes": [{"code": "E11.9"}, {"code": "I10"}]}),
    ("GET", "/v1/reviews?limit=5", None),
)
PATIENCE = 120.0
"""Seconds for one answer: 64 clients wait in line for few cores."""


async def work(client: httpx.AsyncClient, first: int, end: float, seen: Counter[str]) -> None:
    turn = first
    while time.monotonic() < end:
        method, path, body = REQUESTS[turn % len(REQUESTS)]
        turn += 1
        try:
            response = await client.request(method, path, json=body)
        except httpx.HTTPError as error:
            seen[f"{method} {path} {type(error).__name__}"] += 1
            continue
        seen["answered" if response.is_success or response.status_code == 429 else f"{path} {response.text}"] += 1


async def load(address: str, seconds: float) -> Counter[str]:
    seen: Counter[str] = Counter()
    limits = httpx.Limits(max_connections=CLIENTS, max_keepalive_connections=CLIENTS)
    async with httpx.AsyncClient(base_url=address, timeout=PATIENCE, limits=limits) as client:
        end = time.monotonic() + seconds
        await asyncio.gather(*(work(client, i, end, seen) for i in range(CLIENTS)))
    return seen


def test_64_clients_at_once_get_answers(server: str) -> None:
    """Five seconds of the minute of the bar."""
    seen = asyncio.run(load(server, 5))
    assert set(seen) == {"answered"} and seen["answered"] >= CLIENTS, seen


@pytest.mark.bars
def test_64_clients_for_a_minute(server: str) -> None:
    seen = asyncio.run(load(server, 60))
    print(f"{seen['answered']} answers to {CLIENTS} clients in a minute")
    assert set(seen) == {"answered"}, seen

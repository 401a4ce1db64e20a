"""Full collections of garbage wait for a moment at which nobody does."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import Any

from api.garbage import collecting_at_rest
from api.places import Places


def _full_collections(during: Callable[[Places], Awaitable[None]], longest: float = 60.0) -> int:
    """How many there were while a worker did this, looking every 20 ms."""
    generations: list[int] = []

    def note(phase: str, info: dict[str, Any]) -> None:
        if phase == "stop":
            generations.append(info["generation"])

    async def run() -> None:
        places = Places(1, 100, 1)
        places.open()
        async with collecting_at_rest(places, 0.02, longest):
            await during(places)

    gc.callbacks.append(note)
    try:
        asyncio.run(run())
    finally:
        gc.callbacks.remove(note)
    return generations.count(2)


def _leave_garbage() -> None:
    """As many objects as make Python collect all generations by itself."""
    kept = [[n] for n in range(gc.get_threshold()[0] * 300)]
    kept.append(kept)  # type: ignore[arg-type]


async def _work(places: Places) -> None:
    with places.taken(waits=False):
        _leave_garbage()
        await asyncio.sleep(0)


async def _work_then_rest(places: Places) -> None:
    await _work(places)
    await asyncio.sleep(0.3)


async def _work_without_rest(places: Places) -> None:
    for _ in range(30):
        await _work(places)
        await asyncio.sleep(0.005)


async def _hold(places: Places) -> None:
    with places.taken(waits=False):
        await asyncio.sleep(0.3)


async def _rest(places: Places) -> None:
    await asyncio.sleep(0.3)


def test_a_worker_collects_once_when_it_is_at_rest() -> None:
    assert _full_collections(_work_then_rest) == 1


def test_a_worker_that_works_does_not() -> None:
    assert _full_collections(_work_without_rest) == 0
    assert _full_collections(_hold) == 0


def test_one_that_is_never_at_rest_does_after_a_while() -> None:
    assert _full_collections(_work_without_rest, longest=0.04) >= 2


def test_one_that_has_done_nothing_has_nothing_to_collect() -> None:
    assert _full_collections(_rest) == 0


def test_afterwards_python_collects_as_before() -> None:
    before = gc.get_threshold()
    _full_collections(_rest)
    assert gc.get_threshold() == before

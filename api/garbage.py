"""Full collections of garbage at quiet moments.

After some thousand notes a worker has a million objects, nearly all of them in caches. To look through them all takes a
tenth of a second, in which nothing is answered, and finds a few hundred objects. What a note leaves behind is found by
the collections of young objects, which go on as always (:mod:`gc`).
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from api.places import Places

LOOK_SECONDS = 1.0
"""A worker that has begun nothing for so long, and holds nothing, is at rest."""
LONGEST_SECONDS = 600.0
"""A worker that is never at rest collects after so long."""
_NEVER = 2**31 - 1


@asynccontextmanager
async def collecting_at_rest(
    places: Places, look: float = LOOK_SECONDS, longest: float = LONGEST_SECONDS
) -> AsyncIterator[None]:
    """Python's own full collections are off inside; these take their place, once for all work since the last."""
    thresholds = gc.get_threshold()
    gc.set_threshold(*thresholds[:2], _NEVER)
    task = asyncio.create_task(_collect(places, look, longest))
    try:
        yield
    finally:
        task.cancel()
        gc.set_threshold(*thresholds)


async def _collect(places: Places, look: float, longest: float) -> None:
    collected, seen, last = 0, 0, time.monotonic()
    while True:
        await asyncio.sleep(look)
        resting, seen = places.held == 0 and places.begun == seen, places.begun
        if seen > collected and (resting or time.monotonic() - last >= longest):
            gc.collect()
            collected, last = seen, time.monotonic()

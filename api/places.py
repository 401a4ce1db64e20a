"""How much work a process takes on: what runs, what waits, and when it is too much."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from api.errors import Problem
from api.telemetry.metrics import QUEUE, REJECTED, RUNNING, STREAMS

UNREADY = 2**20
"""What a process holds, in effect, that can't do any work yet."""
_SMOOTHING = 0.05
"""Weight of the last piece of work in the average time of one."""


class Places:
    """Counts the work of one process. Used on the event loop alone.

    Parameters
    ----------
    threads : how much runs at the same time
    queue : how much may wait for a thread; more is refused
    streams : how many batch streams may be under way. Each has at most one line here, which waits its turn among the
        others and is never refused.
    told : is told how much is held, whenever it changes; :data:`UNREADY` until :meth:`open`
    """

    def __init__(self, threads: int, queue: int, streams: int, told: Callable[[int], None] = lambda held: None) -> None:
        self._threads = threads
        self._queue = queue
        self._streams = streams
        self._single = 0
        self._lines = 0
        self._open_streams = 0
        self._seconds = 0.1
        self._told = told
        self._ready = False
        self.begun = 0
        """How many pieces of work were taken on so far."""

    @property
    def held(self) -> int:
        """How much runs or waits."""
        return self._single + self._lines

    def open(self) -> None:
        """Work can be done from now on."""
        self._ready = True
        self._told(self.held)

    @contextmanager
    def taken(self, waits: bool) -> Iterator[None]:
        """A place for one piece of work. Raises the problem ``too-busy`` unless it ``waits`` whatever there is."""
        if not waits and self._single >= self._threads + self._queue:
            raise self._too_busy("queue", "As many requests wait as the service lets wait.")
        self.begun += 1
        self._count(single=not waits, change=1)
        try:
            yield
        finally:
            self._count(single=not waits, change=-1)

    def open_stream(self) -> None:
        """One more batch stream. Raises the problem ``too-busy``."""
        if self._open_streams >= self._streams or self._single >= self._threads + self._queue:
            raise self._too_busy("streams", "As many batches are under way as the service takes.")
        self._open_streams += 1
        STREAMS.set(self._open_streams)

    def close_stream(self) -> None:
        """A batch stream has ended."""
        self._open_streams -= 1
        STREAMS.set(self._open_streams)

    def took(self, seconds: float) -> None:
        """A piece of work ran for so long."""
        self._seconds += _SMOOTHING * (seconds - self._seconds)

    def _count(self, single: bool, change: int) -> None:
        if single:
            self._single += change
        else:
            self._lines += change
        QUEUE.set(max(self.held - self._threads, 0))
        RUNNING.set(min(self.held, self._threads))
        self._told(self.held if self._ready else UNREADY)

    def _too_busy(self, reason: str, detail: str) -> Problem:
        """After the time of what is held now, there is room again."""
        REJECTED.labels(reason).inc()
        seconds = max(1, math.ceil(self.held * self._seconds / self._threads))
        detail = f"{detail} Try again in {seconds} seconds."
        return Problem("too-busy", detail, headers={"Retry-After": str(seconds)})

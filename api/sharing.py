"""How the workers of a service come to share its callers: the next one goes to the worker that holds the least.

Workers take callers from one line that the kernel keeps. A worker leaves them there while another holds less work. What
comes later on such a connection can still go to another worker (:mod:`api.peers`). A load balancer calls this "least
requests".
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from multiprocessing import get_context
from typing import Any

from api.places import UNREADY

_AWAY = 2**31 - 1
"""What a worker holds that takes no callers."""
_PAUSE = 0.001
"""Seconds for which a worker leaves the line to the others: what was taken shows in its count by then."""


class Loads:
    """How much work each worker holds, in memory that all of them share."""

    def __init__(self, workers: int) -> None:
        self._held = get_context("spawn").RawArray("i", [_AWAY] * workers)

    def hold(self, number: int, work: int) -> None:
        """Worker ``number`` holds this many pieces of work."""
        self._held[number] = work

    def leave(self, number: int) -> None:
        """Worker ``number`` takes no callers."""
        self._held[number] = _AWAY

    def least_elsewhere(self, number: int) -> int | None:
        """The worker that holds the least, where that is less than ``number`` does."""
        held = list(self._held)
        least = min(held)
        return held.index(least) if least < held[number] else None


class Share:
    """One worker's view of all loads."""

    def __init__(self, loads: Loads, number: int) -> None:
        self._loads = loads
        self._number = number

    def hold(self, work: int) -> None:
        """This worker holds so many pieces of work."""
        self._loads.hold(self._number, work)

    def leave(self) -> None:
        """This worker takes no more callers."""
        self._loads.leave(self._number)

    def least_elsewhere(self) -> int | None:
        """The number of the worker with which a caller would fare better, if there is one."""
        return self._loads.least_elsewhere(self._number)


class Line:
    """Takes callers from a listening socket, as long as no other worker holds less.

    Parameters
    ----------
    listener : the socket, which other processes listen to as well; it stays open
    protocol : makes what speaks with one caller
    share : this worker's view of the loads
    """

    def __init__(self, listener: socket.socket, protocol: Callable[[], asyncio.Protocol], share: Share) -> None:
        self._listener = listener
        self._protocol = protocol
        self._share = share
        self._loop = asyncio.get_running_loop()
        self._waiting: asyncio.TimerHandle | None = None
        self._begun: set[asyncio.Task[Any]] = set()
        listener.setblocking(False)
        share.hold(UNREADY)
        self._watch()

    def close(self) -> None:
        """Take no more callers."""
        self._share.leave()
        if self._waiting is not None:
            self._waiting.cancel()
        self._loop.remove_reader(self._listener)

    def _watch(self) -> None:
        self._waiting = None
        self._loop.add_reader(self._listener, self._take)

    def _take(self) -> None:
        if self._share.least_elsewhere() is None:
            try:
                caller, _ = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return  # another worker was quicker, or the caller has left
            task = self._loop.create_task(self._loop.connect_accepted_socket(self._protocol, caller))
            self._begun.add(task)
            task.add_done_callback(self._begun.discard)
        self._loop.remove_reader(self._listener)
        self._waiting = self._loop.call_later(_PAUSE, self._watch)

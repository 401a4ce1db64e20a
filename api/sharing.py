"""How the workers of a service come to share its callers: the next one goes to the worker that holds the least.

Workers take callers from one line that the kernel keeps. A worker leaves them there while another holds less work. As
long as notes are being read anywhere, one who has sent something is asked to come again by a new connection
(``Connection: close``, RFC 9112 section 9.6), so that the next request too goes to the worker that holds the least when
it comes. A load balancer calls this "least requests".
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from api.places import UNREADY

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

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

    def less_elsewhere(self, number: int) -> bool:
        """Whether a worker holds less than ``number`` does."""
        return bool(min(self._held) < self._held[number])

    def busy(self) -> bool:
        """Whether a choice matters: there is work under way, and more than one worker that does it."""
        held = [h for h in self._held if h < UNREADY]
        return len(held) > 1 and any(held)


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

    def less_elsewhere(self) -> bool:
        """Whether a caller would fare better with another worker."""
        return self._loads.less_elsewhere(self._number)

    def busy(self) -> bool:
        """Whether it matters which worker takes a caller."""
        return self._loads.busy()


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
        if not self._share.less_elsewhere():
            try:
                caller, _ = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return  # another worker was quicker, or the caller has left
            task = self._loop.create_task(self._loop.connect_accepted_socket(self._protocol, caller))
            self._begun.add(task)
            task.add_done_callback(self._begun.discard)
        self._loop.remove_reader(self._listener)
        self._waiting = self._loop.call_later(_PAUSE, self._watch)


class LetGo:
    """Lets a caller's connection end with the answer while it matters which worker takes the next request.

    Connections that only read (GET, HEAD) are kept: their requests cost little wherever they go.
    """

    def __init__(self, application: ASGIApp, share: Share) -> None:
        self._application = application
        self._share = share

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self._application(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and self._share.busy():
                message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
            await send(message)

        await self._application(scope, receive, sending)

"""MLLP over TCP: many connections, each with its messages one after the other."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from api.interop.hl7v2.framing import Framer, framed

PIECE = 65_536
log = logging.getLogger("codeassist.hl7")
Answer = Callable[[bytes, str | None], Awaitable[bytes | None]]
"""Gives the acknowledgement of a message, or of what is left of one with what is wrong with its frame."""


@dataclass(frozen=True, slots=True)
class MllpLimits:
    """Bytes of a message, connections at a time, and seconds that a connection may be silent."""

    max_bytes: int
    connections: int
    idle_seconds: float


class MllpServer:
    """Answers each frame before it reads the next one: a sender gets its acknowledgements in order."""

    def __init__(self, answer: Answer, limits: MllpLimits) -> None:
        self._answer = answer
        self._limits = limits
        self._open: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def listening(self, listener: socket.socket) -> AsyncIterator[None]:
        """Serve ``listener`` until the end of the context. A message whose answer is under way gets it."""
        server = await asyncio.start_server(self._connected, sock=listener)
        try:
            yield
        finally:
            server.close()
            for task in self._open:
                task.cancel()
            await asyncio.gather(*self._open, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            if len(self._open) >= self._limits.connections:
                log.warning("connection refused: %d are open", len(self._open))
                return
            self._open.add(task)
            await self._converse(reader, writer)
        except (TimeoutError, ConnectionError):
            pass  # silent for too long, or gone: what was acknowledged is stored, the rest the sender sends again
        except asyncio.CancelledError:
            pass  # the service ends
        finally:
            self._open.discard(task)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        framer = Framer(self._limits.max_bytes)
        while piece := await asyncio.wait_for(reader.read(PIECE), self._limits.idle_seconds):
            for frame in framer.feed(piece):
                answer = await asyncio.shield(asyncio.ensure_future(self._answer(frame.data, frame.fault)))
                if answer is not None:
                    writer.write(framed(answer))
                    await asyncio.wait_for(writer.drain(), self._limits.idle_seconds)

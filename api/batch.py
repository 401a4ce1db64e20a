"""Answers to a stream of lines while the stream still comes in."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable

import anyio
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.body import Line, split_lines


class LineStream(Response):
    """One line out for each line in, in order, as soon as it is ready.

    Most clients send everything before they read anything. The body is therefore read ahead, up to ``buffer`` bytes,
    while answers wait; beyond that, a client has to read as it sends.
    """

    media_type = "application/x-ndjson"

    def __init__(
        self,
        request: Request,
        answer: Callable[[Line], Awaitable[bytes]],
        line_limit: int,
        buffer: int,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(headers={"X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._request = request
        self._answer = answer
        self._line_limit = line_limit
        self._buffer = buffer
        self._ended = ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._stream(receive, send)
        finally:
            self._ended()

    async def _stream(self, receive: Receive, send: Send) -> None:
        queue = _Queue(self._buffer)
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async with anyio.create_task_group() as tasks:

            async def read() -> None:
                try:
                    async for line in split_lines(self._request.stream(), self._line_limit):
                        await queue.put(line)
                    await queue.close()
                    while (await receive())["type"] != "http.disconnect":
                        pass
                except ClientDisconnect:
                    pass
                tasks.cancel_scope.cancel()  # nobody listens any more

            tasks.start_soon(read)
            async for line in queue:
                await send({"type": "http.response.body", "body": await self._answer(line), "more_body": True})
            await send({"type": "http.response.body", "body": b""})
            tasks.cancel_scope.cancel()


class _Queue:
    """Lines between the reader and the writer; ``put`` waits while more than ``limit`` bytes are held."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lines: deque[Line] = deque()
        self._bytes = 0
        self._closed = False
        self._changed = anyio.Condition()

    async def put(self, line: Line) -> None:
        async with self._changed:
            while self._lines and self._bytes > self._limit:
                await self._changed.wait()
            self._lines.append(line)
            self._bytes += len(line.data or b"")
            self._changed.notify_all()

    async def close(self) -> None:
        async with self._changed:
            self._closed = True
            self._changed.notify_all()

    async def __aiter__(self) -> AsyncIterator[Line]:
        while True:
            async with self._changed:
                while not self._lines and not self._closed:
                    await self._changed.wait()
                if not self._lines:
                    return
                line = self._lines.popleft()
                self._bytes -= len(line.data or b"")
                self._changed.notify_all()
            yield line

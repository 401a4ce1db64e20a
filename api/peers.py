"""How a worker has a request done by another one that holds less work.

A caller keeps its connection, and so its worker, for many requests. Where that worker is busy and another holds less,
the request goes on to the other over a Unix socket, whole, and its answer comes back: to the caller nothing is
different. Each worker listens in a folder that only this service's user can read.
"""

from __future__ import annotations

import asyncio
import json
import logging
import struct
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.errors import problem_of, response_of
from api.sharing import Share

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LONGEST_BODY = 1_000_000
"""Bytes. What is longer is done where it came in: to send it twice would hold up both workers."""
HARMLESS = "/v1/suggestions"
"""Nothing is kept of such a request: where the other worker ends before its answer, it is done here instead."""
_NOT_PASSED_ON = frozenset({"GET", "HEAD", "OPTIONS"})
_SCOPE = ("http_version", "method", "scheme", "path", "root_path")
_BYTES = ("raw_path", "query_string")
_SIZES = struct.Struct("!II")
"""Before each message: the sizes of its head, which is JSON, and of its body."""
log = logging.getLogger("codeassist.api")


@dataclass(frozen=True, slots=True)
class Answer:
    """What an application has answered."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Unsent(Exception):
    """Nothing has reached the other worker."""


class Lost(Exception):
    """The other worker has ended before its answer."""


class Peers:
    """The workers of one service, by number: this one's socket, and connections to those of others.

    Parameters
    ----------
    folder : where each worker's socket is
    number : of this worker
    """

    def __init__(self, folder: Path, number: int) -> None:
        self._folder = folder
        self._number = number
        self._idle: defaultdict[int, list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]] = defaultdict(list)
        self._at_work: set[asyncio.Task[None]] = set()
        self._met: set[asyncio.StreamWriter] = set()

    async def listen(self, application: ASGIApp) -> None:
        """Do from now on what other workers pass on."""

        async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._met.add(writer)
            try:
                while True:
                    head, body = await _read(reader)
                    task = asyncio.create_task(_answer(application, head, body, writer))
                    self._at_work.add(task)
                    task.add_done_callback(self._at_work.discard)
                    await task
            except (asyncio.IncompleteReadError, OSError):
                pass  # the other worker has ended
            finally:
                self._met.discard(writer)
                writer.close()

        self._server = await asyncio.start_unix_server(met, self._folder / str(self._number))

    async def close(self, seconds: float) -> None:
        """End what was passed on to this worker, and take no more; what has not ended by then is broken off."""
        self._server.close()
        if self._at_work:
            await asyncio.wait(set(self._at_work), timeout=seconds)
        for writer in [*self._met, *(writer for idle in self._idle.values() for _, writer in idle)]:
            writer.close()

    async def ask(self, number: int, scope: Scope, body: bytes) -> Answer:
        """Have a request done by worker ``number``. Raises :class:`Unsent` and :class:`Lost`."""
        idle = self._idle[number]
        while idle and idle[-1][0].at_eof():
            idle.pop()[1].close()  # to a worker that has ended
        try:
            reader, writer = idle.pop() if idle else await asyncio.open_unix_connection(self._folder / str(number))
        except OSError:
            raise Unsent from None
        try:
            _write(writer, _head_of(scope), body)
            await writer.drain()
            head, answered = await _read(reader)
        except (asyncio.IncompleteReadError, OSError):
            writer.close()
            raise Lost from None
        except BaseException:  # cancelled: the answer is still to come on this connection
            writer.close()
            raise
        idle.append((reader, writer))
        return Answer(head["status"], _headers(head), answered)


class PassOn:
    """Has requests that change or compute something done by the worker that holds the least.

    What only reads (GET, HEAD) costs little wherever it is done. A stream is done where it came in, and so is what does
    not say how long it is.
    """

    def __init__(self, application: ASGIApp, share: Share, peers: Peers | None) -> None:
        self._application = application
        self._share = share
        self._peers = peers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._peers is None or not _may_pass_on(scope):
            await self._application(scope, receive, send)
            return
        body = await _body_of(receive)
        if body is None:
            return  # the caller has left
        number = self._share.least_elsewhere()
        if number is None or not await self._passed_on(number, scope, body, send):
            await self._application(scope, _giving(body, receive), send)

    async def _passed_on(self, number: int, scope: Scope, body: bytes, send: Send) -> bool:
        """Whether the request was answered by way of another worker; where it was not, it is to be done here."""
        assert self._peers is not None
        try:
            answer = await self._peers.ask(number, scope, body)
        except Unsent:
            return False
        except Lost as error:
            if scope["path"] == HARMLESS:
                return False
            log.error("worker %d has ended before its answer to a %s", number, scope["method"])
            await response_of(problem_of(error), scope)(scope, _giving(b""), send)  # it may be done already
            return True
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": answer.body})
        return True


def _may_pass_on(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] in _NOT_PASSED_ON or scope["path"].endswith(":batch"):
        return False
    length = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    return bool(length.isdigit()) and int(length) <= LONGEST_BODY


async def _body_of(receive: Receive) -> bytes | None:
    """The whole body; None where the caller leaves before its end."""
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _giving(body: bytes, then: Receive | None = None) -> Receive:
    """Gives a body that was read, and afterwards what ``then`` does: nothing, ever, without it."""
    given = False

    async def receive() -> Message:
        nonlocal given
        if not given:
            given = True
            return {"type": "http.request", "body": body, "more_body": False}
        if then is None:
            await asyncio.Event().wait()
            raise AssertionError
        return await then()

    return receive


async def _answer(application: ASGIApp, head: dict[str, Any], body: bytes, writer: asyncio.StreamWriter) -> None:
    """Do a request of another worker. Where the application fails, the connection ends without an answer."""
    begin: Message = {}
    parts: list[bytes] = []

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            begin.update(message)
        elif message["type"] == "http.response.body":
            parts.append(message.get("body", b""))

    try:
        await application(_scope_of(head), _giving(body), send)
    except Exception as error:  # logged where it was raised
        raise ConnectionAbortedError from error
    answered = {"status": begin["status"], "headers": _texts(begin.get("headers", ()))}
    _write(writer, answered, b"".join(parts))
    await writer.drain()


def _head_of(scope: Scope) -> dict[str, Any]:
    return {
        **{name: scope.get(name) for name in _SCOPE},
        **{name: scope.get(name, b"").decode("latin-1") for name in _BYTES},
        "headers": _texts(scope["headers"]),
        "client": scope.get("client"),
        "server": scope.get("server"),
    }


def _scope_of(head: dict[str, Any]) -> Scope:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        **{name: head[name] for name in _SCOPE},
        **{name: head[name].encode("latin-1") for name in _BYTES},
        "headers": _headers(head),
        "client": tuple(head["client"]) if head["client"] else None,
        "server": tuple(head["server"]) if head["server"] else None,
        "state": {},
    }


def _texts(headers: Any) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


def _headers(head: dict[str, Any]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in head["headers"]]


def _write(writer: asyncio.StreamWriter, head: dict[str, Any], body: bytes) -> None:
    sent = json.dumps(head).encode()
    writer.write(_SIZES.pack(len(sent), len(body)) + sent + body)


async def _read(reader: asyncio.StreamReader) -> tuple[dict[str, Any], bytes]:
    """The next message. Raises ``asyncio.IncompleteReadError`` where there is none."""
    head, body = _SIZES.unpack(await reader.readexactly(_SIZES.size))
    read = await reader.readexactly(head + body)
    return json.loads(read[:head]), read[head:]

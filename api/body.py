"""Request bodies: their media type, their size and their encoding, before anything is parsed."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Collection
from dataclasses import dataclass
from email.message import Message

from starlette.requests import Request

from api.errors import Problem

JSON_TYPES = frozenset({"application/json"})
NDJSON_TYPES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"})
DROPPED = 64_000_000
"""How many bytes after the limit are taken in and dropped before the connection is closed."""
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a stream, numbered from 1; ``data`` is ``None`` when it was too long to keep."""

    number: int
    data: bytes | None


def require_type(request: Request, accepted: Collection[str]) -> None:
    """Raise the 415 problem unless the body says that it is of an accepted type, in UTF-8."""
    header = Message()
    header["Content-Type"] = request.headers.get("content-type", "")
    sent = header.get_content_type() if request.headers.get("content-type") else "no content type"
    if sent not in accepted and not (accepted is JSON_TYPES and sent.startswith("application/") and "+json" in sent):
        raise Problem("unsupported-media-type", f"Send Content-Type: {' or '.join(sorted(accepted))}.")
    charset = header.get_param("charset")
    if charset is not None and str(charset).lower() not in ("utf-8", "utf8", "us-ascii"):
        raise Problem("unsupported-media-type", "Send the body in UTF-8.")


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body. Raises the 413 problem when it has more than ``limit`` bytes, and keeps no more than these.

    What comes after the limit is taken in and dropped, because a client that is still sending when the connection
    closes sees a reset and not the answer. A client that asks first (``Expect: 100-continue``), or that goes on and
    on, is answered at once.
    """
    too_large = Problem("body-too-large", f"The limit is {limit:,} bytes.", headers={"Connection": "close"})
    length = request.headers.get("content-length", "")
    declared = int(length) if length.isascii() and length.isdigit() else 0
    if declared > limit + DROPPED or (declared > limit and "expect" in request.headers):
        raise too_large
    body, seen = bytearray(), 0
    async for chunk in request.stream():
        body += chunk[: max(limit - seen, 0)]
        seen += len(chunk)
        if seen > limit + DROPPED:
            break
    if seen > limit:
        raise too_large
    return bytes(body)


def check_utf8(data: bytes) -> bytes:
    """``data`` without a byte order mark; raises the 400 problem when it is not UTF-8."""
    data = data.removeprefix(_BOM)
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Problem("not-utf-8", f"Byte {error.start:,} is not UTF-8.") from None
    return data


async def split_lines(chunks: AsyncIterable[bytes], limit: int) -> AsyncIterator[Line]:
    """Lines of a stream, without their ends; never holds more than one chunk and ``limit`` bytes of a line.

    Lines of white space alone are counted, not given.
    """
    number, rest, skipping = 1, bytearray(), False
    async for chunk in chunks:
        *whole, last = chunk.split(b"\n")
        for piece in whole:
            rest += piece
            if skipping or len(rest) > limit:
                yield Line(number, None)
            elif rest.strip():
                yield Line(number, bytes(rest))
            rest.clear()
            skipping = False
            number += 1
        if not skipping:
            rest += last
        if len(rest) > limit:
            rest.clear()
            skipping = True
    if skipping:
        yield Line(number, None)
    elif rest.strip():
        yield Line(number, bytes(rest))

"""Lines of a stream, however it is cut into chunks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

import pytest
from anyio.from_thread import start_blocking_portal

from api.body import Line, split_lines

TEXT = b"one\n\ntwo two two\r\n   \nthree\xf0\x9f\x8e\x89\n" + b"x" * 30 + b"\nlast"
WANTED = [(1, b"one"), (3, b"two two two\r"), (5, b"three\xf0\x9f\x8e\x89"), (6, None), (7, b"last")]


def lines(chunks: Iterable[bytes], limit: int) -> list[tuple[int, bytes | None]]:
    async def stream() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    async def collect() -> list[Line]:
        return [line async for line in split_lines(stream(), limit)]

    with start_blocking_portal() as portal:  # a loop of its own, whatever runs in this thread
        return [(line.number, line.data) for line in portal.call(collect)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 20, 1000])
def test_the_cuts_between_chunks_do_not_matter(size: int) -> None:
    assert lines([TEXT[i : i + size] for i in range(0, len(TEXT), size)], 20) == WANTED


def test_a_last_line_may_be_too_long() -> None:
    assert lines([b"a\n" + b"x" * 21], 20) == [(1, b"a"), (2, None)]


def test_the_limit_itself_is_allowed() -> None:
    assert lines([b"x" * 20 + b"\n" + b"y" * 20], 20) == [(1, b"x" * 20), (2, b"y" * 20)]

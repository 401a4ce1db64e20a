"""MLLP, the Minimal Lower Layer Protocol: messages between a start block and an end block, cut from a stream of bytes.

Source: HL7 Transport Specification MLLP, release 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

START = b"\x0b"
END = b"\x1c\r"


@dataclass(frozen=True, slots=True)
class Frame:
    """What came between a start and an end block, or what was left of it; ``fault`` says what is wrong with it."""

    data: bytes
    fault: str | None = None


def framed(message: bytes) -> bytes:
    """The message in its frame.

    >>> framed(b"MSH|")
    b'\\x0bMSH|\\x1c\\r'
    """
    return START + message + END


class Framer:
    """Cuts frames from bytes as they come, in pieces of any size, and finds the next one after damage.

    A frame that is broken off by another start block, that has none of its own, or that has more than ``limit`` bytes
    comes with its fault. Bytes between frames are dropped. Never holds more than ``limit`` bytes and one piece.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = bytearray()
        self._inside = False
        self._too_long = False

    def feed(self, piece: bytes) -> Iterator[Frame]:
        """The frames that are complete with this piece."""
        self._held += piece
        while True:
            end, start = self._held.find(END), self._held.find(START)
            if start >= 0 and (end < 0 or start < end):
                was_inside, self._inside = self._inside, True
                data = self._take(start, 1)
                if was_inside:  # else these are bytes between frames
                    yield Frame(data, "a new start block came before the end block")
            elif end >= 0:
                too_long = self._too_long or end > self._limit
                was_inside, self._inside = self._inside, False
                data = self._take(end, len(END))
                if too_long:
                    yield Frame(data[: self._limit], f"the message has more than {self._limit:,} bytes")
                elif was_inside:
                    yield Frame(data)
                elif data.strip():
                    yield Frame(data, "the start block is missing")
            else:
                self._shorten()
                return

    def _take(self, count: int, mark: int) -> bytes:
        data = bytes(self._held[:count])
        del self._held[: count + mark]
        self._too_long = False
        return data

    def _shorten(self) -> None:
        """Keep the beginning of what is too long, which has the header, and the end, which may be half an end block."""
        if len(self._held) > self._limit + len(END):
            del self._held[self._limit : -1]
            self._too_long = True

"""Records as lines: read with bounded memory, coded one by one, in chunks."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from datetime import date
from typing import IO, Any, NamedTuple

from codeassist.assistant import CodeAssistant
from codeassist.errors import CodeassistError, InputError, NoteTooLarge
from codeassist.note import note_from_record
from codeassist.settings import settings

_BYTES_A_CHARACTER = 12
"""Most bytes that JSON takes for one code point: two escapes of half a surrogate pair."""
_OTHER_BYTES = 1_000_000
_PIECE = 1 << 20
_CHUNK_LINES, _CHUNK_BYTES = 8, 1 << 18


class Line(NamedTuple):
    """One record as JSON, from ``begin`` to ``end`` in the input: bytes of JSON Lines, rows of Parquet. ``data`` is
    ``None`` where the line is longer than any note may be."""

    number: int
    begin: int
    end: int
    data: bytes | None


class Chunk(NamedTuple):
    """Lines that are coded together."""

    lines: list[Line]

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(len(line.data or b"") for line in self.lines)


class Coded(NamedTuple):
    """Results as JSON Lines, how many they are, and the processor seconds that they took."""

    data: bytes
    notes: int
    seconds: float


def longest_line() -> int:
    """Bytes that a line may have: as many as the longest note can take, and room for the other fields."""
    return settings().max_characters * _BYTES_A_CHARACTER + _OTHER_BYTES


def read_lines(file: IO[bytes], position: int = 0, number: int = 1) -> Iterator[Line]:
    """Lines that are not blank, from where ``file`` stands: at ``position``, at the line with this ``number``. Of a
    line beyond :func:`longest_line` no more than a piece is held."""
    most = longest_line()
    while data := file.readline(most + 1):
        begin = position
        position += len(data)
        if len(data) > most and not data.endswith(b"\n"):
            while piece := file.readline(_PIECE):
                position += len(piece)
                if piece.endswith(b"\n"):
                    break
            yield Line(number, begin, position, None)
        elif data.strip():
            yield Line(number, begin, position, data)
        number += 1


def chunks(lines: Iterable[Line]) -> Iterator[Chunk]:
    """Lines in groups, small enough to hold several for each process."""
    group: list[Line] = []
    size = 0
    for line in lines:
        group.append(line)
        size += len(line.data or b"")
        if len(group) == _CHUNK_LINES or size >= _CHUNK_BYTES:
            yield Chunk(group)
            group, size = [], 0
    if group:
        yield Chunk(group)


def code_chunk(assistant: CodeAssistant, chunk: Chunk, day: date) -> Coded:
    """The results of a chunk, a line each; ``day`` stands for dates of service that are not given."""
    began = time.thread_time()
    data = b"".join(suggest_line(assistant, line, day) for line in chunk.lines)
    return Coded(data, len(chunk.lines), time.thread_time() - began)


def suggest_line(assistant: CodeAssistant, line: Line, day: date) -> bytes:
    """The result of one record as a JSON line, or an error record with the line's number.

    An error record is ``{"line", "id"?, "error": {"code", "message"}}``.
    """
    identity: dict[str, Any] = {"line": line.number}
    try:
        record = _record(line.data)
        if isinstance(record, dict):
            if isinstance(record.get("id"), str):
                identity["id"] = record["id"]
            if record.get("date_of_service") is None:
                record["date_of_service"] = day
        return _written(assistant.suggest(note_from_record(record)).as_record())
    except CodeassistError as error:
        return _written({**identity, "error": {"code": error.code, "message": str(error)}})


def _record(data: bytes | None) -> Any:
    if data is None:
        raise NoteTooLarge(f"the line has more than {longest_line():,} bytes, which no note within the limit needs")
    try:
        record = json.loads(data.decode("utf-8"))
        if b"\\u" in data:
            json.dumps(record, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except UnicodeDecodeError:
        raise InputError("the line is not UTF-8") from None
    except UnicodeEncodeError:
        raise InputError("the line holds half of a surrogate pair, which is no character") from None
    except ValueError:
        raise InputError("the line is not valid JSON; it may be cut short") from None
    except RecursionError:
        raise InputError("the line is nested too deeply") from None
    return record


def _written(record: dict[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=False).encode() + b"\n"

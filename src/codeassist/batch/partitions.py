"""Partitions of an input, and the tasks that a cluster's workers do on them. Files are reached through fsspec."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import socket
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import IO, Any, cast

from codeassist.assistant import CodeAssistant
from codeassist.batch.lines import Line, chunks, code_chunk, read_lines
from codeassist.batch.pin import assistant_of, differences, pin_of
from codeassist.batch.rows import is_parquet, open_parquet, read_rows
from codeassist.errors import ClusterError, InputError
from codeassist.registry import chosen_release

PART = re.compile(r"part-\d{8}-[0-9a-f]{16}\.jsonl(\.[0-9a-f]{32}\.tmp)?")
_PIECE = 1 << 20
_LOADING, _CODING = threading.Lock(), threading.Lock()


@dataclass(frozen=True, slots=True)
class Partition:
    """Of JSON Lines the bytes ``start`` to ``stop``: the lines that begin there, the first of which has the number
    ``first``. Of Parquet the row groups ``start`` to ``stop``, before which are ``first`` rows."""

    number: int
    start: int
    stop: int
    first: int = 1


@dataclass(frozen=True, slots=True)
class Job:
    """What every task of a run is told: URLs of the input and of the folder of parts, the input's bytes, the model
    folder that was named, the pin (see :mod:`codeassist.batch.pin`), and the day of notes without a date."""

    source: str
    folder: str
    size: int
    model: str | None
    pin: dict[str, Any]
    day: str

    def part(self, partition: Partition) -> str:
        """The URL of a partition's results: named by its number, and a hash of all that they depend on."""
        about = {"source": self.source, "size": self.size, "pin": self.pin, "day": self.day, **asdict(partition)}
        digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:16]
        return f"{self.folder}/part-{partition.number:08d}-{digest}.jsonl"


@dataclass(frozen=True, slots=True)
class Part:
    """A partition's results: bytes, results, and the processor seconds that they took (0 where they were there)."""

    partition: Partition
    size: int
    notes: int
    seconds: float = 0.0


def file_system(url: str) -> tuple[Any, str]:
    """fsspec's file system for a URL or a path, and the path in it. Raises :class:`InputError`."""
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise InputError("a cluster needs the extra 'cluster': pip install 'codeassist[cluster]'") from None
    try:
        found, path = url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise InputError(f"{url} can't be reached: {error}") from None
    return found, path


def count_lines(job: Job, ranges: Sequence[tuple[int, int]]) -> list[int]:
    """How many lines begin in each of adjoining ranges of bytes."""
    out = []
    with _reading(job) as file:
        for start, stop in ranges:
            file.seek(max(0, start - 1))
            left, count = stop - 1 - max(0, start - 1), int(start == 0)
            while left > 0 and (piece := file.read(min(left, _PIECE))):
                left -= len(piece)
                count += piece.count(b"\n")
            out.append(count)
    return out


def code_partition(job: Job, partition: Partition) -> Part:
    """Code a partition into its part, unless that is there. It is written aside and moved when it is whole, so that two
    workers that do the same leave it once.

    Raises :class:`ClusterError` when this worker's release differs, and :class:`InputError` when the input changed.
    """
    files, part = file_system(job.part(partition))
    if files.exists(part):
        with files.open(part, "rb") as file:
            return Part(partition, files.size(part), sum(p.count(b"\n") for p in iter(lambda: file.read(_PIECE), b"")))
    assistant, day = pinned_assistant(job.model, job.pin), date.fromisoformat(job.day)
    aside = f"{part}.{uuid.uuid4().hex}.tmp"
    size = notes = 0
    seconds = 0.0
    # Threads of one worker take turns: they would only wait for each other inside.
    with _CODING, _reading(job) as source, files.open(aside, "wb") as out:
        for chunk in chunks(_lines(job, partition, source)):
            coded = code_chunk(assistant, chunk, day)
            out.write(coded.data)
            size, notes, seconds = size + len(coded.data), notes + coded.notes, seconds + coded.seconds
    files.mv(aside, part)
    return Part(partition, size, notes, seconds)


def pinned_assistant(model: str | None, pin: Mapping[str, Any]) -> CodeAssistant:
    """This worker's assistant, loaded once. Raises :class:`ClusterError` when it is not what ``pin`` tells."""
    with _LOADING:
        assistant = assistant_of(*((Path(model), None) if model else chosen_release()))
        wrong = differences(pin_of(assistant), pin)
    if wrong:
        raise ClusterError(f"the worker on {socket.gethostname()} has {'; '.join(wrong)}")
    return assistant


def check_worker(model: str | None, pin: Mapping[str, Any]) -> str | None:
    """Load this worker's assistant: ``None``, or why it can't be used."""
    try:
        pinned_assistant(model, pin)
    except Exception as error:  # whatever is wrong on a far machine is told by its address, here
        return str(error) or type(error).__name__
    return None


def _reading(job: Job) -> IO[bytes]:
    files, path = file_system(job.source)
    if files.size(path) != job.size:
        raise InputError("the input has changed during the run: begin anew with --restart")
    return cast("IO[bytes]", io.BufferedReader(files.open(path, "rb"), _PIECE))


def _lines(job: Job, partition: Partition, file: IO[bytes]) -> Iterator[Line]:
    if is_parquet(job.source):
        groups = range(partition.start, partition.stop)
        yield from read_rows(open_parquet(file, os.path.basename(job.source)), groups, partition.first)
        return
    position = partition.start
    if position:  # the line that began before is of the partition before
        file.seek(position - 1)
        while piece := file.readline(_PIECE):
            position += len(piece)
            if piece.endswith(b"\n"):
                break
        position -= 1
    for line in read_lines(file, position, partition.first):
        if line.begin >= partition.stop:
            return
        yield line

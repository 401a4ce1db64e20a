"""Many notes on one machine."""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from itertools import accumulate
from pathlib import Path
from typing import IO

from codeassist.batch.journal import Journal, Progress, fingerprint, new_run
from codeassist.batch.lines import Line, chunks, read_lines
from codeassist.batch.pin import assistant_of, pin_of
from codeassist.batch.pool import code_chunks, cores
from codeassist.batch.rows import is_parquet, open_parquet, read_rows, row_groups
from codeassist.errors import InputError
from codeassist.registry import chosen_release

SECONDS_A_JOURNAL = 0.5
"""How often the journal is written: work that a kill costs."""
Advance = Callable[[int, int, int | None], None]
"""Called with the notes done in this run, the position in the input and its end, where that is known."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a run did: results written by it, seconds until the first of them and in all, processor seconds of coding,
    and how many results had been there."""

    notes: int
    first: float
    seconds: float
    computing: float
    before: int = 0


def run_local(
    source: str,
    target: str,
    model: Path | None = None,
    workers: int | None = None,
    restart: bool = False,
    advance: Advance = lambda notes, position, end: None,
) -> Done:
    """Code the records of ``source`` into ``target``; ``-`` is standard input or output. Between two files a run that
    was killed goes on where it was, unless ``restart``.

    Raises :class:`InputError` that says what to do when it can't go on, and as :func:`codeassist.load`.
    """
    began = time.monotonic()
    folder, sha256 = (model, None) if model else chosen_release()
    assistant = assistant_of(folder, sha256)
    pin = pin_of(assistant)
    with ExitStack() as stack:
        read = _opened(source, stack)
        out, journal = _target(source, target, stack)
        run = new_run({} if journal is None else _fingerprint(Path(source), read), pin)
        start = Progress()
        if journal is not None:
            start = (None if restart else journal.resume(run, Path(target))) or start
        lines, end = _lines(source, read, start.position, start.number)
        if journal is not None:
            journal.write(run, start)
            out.seek(start.written)
            out.truncate()
        position, number, written, notes = start.position, start.number, start.written, start.notes
        first, computing, saved = 0.0, 0.0, time.monotonic()
        day = date.fromisoformat(run["day"])
        for last, coded in code_chunks(chunks(lines), folder, assistant.model.sha256, workers or cores(), day):
            out.write(coded.data)
            first = first or time.monotonic() - began
            computing += coded.seconds
            position, number, written, notes = (
                last.end,
                last.number + 1,
                written + len(coded.data),
                notes + coded.notes,
            )
            if journal is None:
                out.flush()
            elif time.monotonic() - saved > SECONDS_A_JOURNAL:
                _save(out)
                journal.write(run, Progress(position, number, written, notes))
                saved = time.monotonic()
            advance(notes - start.notes, position, end)
        if journal is not None:
            _save(out)
            journal.remove()
    return Done(notes - start.notes, first, time.monotonic() - began, computing, start.notes)


def _opened(source: str, stack: ExitStack) -> IO[bytes]:
    if source == "-":
        return sys.stdin.buffer
    if "://" in source:
        raise InputError(f"{source} is no file of this machine: object storage needs --scheduler")
    if not Path(source).exists() or Path(source).is_dir():
        raise InputError(f"there is no file {source}")
    try:
        return stack.enter_context(Path(source).open("rb"))
    except OSError as error:
        raise InputError(f"{source} can't be read: {error.strerror}") from None


def _target(source: str, target: str, stack: ExitStack) -> tuple[IO[bytes], Journal | None]:
    """Where results go, and the journal where both are files; the file is locked, and not cut yet."""
    if target == "-":
        return sys.stdout.buffer, None
    path = Path(target)
    if "://" in target:
        raise InputError(f"{target} is no file of this machine: object storage needs --scheduler")
    if source != "-" and path.exists() and path.samefile(source):
        raise InputError("the results can't go into the file that they are made from")
    try:
        special = path.exists() and not path.is_file()
        streamed = source == "-" or not Path(source).is_file() or special
        if streamed:
            return stack.enter_context(path.open("wb")), None
        out = stack.enter_context(path.open("r+b" if path.exists() else "w+b"))
        fcntl.flock(out, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InputError(f"another run writes {target} at this moment") from None
    except OSError as error:
        raise InputError(f"{target} can't be written: {error.strerror}") from None
    return out, Journal(path)


def _fingerprint(path: Path, file: IO[bytes]) -> dict[str, object]:
    found = path.stat()
    return fingerprint(file, found.st_size, str(found.st_mtime_ns))


def _lines(source: str, file: IO[bytes], position: int, number: int) -> tuple[Iterator[Line], int | None]:
    """Lines from ``position`` on, and the position of the end where it is known."""
    if source != "-" and is_parquet(source):
        table = open_parquet(file, Path(source).name)
        sizes = row_groups(table)
        before = [0, *accumulate(sizes)]
        groups = [i for i in range(len(sizes)) if before[i + 1] > position]
        return read_rows(table, groups, before[groups[0]] if groups else 0, position), before[-1]
    if source != "-" and Path(source).is_file():
        file.seek(position)
        return read_lines(file, position, number), Path(source).stat().st_size
    return read_lines(file), None


def _save(out: IO[bytes]) -> None:
    out.flush()
    os.fsync(out.fileno())

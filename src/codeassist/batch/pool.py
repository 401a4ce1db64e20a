"""Chunks coded by processes, their results in the order of the input, with bounded memory."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from datetime import date
from itertools import chain, islice
from multiprocessing.connection import wait
from pathlib import Path

from codeassist.batch.lines import Chunk, Coded, Line, code_chunk
from codeassist.batch.pin import assistant_of
from codeassist.errors import CodeassistError

_AHEAD = 4
"""Chunks a worker that are read before they are needed."""
_MOST_BYTES = 64 << 20
"""Of chunks that are read and whose results are not written yet: bounds memory where lines are long."""


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def code_chunks(
    source: Iterable[Chunk], folder: Path, sha256: str, workers: int, day: date
) -> Iterator[tuple[Line, Coded]]:
    """The results of each chunk, with its last line. Input of one chunk is coded in this process, because a process
    takes a second to load. Raises :class:`CodeassistError` when a worker was killed."""
    source = iter(source)
    first = list(islice(source, 2))
    if workers == 1 or len(first) < 2:
        for chunk in chain(first, source):
            yield chunk.lines[-1], code_chunk(assistant_of(folder, sha256), chunk, day)
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent)
    waiting: deque[tuple[Line, int, Future[Coded]]] = deque()
    held = 0
    try:
        for chunk in chain(first, source):
            waiting.append((chunk.lines[-1], chunk.size, pool.submit(_work, folder, sha256, chunk, day)))
            held += chunk.size
            while waiting and (held > _MOST_BYTES or len(waiting) >= workers * _AHEAD):
                line, size, future = waiting.popleft()
                held -= size
                yield line._replace(data=None), future.result()
        for line, _, future in waiting:
            yield line._replace(data=None), future.result()
    except BrokenProcessPool:
        raise CodeassistError("a worker process was killed, perhaps for want of memory: try fewer --workers") from None
    finally:
        pool.shutdown(cancel_futures=True)


def _work(folder: Path, sha256: str, chunk: Chunk, day: date) -> Coded:
    return code_chunk(assistant_of(folder, sha256), chunk, day)


def _end_with_parent() -> None:
    """A worker ends with its parent, even where that was killed; Ctrl-C is the parent's to answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_exit_after, args=(parent.sentinel,), daemon=True).start()


def _exit_after(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)

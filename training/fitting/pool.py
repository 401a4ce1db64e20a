"""Worker processes that end with their parent, and do a bounded number of tasks ahead."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import TypeVar

from threadpoolctl import threadpool_limits

from codeassist.errors import CodeassistError

T = TypeVar("T")
R = TypeVar("R")
_AHEAD = 2


class WorkerLost(CodeassistError):
    """A worker process was ended from outside."""

    code = "worker-lost"


class Pool:
    """``workers`` processes; with one, everything is done in this process. The results are the same."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._executor = (
            ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _end_with_parent)
            if workers > 1
            else None
        )

    def each(self, function: Callable[[T], R], tasks: Iterable[T]) -> Iterator[tuple[T, R]]:
        """Every task with what ``function`` made of it, in their order, a few tasks ahead of what is taken."""
        if self._executor is None:
            for task in tasks:
                yield task, _in_one_thread(function, task)
            return
        waiting: deque[tuple[T, Future[R]]] = deque()
        try:
            for task in tasks:
                waiting.append((task, self._executor.submit(_in_one_thread, function, task)))
                if len(waiting) >= self._workers * _AHEAD:
                    first, future = waiting.popleft()
                    yield first, future.result()
            while waiting:
                first, future = waiting.popleft()
                yield first, future.result()
        except BrokenProcessPool:
            raise WorkerLost(
                "a worker process was ended, perhaps for want of memory: the same command goes on where it was"
            ) from None

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)


def _in_one_thread(function: Callable[[T], R], task: T) -> R:
    # sums in one order: the same bytes on any number of cores
    with threadpool_limits(1):
        return function(task)


def _end_with_parent() -> None:
    """In a worker: end as soon as the parent has ended, however that was."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()

"""How long each stage of a note's path takes, for whoever wants to know. Without an observer nothing is measured."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

Observer = Callable[[str, float, float], None]
"""Is told each stage when it is done: its name, and what ``time.perf_counter`` read at its begin and at its end. Never
anything of the note. It is called in the thread that reads the note."""


def laps(observer: Observer | None) -> Callable[[str], None]:
    """A function to call with the name of each stage as it ends.

    >>> seen = []
    >>> lap = laps(lambda stage, begin, end: seen.append((stage, end >= begin)))
    >>> lap("read")
    >>> seen
    [('read', True)]
    """
    return _nothing if observer is None else _Laps(observer)


def _nothing(stage: str) -> None:
    pass


class _Laps:
    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._begin = perf_counter()

    def __call__(self, stage: str) -> None:
        end = perf_counter()
        self._observer(stage, self._begin, end)
        self._begin = end

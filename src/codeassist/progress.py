"""A progress bar on standard error, when that is a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


def track(items: Iterable[T], total: int | None, what: str) -> Iterator[T]:
    """Yield ``items``, showing how many of ``total`` are done."""
    if not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=total)
        for item in items:
            yield item
            bar.advance(task)


@contextmanager
def rate(what: str) -> Iterator[Callable[[int, int, int | None], None]]:
    """Gives ``advance(done, position, end)``, which shows the share of the way to ``end`` and how many are done a
    second."""
    if not sys.stderr.isatty():
        yield lambda done, position, end: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    began = time.monotonic()
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=None)

        def advance(done: int, position: int, end: int | None) -> None:
            speed = done / max(time.monotonic() - began, 1e-3)
            bar.update(task, description=f"{done:,} {what}, {speed:.1f} a second", completed=position, total=end)

        yield advance

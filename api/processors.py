"""Where the workers of a service run: each on a processor of its own, where there are as many as workers.

A worker's thread that reads a note and its event loop take turns all the time. On two processors each turn finds the
other's caches, and wakes a processor that has gone to rest.
"""

from __future__ import annotations

import os
import sys

from api.settings import ApiSettings

ALLOWED: tuple[int, ...] = tuple(sorted(os.sched_getaffinity(0))) if sys.platform == "linux" else ()
"""The processors that this process was begun with, by number; none where the system can't keep a process to some."""


def are_pinned(settings: ApiSettings, processors: int = len(ALLOWED)) -> bool:
    """Whether each worker keeps to a processor: as the settings have it; where they leave it open, when there are as
    many workers as processors."""
    if settings.workers == 1 or not processors:
        return False
    return settings.workers == processors if settings.pin_workers is None else settings.pin_workers


def pin(number: int) -> None:
    """Keep this process to one of its processors, as worker ``number``; what it starts later keeps to it too."""
    if sys.platform == "linux":
        for thread in os.listdir("/proc/self/task"):
            os.sched_setaffinity(int(thread), {ALLOWED[number % len(ALLOWED)]})


def unpin(process: int) -> None:
    """Let a process that this one has just started run wherever this one was begun."""
    if sys.platform == "linux":
        os.sched_setaffinity(process, ALLOWED)

"""The terminology index of this machine: built when it is missing or out of date, opened once a process."""

from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path

from codeassist.settings import settings
from codeassist.terminology.store import Store


@lru_cache(maxsize=4)
def open_store(cache_dir: Path | None = None) -> Store:
    """The store over the index under ``cache_dir`` (the settings' unless given), built first if need be.

    Shows a progress bar on standard error while building, when that is a terminal.
    """
    from codeassist.terminology.build import STAGES, build_index, find_index

    cache = cache_dir or settings().cache_dir
    found = find_index(cache)
    if found is not None:
        return Store(found)
    if not sys.stderr.isatty():
        print("codeassist: building the terminology index (once, about 20 seconds)", file=sys.stderr)
        return Store(build_index(cache))
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("terminology: {task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(STAGES[0], total=len(STAGES))
        index = build_index(cache, lambda stage, done, total: bar.update(task, description=stage, completed=done))
    return Store(index)

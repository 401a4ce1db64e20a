"""A stage: pieces that do not depend on each other, made by the workers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from codeassist.progress import track
from training.fitting.pool import Pool
from training.fitting.work import WorkFolder

Say = Callable[[str], None]
Task = tuple[Path, Any]


def run_stage(
    work: WorkFolder, pool: Pool, function: Callable[[Task], None], pieces: dict[str, Any], what: str, say: Say
) -> None:
    """Make the pieces that are not there yet, and enter each into the journal as it is finished."""
    left = {(work.folder, task): name for name, task in pieces.items() if not work.has(name)}
    if left:
        say(what)
    for task, _ in track(pool.each(function, list(left)), len(left), what):
        work.finish(left[task])

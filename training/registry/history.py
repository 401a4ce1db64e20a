"""The log of promotions and rollbacks: JSON Lines that are only ever appended to, each chained to the one before."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codeassist.errors import ModelError
from codeassist.registry import Pointer

LOG = "promotions.jsonl"


@dataclass(frozen=True, slots=True)
class Step:
    """A line of the log: ``promote`` or ``rollback``, what is served since then (``None``: the shipped release), and
    everything else that was written down."""

    action: str
    release: str | None
    sha256: str | None
    record: dict[str, Any]

    @property
    def pointer(self) -> Pointer | None:
        """What the pointer says after this step."""
        return Pointer(self.release, self.sha256) if self.release and self.sha256 else None


def read_log(registry: Path) -> list[Step]:
    """Every step in order; none where there is no log. Raises :class:`ModelError` when a line was changed or lost."""
    steps = []
    before = ""
    for number, line in enumerate(_lines(registry), 1):
        try:
            record = json.loads(line)
            step = Step(record["action"], record["release"], record["sha256"], record)
            chained = record["before"] == before
        except (ValueError, KeyError, TypeError):
            raise ModelError(f"{LOG}, line {number}: it can't be read; restore the log") from None
        if not chained:
            raise ModelError(f"{LOG}, line {number}: the lines before it are not those that it was written after")
        steps.append(step)
        before = hashlib.sha256(line).hexdigest()
    return steps


def append(registry: Path, record: dict[str, Any]) -> None:
    """Write one more line, on the disk when this returns. The caller holds the registry's lock."""
    lines = _lines(registry)
    before = hashlib.sha256(lines[-1]).hexdigest() if lines else ""
    line = json.dumps({**record, "before": before}, ensure_ascii=False).encode() + b"\n"
    file = os.open(registry / LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(file, line)
        os.fsync(file)
    finally:
        os.close(file)


def served(steps: Sequence[Step]) -> list[Step]:
    """The promotions that a rollback goes back through: the last one is served now, the one before it is next."""
    stack: list[Step] = []
    for step in steps:
        if step.action == "promote":
            stack.append(step)
        elif stack:
            stack.pop()
    return stack


def last_promoted(steps: Sequence[Step]) -> Pointer | None:
    """What is served by the log; ``None`` when that is the shipped release."""
    return next((s.pointer for s in reversed(served(steps))), None)


def _lines(registry: Path) -> list[bytes]:
    path = registry / LOG
    return path.read_bytes().splitlines() if path.is_file() else []

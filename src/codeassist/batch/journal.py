"""The journal beside the results, from which a run that was killed goes on.

``OUT.journal`` is JSON: what the run is (the input's fingerprint, the pin, the day that stands for dates not given) and
how far it is. It is replaced as a whole, after the results up to that point are on the disk.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import IO, Any

from codeassist.batch.pin import differences
from codeassist.errors import InputError

FORMAT = 1
_ENDS = 1 << 16
"""Bytes of the input's head and of its tail that are hashed."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where to go on: position in the input (see :class:`~codeassist.batch.lines.Line`), number of the next line, bytes
    of results, and how many results they are."""

    position: int = 0
    number: int = 1
    written: int = 0
    notes: int = 0


def fingerprint(file: IO[bytes], size: int, modified: str) -> dict[str, Any]:
    """What tells an input from another, without reading all of it: size, time of its last change, and a hash of its
    first and last 64 KB."""
    digest = hashlib.sha256(file.read(min(size, _ENDS)))
    file.seek(max(0, size - _ENDS))
    digest.update(file.read(_ENDS))
    file.seek(0)
    return {"size": size, "modified": modified, "ends": digest.hexdigest()}


def new_run(source: Mapping[str, Any], pin: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """What a run is, with today as the day of notes without a date."""
    return {"format": FORMAT, "source": dict(source), "pin": dict(pin), "day": date.today().isoformat(), **more}


def require_same(found: Mapping[str, Any], run: Mapping[str, Any], name: str) -> None:
    """Raise :class:`InputError` where the run that was begun is not the one that is asked for. Its day stays."""
    wrong = []
    if found.get("source") != run["source"]:
        wrong.append("the input was another, or has changed since")
    pin = found.get("pin")
    wrong += differences(pin if isinstance(pin, dict) else {}, run["pin"])
    wrong += [f"{k} is {v!r}, and was {found.get(k)!r}" for k, v in run.items() if k not in _OWN and found.get(k) != v]
    if wrong:
        raise InputError(
            f"{name} is of a run that was not finished and differs ({'; '.join(wrong)}): "
            "finish that one as it was begun, or begin anew with --restart"
        )


_OWN = ("source", "pin", "day")


class Journal:
    """The journal of results in ``target``."""

    def __init__(self, target: Path) -> None:
        self.path = target.with_name(f"{target.name}.journal")

    def resume(self, run: dict[str, Any], target: Path) -> Progress | None:
        """How far an earlier start of this run came, or ``None``; its day is taken over into ``run``.

        Raises :class:`InputError` when the journal is of another run, damaged, or without its results.
        """
        try:
            record = json.loads(self.path.read_bytes())
            found, progress = record["run"], Progress(**record["progress"])
            day = date.fromisoformat(found["day"])
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            raise InputError(f"{self.path.name} is damaged: begin anew with --restart") from None
        require_same(found, run, self.path.name)
        if progress.written and (not target.is_file() or target.stat().st_size < progress.written):
            raise InputError(f"{target.name} lacks results that {self.path.name} tells of: begin anew with --restart")
        run["day"] = day.isoformat()
        return progress

    def write(self, run: Mapping[str, Any], progress: Progress) -> None:
        """Replace the journal."""
        aside = self.path.with_name(f"{self.path.name}.new")
        with aside.open("wb") as file:
            file.write(json.dumps({"run": run, "progress": asdict(progress)}).encode())
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self.path)

    def remove(self) -> None:
        """The run is finished."""
        self.path.unlink(missing_ok=True)

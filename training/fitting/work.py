"""The work folder of a training: finished pieces with their hashes, so that what was killed goes on where it was.

    OUT.work/
      plan.json       the data, options and versions that the pieces belong to
      journal.jsonl   a line for each finished piece: its name and the SHA-256 over its files
      …/              a piece is a folder of arrays (and JSON), written beside its place and then moved there

It holds the text of the notes: it is readable by its owner alone, and removed when the release is written.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from codeassist.errors import InputError

_PLAN, _JOURNAL, _LOCK = "plan.json", "journal.jsonl", "lock"
Files = Mapping[str, np.ndarray | bytes]


class WorkFolder:
    """A work folder that this process alone writes the journal of. Use it as a context manager."""

    def __init__(self, folder: Path, plan: Mapping[str, Any], restart: bool = False) -> None:
        """Open or make the folder. Raises :class:`InputError` when another training uses it, or when it belongs to
        other data or options than ``plan``, which it names; with ``restart`` what is there is removed instead."""
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = (folder / _LOCK).open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise InputError(f"another training uses {folder}: let it end, or give another --out") from None
        try:
            self._done = self._open(plan, restart)
        except InputError:
            self._lock.close()
            raise

    def _open(self, plan: Mapping[str, Any], restart: bool) -> dict[str, str]:
        text = json.dumps(plan, indent=1, sort_keys=True, default=str)
        if restart:
            self._clear()
        found = self.folder / _PLAN
        if found.is_file():
            other = _differences(json.loads(found.read_text(encoding="utf-8")), json.loads(text))
            if other:
                raise InputError(
                    f"{self.folder} holds a training that did not end, with other {', '.join(other)}: give --restart "
                    "to begin anew, the same as then to go on, or another --out"
                )
            return self._finished()
        self._clear()
        _write(found, text.encode())
        return {}

    def _clear(self) -> None:
        for path in self.folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != _LOCK:
                path.unlink()

    def _finished(self) -> dict[str, str]:
        """The pieces of the journal that are there and have their hash; a last line that was cut short is none."""
        done: dict[str, str] = {}
        journal = self.folder / _JOURNAL
        for line in journal.read_bytes().splitlines() if journal.is_file() else ():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if digest_of(self.folder / entry["piece"]) == entry["sha256"]:
                done[entry["piece"]] = entry["sha256"]
        _write(journal, b"".join(_entry(*item) for item in done.items()))
        return done

    @property
    def resumed(self) -> int:
        """How many pieces are finished."""
        return len(self._done)

    def has(self, piece: str) -> bool:
        """Whether the piece is finished."""
        return piece in self._done

    def finish(self, piece: str) -> None:
        """Enter a piece that was written into the journal."""
        digest = digest_of(self.folder / piece)
        assert digest is not None, f"{piece} was not written"
        with (self.folder / _JOURNAL).open("ab") as journal:
            journal.write(_entry(piece, digest))
            journal.flush()
            os.fsync(journal.fileno())
        self._done[piece] = digest

    def remove(self) -> None:
        """Remove the folder and everything in it."""
        shutil.rmtree(self.folder)

    def __enter__(self) -> WorkFolder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.close()


def _entry(piece: str, digest: str) -> bytes:
    return json.dumps({"piece": piece, "sha256": digest}).encode() + b"\n"


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    return sorted(k for k in old.keys() | new.keys() if old.get(k) != new.get(k))


def _write(path: Path, content: bytes) -> None:
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    beside.write_bytes(content)
    os.replace(beside, path)


def write_piece(folder: Path, piece: str, files: Files) -> None:
    """Write a piece as a whole or not at all: arrays as ``NAME.npy``, bytes as they are under their name."""
    target = folder / piece
    beside = target.with_name(f"{target.name}.{os.getpid()}.new")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    for name, content in files.items():
        if isinstance(content, bytes):
            (beside / name).write_bytes(content)
        else:
            np.save(beside / f"{name}.npy", content, allow_pickle=False)
    if target.exists():  # left behind by a training that was killed before it was entered into the journal
        shutil.rmtree(target)
    os.replace(beside, target)


def load(folder: Path, piece: str, name: str) -> np.ndarray:
    """An array of a piece, mapped."""
    return np.load(folder / piece / f"{name}.npy", mmap_mode="r", allow_pickle=False)  # type: ignore[no-any-return]


def read(folder: Path, piece: str, name: str) -> np.ndarray:
    """The same, read: for small arrays of many pieces at a time, of which each mapped one would keep its file open."""
    return np.load(folder / piece / f"{name}.npy", allow_pickle=False)  # type: ignore[no-any-return]


def digest_of(piece: Path) -> str | None:
    """SHA-256 over the names and contents of a piece's files, or ``None`` when it is not there."""
    if not piece.is_dir():
        return None
    digest = hashlib.sha256()
    for file in sorted(piece.iterdir()):
        with file.open("rb") as opened:
            digest.update(f"{file.name} {file.stat().st_size}\n".encode())
            digest.update(hashlib.file_digest(opened, "sha256").digest())
    return digest.hexdigest()

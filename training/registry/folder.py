"""The registry's folder: which releases it holds, which is promoted, and how another one takes its place."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from codeassist.errors import InputError, ModelError
from codeassist.registry import POINTER, Pointer, is_name, read_pointer
from codeassist.release import MANIFEST
from codeassist.settings import Settings, settings

SHIPPED = "shipped"
"""The name under which the shipped release, or the one of ``CODEASSIST_MODEL_DIR``, takes part in comparisons."""


@dataclass(frozen=True, slots=True)
class Held:
    """What is told of a release without loading it; ``manifest`` is ``None`` where it can't be read."""

    name: str
    folder: Path
    written: datetime
    promoted: bool
    manifest: dict[str, Any] | None


class Registry:
    """A folder of releases. Methods raise :class:`InputError` for what is not there."""

    def __init__(self, folder: Path, shipped: Path) -> None:
        self.folder = folder
        self._shipped = shipped

    def releases(self) -> list[Held]:
        """Every release by name."""
        if not self.folder.is_dir():
            return []
        found = (f for f in self.folder.iterdir() if is_name(f.name) and (f / MANIFEST).is_file())
        return [self.held(f.name) for f in sorted(found)]

    def held(self, name: str) -> Held:
        """What is known of a release."""
        folder = self.path(name)
        pointer = self.promoted()
        manifest = folder / MANIFEST
        try:
            record = json.loads(manifest.read_bytes())
        except ValueError:
            record = None
        return Held(
            folder.name if name != SHIPPED else SHIPPED,
            folder,
            datetime.fromtimestamp(manifest.stat().st_mtime, UTC),
            pointer is not None and folder == self.folder / pointer.release,
            record if isinstance(record, dict) else None,
        )

    def path(self, name: str) -> Path:
        """The folder of a release that is named by the registry's name for it, by ``shipped``, or by its path."""
        own = self.folder / name
        if is_name(name) and (own / MANIFEST).is_file():
            return own
        other = self._shipped if name == SHIPPED else Path(name)
        if (other / MANIFEST).is_file():
            return other
        raise InputError(f"there is no release {name!r}, in {self.folder} or as a folder")

    def own(self, name: str) -> Path:
        """The folder of a release of the registry itself: only such can be promoted."""
        path = self.path(name)
        if path.parent.resolve() != self.folder.resolve():
            raise InputError(f"{name} does not lie in the registry: copy it to {self.folder}, or train into it")
        return self.folder / path.name

    def promoted(self) -> Pointer | None:
        """What is promoted; raises :class:`ModelError` when the pointer is damaged."""
        return read_pointer(self.folder)

    def point(self, pointer: Pointer | None) -> None:
        """Switch to another release at once, or with ``None`` back to the shipped one. The caller holds the lock."""
        target = self.folder / POINTER
        if pointer is None:
            target.unlink(missing_ok=True)
            return
        file, name = tempfile.mkstemp(prefix=".current-", dir=self.folder)
        try:
            with os.fdopen(file, "w", encoding="utf-8") as out:
                out.write(json.dumps(asdict(pointer)) + "\n")
                out.flush()
                os.fsync(out.fileno())
            os.chmod(name, 0o644)  # a service may run as another user
            os.replace(name, target)
        except OSError as error:
            Path(name).unlink(missing_ok=True)
            raise ModelError(f"the registry's file {POINTER!r} could not be written: {error.strerror}") from None

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Only one process promotes or rolls back at a time; raises :class:`InputError` when another one does."""
        if not self.folder.is_dir():
            raise InputError(f"there is no registry at {self.folder}: train a release into it")
        with (self.folder / ".lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise InputError("another promotion is under way in this registry: try again after it") from None
            yield


def open_registry(using: Settings | None = None) -> Registry:
    """The registry that the settings name."""
    using = using or settings()
    return Registry(using.registry_dir, using.model_dir)

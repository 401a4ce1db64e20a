"""Which release is loaded when no model is named: the promoted one of the registry, or else the shipped one.

A registry is a folder of releases with a pointer, the file ``current``: JSON with the folder's name and the SHA-256 of
the manifest that was promoted. What writes it is in ``training/registry``; here it is only read.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from codeassist.errors import ModelError
from codeassist.settings import Settings, settings

POINTER = "current"


@dataclass(frozen=True, slots=True)
class Pointer:
    """What is promoted: the name of a folder in the registry, and the SHA-256 of its manifest."""

    release: str
    sha256: str


def read_pointer(registry: Path) -> Pointer | None:
    """What is promoted in a registry, or ``None``. Raises :class:`ModelError` when the pointer can't be understood."""
    try:
        raw = (registry / POINTER).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ModelError(f"the registry's file {POINTER!r} can't be read: {error.strerror}") from None
    try:
        record = json.loads(raw)
        pointer = Pointer(record["release"], record["sha256"])
    except (ValueError, KeyError, TypeError):
        raise ModelError(f"the registry's file {POINTER!r} is damaged: promote a release again") from None
    if not (is_name(pointer.release) and isinstance(pointer.sha256, str)):
        raise ModelError(f"the registry's file {POINTER!r} names no release of its own: promote a release again")
    return pointer


def is_name(name: object) -> bool:
    """Whether ``name`` is that of a folder right below the registry: no path, and nothing hidden.

    >>> is_name("2026-11"), is_name("../elsewhere"), is_name(".staging")
    (True, False, False)
    """
    return isinstance(name, str) and name == Path(name).name and not name.startswith(".") and "\0" not in name


def chosen_release(using: Settings | None = None) -> tuple[Path, str | None]:
    """The folder to load when no model is named, and the hash that its manifest must have (``None``: any).

    A site that sets ``CODEASSIST_MODEL_DIR`` names one. Raises :class:`ModelError` as :func:`read_pointer` does.
    """
    using = using or settings()
    pointer = None if _named(using) else read_pointer(using.registry_dir)
    if pointer is None:
        return using.model_dir, None
    return using.registry_dir / pointer.release, pointer.sha256


def promotion_stamp() -> tuple[int, int] | None:
    """Changes whenever another release is promoted; ``None`` where none is, or where the site names a model."""
    using = settings()
    if _named(using):
        return None
    try:
        found = (using.registry_dir / POINTER).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino


def _named(using: Settings) -> bool:
    return "model_dir" in using.model_fields_set

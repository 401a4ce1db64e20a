"""Zip files as they are published."""

from __future__ import annotations

import re
import shutil
import zipfile
import zlib
from pathlib import Path

from codeassist.errors import TerminologyError

_MAX_MEMBER = 600_000_000
"""Largest unpacked file of a zip, in bytes; the largest published one has about 60 MB."""


def is_archive(path: Path) -> bool:
    """Whether a file is a zip, but not a workbook (which is a zip of its own)."""
    with path.open("rb") as file:
        if not file.read(4).startswith(b"PK"):
            return False
    try:
        with zipfile.ZipFile(path) as archive:
            return "xl/workbook.xml" not in archive.namelist()
    except zipfile.BadZipFile:
        raise TerminologyError(f"{path.name} is damaged: not readable as a zip file; download it again") from None


def unpack(path: Path, scratch: Path) -> list[Path]:
    """The files of a zip, unpacked into folders of their own in ``scratch``, which is made.

    Raises :class:`TerminologyError` when it is damaged, encrypted, or holds a file larger than any published one.
    """
    scratch.mkdir()
    out: list[Path] = []
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if info.is_dir():
                    continue
                if info.file_size > _MAX_MEMBER:
                    raise TerminologyError(f"{path.name}: {info.filename} unpacks to {info.file_size} bytes: too large")
                target = scratch / f"{len(out)}" / re.sub(r"[^\w.() -]", "_", info.filename.rsplit("/", 1)[-1])
                target.parent.mkdir()
                with archive.open(info) as source, target.open("wb") as file:
                    shutil.copyfileobj(source, file)
                out.append(target)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise TerminologyError(f"{path.name} is damaged: {error}; download it again") from None
    except (RuntimeError, NotImplementedError) as error:  # encrypted, or packed in a way that Python can't read
        raise TerminologyError(f"{path.name} can't be unpacked: {error}") from None
    return out

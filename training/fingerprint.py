"""What identifies training data in a manifest."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from codeassist.errors import InputError
from training.audited import is_note_folder

_BLOCK = 1 << 20


def data_record(path: Path, licence: str) -> dict[str, Any]:
    """Name, SHA-256 and licence of a file, or of all files of a folder taken in order."""
    digest = hashlib.sha256()
    if not path.exists():
        raise InputError(f"there is no {path}")
    pattern = "*.md" if is_note_folder(path) else "*"
    for file in sorted(f for f in path.rglob(pattern) if f.is_file()) if path.is_dir() else [path]:
        with file.open("rb") as opened:
            while block := opened.read(_BLOCK):
                digest.update(block)
    return {"name": path.name, "sha256": digest.hexdigest(), "licence": licence}

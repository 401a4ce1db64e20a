"""What identifies training data in a manifest."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any


def data_record(path: Path, licence: str) -> dict[str, Any]:
    """Name, SHA-256 and licence of a file, or of all files of a folder taken in order."""
    digest = hashlib.sha256()
    for file in sorted(path.rglob("*.md")) if path.is_dir() else [path]:
        digest.update(file.read_bytes())
    return {"name": path.name, "sha256": digest.hexdigest(), "licence": licence}

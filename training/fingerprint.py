"""What identifies training data in a manifest."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
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


def environment_record() -> dict[str, str]:
    """The machine that a release was trained on: operating system, kernel, C library and processor architecture."""
    try:
        system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    except OSError:  # no such file, as on macOS
        system = platform.system()
    libc = " ".join(platform.libc_ver()).strip()
    kernel = {"kernel": f"{platform.system()} {platform.release()}", "machine": platform.machine()}
    return {"system": system, **kernel, **({"libc": libc} if libc else {})}


def lineage_record(manifest: Mapping[str, Any], sha256: str) -> dict[str, Any]:
    """A release that another one begins from: which it is, and what it was itself trained on, with the licences, back
    to the first."""
    named = {"name": manifest["name"], "version": manifest["version"], "sha256": sha256}
    return {**named, **{k: manifest[k] for k in ("data", "terms", "from_release") if manifest.get(k)}}


def data_records(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Everything that a release was trained on, its own first, then that of the releases that it began from."""
    own = [*manifest.get("data", ()), *manifest.get("terms", ())]
    before = manifest.get("from_release")
    return own + ([{**d, "through": before["name"]} for d in data_records(before)] if before else [])


def data_line(record: Mapping[str, Any]) -> str:
    """One of them in words."""
    through = f", through {record['through']}" if "through" in record else ""
    return f"{record['name']}{through} (licence: {record['licence']}; sha256 {record['sha256'][:16]}…)"

"""Releases for tests: the shipped one under another name, damaged ones, and a registry of them."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np

from codeassist.release import MANIFEST
from codeassist.settings import settings


def copy_release(registry: Path, name: str) -> Path:
    """The shipped release under ``name``, with that version."""
    folder = registry / name
    shutil.copytree(settings().model_dir, folder)
    rewrite(folder, version=name)
    return folder


def worse_release(registry: Path, name: str) -> Path:
    """The same, whose diagnosis ranker knows nothing: its trees all answer alike."""
    folder = copy_release(registry, name)
    path = folder / "rankers" / "diagnosis_leaf.npy"
    np.save(path, np.zeros_like(np.load(path)))
    rewrite(folder, file="rankers/diagnosis_leaf.npy")
    return folder


def rewrite(folder: Path, version: str | None = None, file: str | None = None) -> None:
    """Write the manifest again with another version, or with the hash that ``file`` has now."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    if version is not None:
        manifest["version"] = version
    if file is not None:
        manifest["files"][file] = hashlib.sha256((folder / file).read_bytes()).hexdigest()
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")

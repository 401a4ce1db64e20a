"""Audited notes for tests of training: generated from the project's own."""

from __future__ import annotations

from pathlib import Path

from training.audited import read_audited
from training.bench.generate import write_generated

NOTES = Path(__file__).parents[2] / "training" / "notes" / "audited"


def site(folder: Path, count: int = 40, seed: int = 1) -> Path:
    """A file of generated notes."""
    path = folder / f"site-{count}-{seed}.jsonl"
    write_generated(path, list(read_audited(NOTES)), count, seed)
    return path

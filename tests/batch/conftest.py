"""What the tests of batches share."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from batch_helpers import COMMAND, Start, mixed


@pytest.fixture
def start() -> Start:
    """Gives ``start(*arguments, **environment)`` of ``codeassist batch`` in a process of its own, under way."""

    def started(*arguments: object, **environment: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*COMMAND, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        )

    return started


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    path.write_bytes(mixed(40))
    return path

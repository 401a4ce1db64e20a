"""The bars of a service under load, for half a minute: ``make bench-service MINUTES=10`` for as long as they ask."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.bars
def test_two_workers_keep_the_bars(root: Path) -> None:
    command = [sys.executable, "tools/load/bench.py", "--minutes", "0.5"]
    done = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, text=True, check=False, timeout=1200)
    print(done.stdout)
    assert done.returncode == 0, done.stdout

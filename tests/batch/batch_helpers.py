"""Notes of many kinds, good and bad, and the command that codes them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

Start = Callable[..., "subprocess.Popen[bytes]"]
COMMAND = [sys.executable, "-c", "from codeassist.cli import main; main()", "batch"]
TEXTS = (
    "Assessment: Type 2 diabetes mellitus with CKD stage 3a. Denies chest pain.",
    "Left knee pain after a fall. Plan: X-ray, ibuprofen.",
    "HTN, stable on lisinopril. Family history of gout.",
    "Migraine without aura; try sumatriptan. Café visit.",
)
BAD = (
    b'{"id": "cut", "text": "short',
    b"",
    b'{"id": "latin", "text": "caf\xe9"}',
    b"[]",
    b'{"text": "a \\ud800"}',
    b"  ",
)


def record(i: int) -> dict[str, Any]:
    return {"id": f"n{i}", "text": f"{TEXTS[i % len(TEXTS)]} Visit {i}.", "date_of_service": "2026-03-02"}


def mixed(notes: int) -> bytes:
    """So many notes with a bad line after every fifth, the last line without its end."""
    out: list[bytes] = []
    for i in range(notes):
        out.append(json.dumps(record(i)).encode())
        if i % 5 == 4:
            out.append(BAD[i // 5 % len(BAD)])
    return b"\n".join(out)


def ended(process: subprocess.Popen[bytes], status: int = 0, *words: str) -> str:
    """Standard error of a process that ends with this status and says these words."""
    _, error = process.communicate(timeout=180)
    text = error.decode()
    assert process.returncode == status, text
    assert all(word in text for word in words), text
    return text

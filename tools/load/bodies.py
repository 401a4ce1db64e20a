"""The notes that the loads send: the project's audited notes, as requests."""

from __future__ import annotations

import json
import random
import tomllib
from pathlib import Path

NOTES = Path(__file__).parents[2] / "training" / "notes" / "audited"
FIELDS = ("id", "setting", "note_type", "specialty", "patient")


def bodies() -> list[bytes]:
    """Requests for ``/v1/suggestions``, in an order that is mixed but the same each time."""
    found = []
    for file in sorted(NOTES.glob("*/*.md")):
        _, head, text = file.read_text("utf-8").split("+++\n", 2)
        facts = tomllib.loads(head)
        record = {name: facts[name] for name in FIELDS if name in facts}
        if text.strip() and "documents" not in facts:
            record |= {"text": text, "date_of_service": str(facts.get("date_of_service", "2026-03-02"))}
            found.append(json.dumps(record).encode())
    random.Random(1).shuffle(found)
    return found

"""Audited notes: notes with their final codes, read from JSON Lines or from the project's own note files."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codeassist.errors import InputError
from codeassist.note import Note, note_from_record
from codeassist.result import SYSTEMS
from codeassist.terminology.store import normal_key


@dataclass(frozen=True, slots=True)
class AuditedCode:
    """One final code of an audited note: its system, key without dot, and evidence as (start, end) offsets."""

    system: str
    key: str
    evidence: tuple[tuple[int, int], ...] = ()
    sequence: int | None = None
    poa: str | None = None


@dataclass(frozen=True, slots=True)
class AuditedNote:
    """A note with its final codes; ``weight`` is how much it counts in training."""

    note: Note
    codes: tuple[AuditedCode, ...]
    rejected: tuple[tuple[str, str], ...] = ()
    weight: float = 1.0


def read_audited(path: Path) -> Iterator[AuditedNote]:
    """Audited notes from a JSON Lines file, or from a folder of note files (``*.md``).

    Raises :class:`InputError` with the file and line of what can't be read.
    """
    if path.is_dir():
        for file in sorted(path.rglob("*.md")):
            yield read_note_file(file)
        return
    if not path.is_file():
        raise InputError(f"there is no file of audited notes {path}")
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                yield audited_from_record(json.loads(line))
            except (ValueError, InputError) as error:
                raise InputError(f"{path.name}, line {number}: {error}") from None


def audited_from_record(record: Mapping[str, Any]) -> AuditedNote:
    """One audited note from its JSON record (see the design's contract)."""
    note = note_from_record(record)
    codes = record.get("codes")
    if not isinstance(codes, list):
        raise InputError("an audited note needs 'codes', a list")
    return AuditedNote(
        note,
        tuple(_code(c) for c in codes),
        tuple((c["system"], normal_key(c["code"])) for c in record.get("rejected", ())),
        float(record.get("weight", 1.0)),
    )


def _code(record: Mapping[str, Any]) -> AuditedCode:
    system, code = record.get("system"), record.get("code")
    if system not in SYSTEMS or not isinstance(code, str):
        raise InputError(f"a code needs a known system and a code, not {system!r}, {code!r}")
    evidence = tuple((int(e["start"]), int(e["end"])) for e in record.get("evidence", ()))
    return AuditedCode(str(system), normal_key(code), evidence, record.get("sequence"), record.get("poa"))


def read_note_file(path: Path) -> AuditedNote:
    """An audited note of the project's own: TOML front matter between ``+++`` lines, then the text.

    Evidence is written as quotes; ``quote@@2`` is the second occurrence.
    """
    raw = path.read_text(encoding="utf-8")
    try:
        _, head, text = raw.split("+++\n", 2)
        facts = tomllib.loads(head)
    except (ValueError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path.name}: no readable front matter between +++ lines: {error}") from None
    record = {k: facts.get(k) for k in ("id", "setting", "date_of_service", "note_type", "specialty", "patient")}
    record["text"] = text
    record["codes"] = [{**c, "evidence": [_span(text, q, path) for q in c.get("evidence", ())]} for c in facts["codes"]]
    return audited_from_record(record)


def _span(text: str, quote: str, path: Path) -> dict[str, int]:
    words, _, nth = quote.partition("@@")
    start = -1
    for _ in range(int(nth or 1)):
        start = text.find(words, start + 1)
        if start < 0:
            raise InputError(f"{path.name}: the evidence {quote!r} is not in the text")
    return {"start": start, "end": start + len(words)}

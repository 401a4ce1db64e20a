"""Audited notes: notes with their final codes, in every form that they are read from."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from codeassist.errors import InputError
from codeassist.note import Note, note_from_record
from codeassist.result import SYSTEMS
from codeassist.terminology.store import normal_key
from training.corpora.codiesp import is_codiesp, read_codiesp
from training.corpora.mdace import is_mdace, read_mdace
from training.corpora.parquet import read_parquet
from training.rows import read_rows

ORIGIN_WEIGHTS = {"accepted": 0.8, "replaced": 1.0, "added": 1.0}
"""What a code of a review counts that has no ``weight`` of its own, by how the coder came to it: one that was only
accepted may have been taken because it was offered."""
REJECTED_WEIGHT = 1.5
"""What a code that the coder turned down counts as a wrong one: somebody looked at it."""


@dataclass(frozen=True, slots=True)
class AuditedCode:
    """One final code of an audited note: its system, key without dot, and evidence as (start, end) offsets."""

    system: str
    key: str
    evidence: tuple[tuple[int, int], ...] = ()
    sequence: int | None = None
    poa: str | None = None
    weight: float = 1.0
    """How much this code counts, beside the weight of its note."""


@dataclass(frozen=True, slots=True)
class AuditedNote:
    """A note with its final codes; ``weight`` is how much it counts in training, ``coder`` who coded it."""

    note: Note
    codes: tuple[AuditedCode, ...]
    rejected: tuple[tuple[str, str], ...] = ()
    weight: float = 1.0
    coder: str | None = None


def read_audited(path: Path) -> Iterator[AuditedNote]:
    """Audited notes from a file of JSON Lines, CSV (``*.csv``) or Parquet (``*.parquet``), from a folder of note files
    (``*.md``), or from one with the layout of CodiEsp or MDACE; one at a time.

    Raises :class:`InputError` with the file and line of what can't be read.
    """
    if is_note_folder(path):
        for file in sorted(path.rglob("*.md")):
            yield read_note_file(file)
        return
    for number, record in read_records(path):
        try:
            if isinstance(record, InputError):
                raise record
            yield audited_from_record(record)
        except InputError as error:
            raise InputError(f"{path.name}, line {number}: {error}") from None


def is_note_folder(path: Path) -> bool:
    """Whether ``path`` is a folder of the project's own note files."""
    return path.is_dir() and not is_codiesp(path) and not is_mdace(path)


def read_records(path: Path) -> Iterator[tuple[int, Mapping[str, Any] | InputError]]:
    """The records of a file, or of a published layout, with the line (or row) that each begins at; for one that can't
    be read, why."""
    if path.is_dir():
        yield from read_codiesp(path) if is_codiesp(path) else read_mdace(path)
        return
    if not path.is_file():
        raise InputError(f"there is no file of audited notes {path}")
    if path.suffix.lower() == ".csv":
        yield from read_rows(path)
        return
    if path.suffix.lower() == ".parquet":
        yield from read_parquet(path)
        return
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield number, _record(line)


def _record(line: bytes) -> Mapping[str, Any] | InputError:
    try:
        record = json.loads(line)
    except UnicodeDecodeError:
        return InputError("the line is not UTF-8")
    except (ValueError, RecursionError):
        return InputError("the line is not valid JSON; it may be cut short")
    return record if isinstance(record, dict) else InputError("the line is not a JSON object")


def audited_from_record(record: Mapping[str, Any]) -> AuditedNote:
    """One audited note from its JSON record; raises :class:`InputError` that says what can't be read."""
    note = note_from_record(record)
    codes = record.get("codes")
    if not isinstance(codes, list) or not all(isinstance(c, Mapping) for c in codes):
        raise InputError("an audited note needs 'codes', a list of objects with system and code")
    try:
        return AuditedNote(
            note,
            tuple(_code(c) for c in codes),
            tuple((c["system"], normal_key(c["code"])) for c in record.get("rejected") or ()),
            float(record.get("weight", 1.0)),
            str(record["coder"]) if record.get("coder") else None,
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InputError("'evidence', 'rejected' or 'weight' is not of the form that it must have") from None


def _code(record: Mapping[str, Any]) -> AuditedCode:
    system, code = record.get("system"), record.get("code")
    if system not in SYSTEMS or not isinstance(code, str):
        raise InputError(f"a code needs a known system and a code, not {system!r}, {code!r}")
    evidence = tuple((int(e["start"]), int(e["end"])) for e in record.get("evidence") or ())
    weight = float(record.get("weight", ORIGIN_WEIGHTS.get(str(record.get("origin")), 1.0)))
    return AuditedCode(str(system), normal_key(code), evidence, record.get("sequence"), record.get("poa"), weight)


def record_of(audited: AuditedNote) -> dict[str, Any]:
    """The JSON record of an audited note: :func:`audited_from_record` gives the note back."""
    note = audited.note
    codes = [
        {
            "system": c.system,
            "code": c.key,
            "evidence": [{"start": start, "end": end} for start, end in c.evidence],
            "sequence": c.sequence,
            "poa": c.poa,
            "weight": c.weight,
        }
        for c in audited.codes
    ]
    return {
        "id": note.id,
        **({"documents": [asdict(d) for d in note.documents]} if note.documents else {"text": note.text}),
        "setting": note.setting,
        "date_of_service": note.date_of_service.isoformat(),
        "note_type": note.note_type,
        "specialty": note.specialty,
        "patient": asdict(note.patient),
        "codes": codes,
        "rejected": [{"system": system, "code": key} for system, key in audited.rejected],
        "weight": audited.weight,
    }


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

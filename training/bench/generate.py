"""Audited notes generated from the project's own: for measuring time and memory, never quality.

Each takes paragraphs of several notes of one setting, with the codes whose evidence stands in them, and changes their
numbers. The identifiers begin with ``generated-``, and ``generated`` is true in every record.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codeassist.choice import dotted
from training.audited import AuditedCode, AuditedNote

_NUMBER = re.compile(r"\d")
_NOTES_OF_A_PATIENT = 3
_LEAST, _MOST = 4, 9


@dataclass(frozen=True, slots=True)
class _Paragraph:
    text: str
    codes: tuple[tuple[AuditedCode, tuple[tuple[int, int], ...]], ...]


def write_generated(path: Path, notes: Sequence[AuditedNote], count: int, seed: int) -> None:
    """Write ``count`` generated notes as JSON Lines; the same notes, count and seed give the same file."""
    with path.open("w", encoding="utf-8") as file:
        for record in generate(notes, count, seed):
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


def generate(notes: Sequence[AuditedNote], count: int, seed: int) -> Iterator[dict[str, Any]]:
    """Records of generated notes."""
    chance = random.Random(seed)
    by_setting: dict[str, list[_Paragraph]] = {}
    for note in notes:
        by_setting.setdefault(note.note.setting, []).extend(_paragraphs(note))
    settings = [n.note.setting for n in notes]
    for i in range(count):
        setting = chance.choice(settings)
        parts = chance.sample(by_setting[setting], chance.randint(_LEAST, _MOST))
        text, codes = _joined(parts, chance)
        yield {
            "id": f"generated-{i:06}",
            "generated": True,
            "text": text,
            "setting": setting,
            "date_of_service": f"2026-{chance.randint(1, 9):02}-{chance.randint(1, 28):02}",
            "patient": {"id": f"generated-{i // _NOTES_OF_A_PATIENT}", "age": chance.randint(18, 95)},
            "codes": codes,
        }


def _paragraphs(audited: AuditedNote) -> Iterator[_Paragraph]:
    text = audited.note.text
    for match in re.finditer(r"(?:[^\n]+\n?)+", text):
        begin, end = match.span()
        codes = []
        for code in audited.codes:
            spans = tuple((a - begin, b - begin) for a, b in code.evidence if begin <= a and b <= end)
            if spans:
                codes.append((code, spans))
        yield _Paragraph(match[0].rstrip("\n"), tuple(codes))


def _joined(parts: Sequence[_Paragraph], chance: random.Random) -> tuple[str, list[dict[str, Any]]]:
    texts: list[str] = []
    codes: dict[tuple[str, str], dict[str, Any]] = {}
    start = 0
    for part in parts:
        texts.append(_NUMBER.sub(lambda m: str(chance.randint(1, 9)) if m[0] != "0" else "0", part.text))
        for code, spans in part.codes:
            record = {"system": code.system, "code": dotted(code.system, code.key), "evidence": []}
            kept = codes.setdefault((code.system, code.key), record)
            kept["evidence"] += [{"start": start + a, "end": start + b} for a, b in spans]
        start += len(part.text) + 2
    return "\n\n".join(texts), list(codes.values())

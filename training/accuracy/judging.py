"""Suggestions held against audited codes: what every figure and plot is made from. Holds codes, and no text."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from codeassist.result import CodingResult
from codeassist.terminology.store import normal_key
from training.audited import AuditedNote, audited_from_record, read_note_file

Code = tuple[str, str]
"""A code as (system, key without dot)."""
_NOT_CORE = ("V", "W", "X", "Y", "Z79", "Z91")
"""ICD-10-CM codes that many sites do not report: external causes, long-term drugs, underdosing and adherence."""


@dataclass(frozen=True, slots=True)
class GoldNote:
    """An audited note, and which of its codes are marked as not core."""

    audited: AuditedNote
    optional: frozenset[Code] = frozenset()


@dataclass(frozen=True, slots=True)
class Ranked:
    """A suggestion: whether it has tier ``code``, is right, and shows evidence that meets the coder's
    (``None``: the coder gave none, or it is wrong)."""

    code: Code
    probability: float
    coded: bool
    right: bool
    evidence: bool | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """One note: its gold codes and the suggestions in their order; ``missed`` tells why a gold code was not coded."""

    gold: frozenset[Code]
    ranked: tuple[Ranked, ...]
    missed: Mapping[Code, str] = field(default_factory=dict)

    def only(self, systems: Sequence[str]) -> Judged:
        """The same for some code systems."""
        return Judged(
            frozenset(c for c in self.gold if c[0] in systems),
            tuple(r for r in self.ranked if r.code[0] in systems),
            {c: why for c, why in self.missed.items() if c[0] in systems},
        )


def read_gold(path: Path) -> Iterator[GoldNote]:
    """Audited notes with their marks, from JSON Lines or a folder of note files."""
    if path.is_dir():
        for file in sorted(path.rglob("*.md")):
            head = tomllib.loads(file.read_text(encoding="utf-8").split("+++\n", 2)[1])
            yield GoldNote(read_note_file(file), _optional(head["codes"]))
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip():
            record = json.loads(line)
            yield GoldNote(audited_from_record(record), _optional(record["codes"]))


def _optional(codes: Sequence[Mapping[str, Any]]) -> frozenset[Code]:
    return frozenset((c["system"], normal_key(c["code"])) for c in codes if c.get("core") is False)


def judge(note: GoldNote, result: CodingResult, core: bool) -> Judged:
    """What was suggested against what was coded. With ``core``, what is not core is left out on both sides."""

    def counts(code: Code) -> bool:
        return not core or not (code in note.optional or (code[0] == "icd-10-cm" and code[1].startswith(_NOT_CORE)))

    gold = {(c.system, c.key): c.evidence for c in note.audited.codes if counts((c.system, c.key))}
    ranked = []
    for s in sorted(result.suggestions, key=lambda s: s.rank):
        code = (s.system, normal_key(s.code))
        if not counts(code):
            continue
        spans = gold.get(code, ())
        meets = any(e.start < end and start < e.end for e in s.evidence for start, end in spans) if spans else None
        ranked.append(Ranked(code, s.probability, s.tier == "code", code in gold, meets))
    return Judged(frozenset(gold), tuple(ranked))

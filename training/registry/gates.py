"""What a release must not be worse at before it is promoted: a TOML file of the site."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from codeassist.assistant import CodeAssistant
from codeassist.errors import InputError
from codeassist.note import Note, note_from_record
from codeassist.result import SYSTEMS
from codeassist.terminology.store import normal_key
from training.evaluation.bootstrap import CONFIDENCE
from training.registry.compare import Comparison

GATES = "gates.toml"
"""The file in the registry that holds for every promotion, unless ``--gates`` names another."""
_Code = tuple[str, str]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Overall(_Table):
    """F1 at tier ``code`` of each system (of all that the notes hold, unless some are named)."""

    systems: tuple[Literal["icd-10-cm", "icd-10-pcs", "cpt", "hcpcs"], ...] = SYSTEMS


class Chapters(_Table):
    """F1 of each ICD-10-CM chapter of which the notes have at least so many codes."""

    least_codes: int = Field(default=20, ge=1)


class MustNotFail(_Table):
    """Notes with codes that must have tier ``code``, and codes that must not be suggested."""

    notes: Path


class Gates(_Table):
    """The gates of a site. ``audited`` and ``must_not_fail.notes`` are taken from where the file lies."""

    audited: Path | None = None
    confidence: float = Field(default=CONFIDENCE, gt=0.5, lt=1)
    overall: Overall | None = None
    chapters: Chapters | None = None
    must_not_fail: MustNotFail | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one gate: its name, whether the release passes, and why."""

    gate: str
    passed: bool
    detail: str


@dataclass(frozen=True, slots=True)
class FixedNote:
    """A note of the fixed set, where it stands, and its codes as (system, key)."""

    place: str
    note: Note
    code: frozenset[_Code]
    never: frozenset[_Code]


def read_gates(path: Path) -> Gates:
    """The gates of a TOML file; raises :class:`InputError` that names what is wrong, an unknown name too."""
    try:
        gates = Gates.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path.name} is not TOML: {error}") from None
    except ValidationError as error:
        found = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise InputError(f"{path.name}: {found}") from None
    beside = path.parent
    fixed = gates.must_not_fail
    return gates.model_copy(
        update={
            "audited": beside / gates.audited if gates.audited else None,
            "must_not_fail": MustNotFail(notes=beside / fixed.notes) if fixed else None,
        }
    )


def judge(gates: Gates, compared: Comparison | None) -> list[Outcome]:
    """The gates that compare: a release fails one when its interval lies wholly on the worse side of zero."""
    out = []
    if compared is None:
        return []
    percent = f"{compared.confidence:.0%}"
    for system in gates.overall.systems if gates.overall else ():
        if system in compared.systems:
            d = compared.systems[system]["f1"]
            detail = f"F1 {d.a:.3f} → {d.b:.3f}, {percent} interval {d.low:+.3f} to {d.high:+.3f}"
            out.append(Outcome(f"overall {system}", d.verdict != "worse", detail))
        elif gates.overall and "systems" in gates.overall.model_fields_set:
            out.append(Outcome(f"overall {system}", False, "the notes have no codes of this system"))
    for name, d in compared.chapters.items() if gates.chapters else ():
        codes = compared.chapter_codes[name]
        if gates.chapters and codes >= gates.chapters.least_codes:
            detail = f"F1 {d.a:.3f} → {d.b:.3f}, {percent} interval {d.low:+.3f} to {d.high:+.3f}, {codes} codes"
            out.append(Outcome(f"chapter {name}", d.verdict != "worse", detail))
    return out


def read_fixed(path: Path) -> list[FixedNote]:
    """The must-not-fail notes of a JSON Lines file: note records with ``must_code`` and ``must_not_suggest``.

    Raises :class:`InputError` with the line of what can't be read, and when there is no note at all.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} can't be read: {error}") from None
    out = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            place = f"{path.name}, line {number}"
            try:
                out.append(_fixed(json.loads(line), place))
            except (ValueError, InputError) as error:
                raise InputError(f"{place}: {error}") from None
    if not out:
        raise InputError(f"{path.name} has no notes")
    return out


def _fixed(record: Any, place: str) -> FixedNote:
    note = note_from_record(record)
    wanted, never = (_codes(record, name) for name in ("must_code", "must_not_suggest"))
    if not wanted | never:
        raise InputError("a must-not-fail note needs codes in 'must_code' or 'must_not_suggest'")
    return FixedNote(place, note, wanted, never)


def _codes(record: dict[str, Any], name: str) -> frozenset[_Code]:
    try:
        found = frozenset((str(c["system"]), normal_key(c["code"])) for c in record.get(name, ()))
    except (TypeError, KeyError, AttributeError):
        raise InputError(f"'{name}' is a list of objects with system and code") from None
    unknown = {system for system, _ in found} - set(SYSTEMS)
    if unknown:
        raise InputError(f"'{name}' has unknown systems: {', '.join(sorted(unknown))}")
    return found


def check_fixed(notes: list[FixedNote], assistant: CodeAssistant) -> list[Outcome]:
    """One outcome for each note of the fixed set, whatever the release before made of it."""
    out = []
    for fixed in notes:
        result = assistant.suggest(fixed.note)
        shown = {(s.system, normal_key(s.code)) for s in result.suggestions}
        coded = {(s.system, normal_key(s.code)) for s in result.suggestions if s.tier == "code"}
        wrong = [f"{c} lacks tier code" for _, c in sorted(fixed.code - coded)]
        wrong += [f"{c} is suggested" for _, c in sorted(fixed.never & shown)]
        out.append(Outcome(f"must not fail: {fixed.place}", not wrong, "; ".join(wrong) or "as it must be"))
    return out

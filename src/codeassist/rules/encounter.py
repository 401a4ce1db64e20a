"""What the rules read: an encounter and its list of codes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from codeassist.note import Patient, Setting


@dataclass(frozen=True, slots=True)
class CodedLine:
    """One code of a claim, with what stands beside it."""

    system: str
    code: str
    poa: str | None = None
    modifiers: tuple[str, ...] = ()
    units: int | None = None
    diagnoses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Encounter:
    """The visit or stay that a list of codes belongs to."""

    codes: tuple[CodedLine, ...]
    setting: Setting = "outpatient"
    date_of_service: date = field(default_factory=date.today)
    patient: Patient = Patient()

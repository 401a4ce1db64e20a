"""What the rules read: an encounter and its list of codes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from codeassist.note import Patient, Setting
from codeassist.result import Evidence


@dataclass(frozen=True, slots=True)
class CodedLine:
    """One code of a claim, with what stands beside it.

    ``diagnoses`` are the codes that a procedure line is linked to; ``evidence`` is where the note supports the code.
    """

    system: str
    code: str
    poa: str | None = None
    modifiers: tuple[str, ...] = ()
    units: int | None = None
    diagnoses: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Encounter:
    """The visit or stay that a list of codes belongs to; ``text`` is the note, where there is one."""

    codes: tuple[CodedLine, ...]
    setting: Setting = "outpatient"
    date_of_service: date = field(default_factory=date.today)
    patient: Patient = Patient()
    text: str = ""

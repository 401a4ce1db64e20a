"""What the service gives back: suggestions with their evidence, what was left out, and findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

System = Literal["icd-10-cm", "icd-10-pcs", "cpt", "hcpcs"]
SYSTEMS: tuple[System, ...] = ("icd-10-cm", "icd-10-pcs", "cpt", "hcpcs")
Status = Literal["present", "negated", "possible", "hypothetical", "historical", "family"]
Tier = Literal["code", "candidate"]
Level = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a text: 0-based code points, ``text == document[start:end]``."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Assertion:
    """What the note says of a mention, and the words that say so."""

    status: Status = "present"
    cue: Span | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """A span that supports a code; ``document`` names it in an encounter of several documents."""

    start: int
    end: int
    text: str
    section: str
    assertion: Assertion = Assertion()
    document: str | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """One line of why a suggestion stands where it does: a feature, its value and its weight in the score."""

    feature: str
    message: str
    weight: float


@dataclass(frozen=True, slots=True)
class Alternative:
    """A code that a coder may want instead, and why."""

    code: str
    display: str
    why: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One ranked code. ``listed`` is false for a code that only the training data knows."""

    system: System
    code: str
    display: str
    probability: float
    rank: int
    tier: Tier
    evidence: tuple[Evidence, ...] = ()
    sequence: int | None = None
    poa: str | None = None
    modifiers: tuple[str, ...] = ()
    units: int | None = None
    diagnoses: tuple[str, ...] = ()
    explanation: tuple[Reason, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    specificity: tuple[str, ...] = ()
    listed: bool = True


@dataclass(frozen=True, slots=True)
class Discarded:
    """A code that was seen and left out, with the reason."""

    system: System
    code: str
    display: str
    reason: str
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule says of a set of codes."""

    rule: str
    level: Level
    message: str
    codes: tuple[str, ...] = ()
    reference: str = ""
    fix: str | None = None
    overridable: bool = True


@dataclass(frozen=True, slots=True)
class ModelId:
    """Which model release made a result; ``sha256`` is that of its manifest."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class CodingResult:
    """Everything that the service says of one note."""

    id: str
    setting: str
    date_of_service: date
    model: ModelId
    terminology: Mapping[str, str]
    suggestions: tuple[Suggestion, ...] = ()
    discarded: tuple[Discarded, ...] = ()
    findings: tuple[Finding, ...] = ()

    def as_record(self) -> dict[str, Any]:
        """The result as the JSON object of the design; what is unknown is left out, never null."""
        return {
            "id": self.id,
            "setting": self.setting,
            "date_of_service": self.date_of_service.isoformat(),
            "model": {"name": self.model.name, "version": self.model.version, "sha256": self.model.sha256},
            "terminology": dict(self.terminology),
            "suggestions": [_suggestion(s) for s in self.suggestions],
            "discarded": [
                {
                    "system": d.system,
                    "code": d.code,
                    "display": d.display,
                    "reason": d.reason,
                    "evidence": [_evidence(e) for e in d.evidence],
                }
                for d in self.discarded
            ],
            "findings": [finding_record(f) for f in self.findings],
        }


def finding_record(f: Finding) -> dict[str, Any]:
    """A finding as the JSON object of the design."""
    record: dict[str, Any] = {
        "rule": f.rule,
        "level": f.level,
        "message": f.message,
        "codes": list(f.codes),
        "reference": f.reference,
    }
    if f.fix is not None:
        record["fix"] = f.fix
    record["overridable"] = f.overridable
    return record


def _suggestion(s: Suggestion) -> dict[str, Any]:
    record: dict[str, Any] = {
        "system": s.system,
        "code": s.code,
        "display": s.display,
        "probability": s.probability,
        "rank": s.rank,
        "tier": s.tier,
        "evidence": [_evidence(e) for e in s.evidence],
    }
    if s.sequence is not None:
        record["sequence"] = s.sequence
    if s.poa is not None:
        record["poa"] = s.poa
    if s.modifiers:
        record["modifiers"] = list(s.modifiers)
    if s.units is not None:
        record["units"] = s.units
    if s.diagnoses:
        record["diagnoses"] = list(s.diagnoses)
    if not s.listed:
        record["listed"] = False
    record["explanation"] = [{"feature": r.feature, "message": r.message, "weight": r.weight} for r in s.explanation]
    record["alternatives"] = [{"code": a.code, "display": a.display, "why": a.why} for a in s.alternatives]
    record["specificity"] = list(s.specificity)
    return record


def _evidence(e: Evidence) -> dict[str, Any]:
    assertion: dict[str, Any] = {"status": e.assertion.status}
    if e.assertion.cue is not None:
        c = e.assertion.cue
        assertion["cue"] = {"start": c.start, "end": c.end, "text": c.text}
    record: dict[str, Any] = {
        "start": e.start,
        "end": e.end,
        "text": e.text,
        "section": e.section,
        "assertion": assertion,
    }
    if e.document is not None:
        record["document"] = e.document
    return record

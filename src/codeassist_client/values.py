"""What the API answers, as typed values. ``record`` is the whole answer, with what a later service may add."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A span of the note: 0-based Unicode code points, ``note[start:end] == text``."""

    start: int
    end: int
    text: str
    section: str = ""
    status: str = "present"
    document: str | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One ranked code. ``tier`` is ``code`` (should be coded) or ``candidate`` (the coder decides)."""

    system: str
    code: str
    display: str
    probability: float
    rank: int
    tier: str
    evidence: tuple[Evidence, ...]
    record: Record = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule says of a set of codes; ``level`` is ``error``, ``warning`` or ``info``."""

    rule: str
    level: str
    message: str
    codes: tuple[str, ...]
    record: Record = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Result:
    """What the service says of one note."""

    id: str
    setting: str
    date_of_service: date
    suggestions: tuple[Suggestion, ...]
    findings: tuple[Finding, ...]
    record: Record = field(repr=False, compare=False)

    @property
    def codes(self) -> tuple[Suggestion, ...]:
        """The suggestions that should be coded."""
        return tuple(s for s in self.suggestions if s.tier == "code")


@dataclass(frozen=True, slots=True)
class LineError:
    """A note of a batch that could not be coded; ``line`` counts from 1."""

    line: int
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Code:
    """A code that a search found, or as its release defines it."""

    system: str
    code: str
    display: str
    record: Record = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Query:
    """The draft of a query to the physician."""

    topic: str
    question: str
    options: tuple[str, ...]
    codes: tuple[str, ...]
    record: Record = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Summary:
    """A review as the worklist shows it."""

    number: int
    state: str
    version: int
    note_id: str
    setting: str
    date_of_service: date
    record: Record = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Review(Summary):
    """A review with its chosen codes and what the rules say of them."""

    codes: tuple[Record, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Edits:
    """What the rules say of a list of codes, and the order that they propose."""

    findings: tuple[Finding, ...]
    sequence: tuple[str, ...]
    record: Record = field(repr=False, compare=False)


def read_result(record: Record) -> Result:
    """A result from its JSON."""
    return Result(
        record["id"],
        record["setting"],
        date.fromisoformat(record["date_of_service"]),
        tuple(_suggestion(s) for s in record["suggestions"]),
        _findings(record),
        record,
    )


def read_code(record: Record) -> Code:
    """A code from its JSON."""
    return Code(record["system"], record["code"], record["display"], record)


def read_query(record: Record) -> Query:
    """A query from its JSON."""
    return Query(record["topic"], record["question"], tuple(record["options"]), tuple(record["codes"]), record)


def read_summary(record: Record) -> Summary:
    """A line of the worklist from its JSON."""
    return Summary(*_summary(record), record)


def read_review(record: Record) -> Review:
    """A review from its JSON."""
    return Review(*_summary(record), record, tuple(record["codes"]), _findings(record))


def read_edits(record: Record) -> Edits:
    """The answer to a list of codes from its JSON."""
    return Edits(_findings(record), tuple(s["code"] for s in record["sequence"]), record)


def _summary(record: Record) -> tuple[int, str, int, str, str, date]:
    day = date.fromisoformat(record["date_of_service"])
    return record["review"], record["state"], record["version"], record["note_id"], record["setting"], day


def _suggestion(record: Record) -> Suggestion:
    evidence = tuple(
        Evidence(e["start"], e["end"], e["text"], e["section"], e["assertion"]["status"], e.get("document"))
        for e in record["evidence"]
    )
    return Suggestion(
        record["system"],
        record["code"],
        record["display"],
        record["probability"],
        record["rank"],
        record["tier"],
        evidence,
        record,
    )


def _findings(record: Record) -> tuple[Finding, ...]:
    return tuple(Finding(f["rule"], f["level"], f["message"], tuple(f["codes"]), f) for f in record.get("findings", ()))

"""Why a message is refused, in the standard's terms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CODES = {
    "100": "Segment sequence error",
    "101": "Required field missing",
    "102": "Data type error",
    "103": "Table value not found",
    "200": "Unsupported message type",
    "201": "Unsupported event code",
    "202": "Unsupported processing id",
    "203": "Unsupported version id",
    "204": "Unknown key identifier",
    "205": "Duplicate key identifier",
    "207": "Application internal error",
}
"""HL7 table 0357, message error condition codes."""
REJECTING = frozenset({"200", "201", "202", "203"})
"""What MSH-9, MSH-11 and MSH-12 ask for and is not done here is rejected (AR); all else is an error (AE).
HL7 v2.8.2, chapter 2, section 2.9.2.2."""


@dataclass(frozen=True, slots=True)
class Location:
    """A segment, its sequence (from 1), a field and a component of it, as ERR-2 names it."""

    segment: str
    sequence: int = 1
    field: int | None = None
    component: int | None = None

    def __str__(self) -> str:
        parts = [self.segment, str(self.sequence)]
        if self.field is not None:
            parts.append(str(self.field))
        if self.component is not None:
            parts += ["1", str(self.component)]
        return "^".join(parts)


class Refused(Exception):
    """The message is not taken. ``code`` is of table 0357; ``message`` quotes nothing of the note."""

    def __init__(self, code: str, message: str, location: Location | None = None, reject: bool | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.location = location
        self.answer: Literal["AE", "AR"] = "AR" if (code in REJECTING if reject is None else reject) else "AE"

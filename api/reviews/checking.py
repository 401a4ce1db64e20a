"""What the rules say of the codes that a coder has chosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from api.reviews.coding import Coding
from codeassist.note import Note
from codeassist.result import Assertion, Evidence
from codeassist.rules.encounter import CodedLine, Encounter
from codeassist.rules.engine import Review
from codeassist.rules.queries import BETWEEN

if TYPE_CHECKING:
    from codeassist.assistant import CodeAssistant


def check(coding: Coding, note: Note, assistant: CodeAssistant) -> Review:
    """Findings on the chosen codes in their order, and the order that the rules propose."""
    lines = tuple(
        CodedLine(
            line.system,
            line.code,
            line.poa,
            line.modifiers,
            line.units,
            line.diagnoses,
            tuple(_evidence(e) for e in line.evidence),
        )
        for line in coding.lines
    )
    text = BETWEEN.join(part.text for part in note.parts)
    return assistant.check(Encounter(lines, note.setting, note.date_of_service, note.patient, text))


def _evidence(record: Mapping[str, Any]) -> Evidence:
    """Evidence from its JSON. The cue is left out: no rule reads it."""
    assertion = Assertion(record["assertion"]["status"])
    return Evidence(
        record["start"], record["end"], record["text"], record["section"], assertion, record.get("document")
    )

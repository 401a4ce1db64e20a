"""What stands around a name and within it: numbers of list items, and shorter names in longer ones."""

from __future__ import annotations

from datetime import date

import pytest

from codeassist.assistant import CodeAssistant
from codeassist.note import Note


@pytest.mark.parametrize(
    ("text", "named", "not_named"),
    [
        ("Assessment:\n1. Type 2 diabetes mellitus, on metformin.\n2. Hypertension.", "E11.9", "E10.9"),
        ("Assessment:\n2. Type 1 diabetes mellitus, on insulin.", "E10.9", "E11.9"),
        ("A/P:\n1) type 2 DM, stable\n2) hypertension", "E11.9", "E10.9"),
        ("Impression\n1. Stage 3 pressure ulcer of the sacral region.", "L89.153", "L89.151"),
        ("Assessment: diabetes mellitus type 2. Hypertension.", "E11.9", "E10.9"),  # here it ends the sentence
    ],
)
def test_an_item_number_is_not_read_as_a_type_or_stage(
    assistant: CodeAssistant, text: str, named: str, not_named: str
) -> None:
    result = assistant.suggest(Note(text=text, date_of_service=date(2026, 3, 2)))
    tiers = {s.code: s.tier for s in result.suggestions}
    assert tiers[named] == "code"
    assert tiers.get(not_named) != "code"


@pytest.mark.parametrize(
    ("text", "named", "never"),
    [
        ("Assessment: type 2 DM, CKD stage 3.", "E11.22", "E10"),
        ("Assessment: diabetes mellitus type 2 with stage 3a chronic kidney disease.", "E11.22", "E10"),
        ("Assessment: type 1 DM with stage 4 CKD.", "E10.22", "E11"),
        ("A/P:\n1) type 2 DM with neuropathy", "E11.40", "E10"),
    ],
)
def test_the_type_of_diabetes_is_never_turned(assistant: CodeAssistant, text: str, named: str, never: str) -> None:
    result = assistant.suggest(Note(text=text, date_of_service=date(2026, 3, 2)))
    assert named in [s.code for s in result.suggestions if s.tier == "code"]
    assert not [s for s in result.suggestions if s.code.startswith(never) and s.probability > 0.2]

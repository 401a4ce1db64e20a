"""Each character of a PCS code says what chose it."""

from __future__ import annotations

from datetime import date

import pytest

from codeassist import CodeAssistant, Note

CASES = [
    ("Left total knee arthroplasty, cemented.", "0SRD0J9", {4: "left", 7: "cemented"}, {1, 2, 3, 5}),
    ("Right total knee arthroplasty.", "0SRC0JZ", {4: "right"}, {1, 2, 3, 5}),
    ("Laparoscopic appendectomy.", "0DTJ4ZZ", {5: "laparoscopic"}, {1, 2, 3, 4}),
]


@pytest.mark.parametrize(("text", "code", "chosen", "named"), CASES)
def test_characters_and_their_words(
    assistant: CodeAssistant, text: str, code: str, chosen: dict[int, str], named: set[int]
) -> None:
    note = Note(f"PROCEDURE PERFORMED: {text}", setting="inpatient", date_of_service=date(2026, 3, 2))
    suggestion = next(s for s in assistant.suggest(note).suggestions if s.code == code)
    reasons = {int(r.feature[4:]): r.message for r in suggestion.explanation if r.feature.startswith("pcs_")}
    assert sorted(reasons) == [1, 2, 3, 4, 5, 6, 7]
    for place, words in chosen.items():
        assert words in reasons[place]
    assert all("from" in reasons[place] for place in named)
    assert all(f" {value}: " in reasons[place] for place, value in enumerate(code, 1))


def test_a_diagnosis_has_no_composition(assistant: CodeAssistant) -> None:
    note = Note("ASSESSMENT: Gout, continue allopurinol.", date_of_service=date(2026, 3, 2))
    reasons = [r for s in assistant.suggest(note).suggestions for r in s.explanation]
    assert reasons and not any(r.feature.startswith("pcs_") for r in reasons)

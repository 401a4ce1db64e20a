"""What the note says of a mention. The mention stands between ``[`` and ``]``."""

from __future__ import annotations

from datetime import date

import pytest

from codeassist.assistant import CodeAssistant
from codeassist.note import Note, Setting

CASES = [
    # negation, and where its scope ends
    ("negated", "No [chest pain]."),
    ("negated", "He denies [chest pain]."),
    ("negated", "Without [edema]."),
    ("negated", "No [chest pain] but has fever."),
    ("present", "No chest pain but has [fever]."),
    ("negated", "No fever, chills, or [cough]."),
    ("negated", "No [fever], chills, or cough."),
    ("negated", "The swab is negative for [influenza]."),
    ("negated", "[Fever]: none."),
    ("negated", "Denies [SOB], reports cough."),
    ("present", "Denies SOB, reports [cough]."),
    ("negated", "There is no evidence of [pneumonia]."),
    ("negated", "Negative for [fever], chills and weight loss."),
    ("negated", "Patient is not [diabetic]."),
    ("negated", "[Pneumonia] was ruled out."),
    ("present", "No change in her [asthma]."),
    ("present", "Has [gout]. No fever."),
    ("present", "No fever. Has [gout]."),
    ("present", "He could not walk because of [knee pain]."),
    # uncertainty
    ("possible", "Possible [pneumonia]."),
    ("possible", "Rule out [pneumonia]."),
    ("possible", "Suspected [appendicitis]."),
    ("possible", "This is concerning for [sepsis]."),
    # what may come
    ("hypothetical", "Return if [fever] develops."),
    # the past
    ("historical", "History of [pneumonia] in 2019."),
    ("historical", "Status post [appendectomy]."),
    # other people
    ("family", "Mother had [breast cancer], patient has asthma."),
    ("present", "Mother had breast cancer, patient has [asthma]."),
    ("family", "Family History: [colon cancer] in father. Assessment: asthma."),
    ("present", "Family History: colon cancer in father. Assessment: [asthma]."),
    ("family", "FAMILY HISTORY:\nMother with [diabetes].\nPLAN:\nStart inhaler for asthma."),
    # nothing said
    ("present", "She has [type 2 diabetes]."),
    ("present", "Assessment: [migraine]."),
]


def marked(case: str) -> tuple[str, int, int]:
    start, end = case.index("["), case.index("]") - 1
    return case.replace("[", "").replace("]", ""), start, end


@pytest.mark.parametrize(("status", "case"), CASES)
def test_status(assistant: CodeAssistant, status: str, case: str) -> None:
    text, start, end = marked(case)
    found = assistant.assertion(text, start, end)
    assert found.status == status, f"cue: {found.cue}"
    if found.cue is not None:
        assert text[found.cue.start : found.cue.end] == found.cue.text


def test_the_cue_is_kept(assistant: CodeAssistant) -> None:
    text, start, end = marked("He denies [chest pain].")
    cue = assistant.assertion(text, start, end).cue
    assert cue is not None and cue.text == "denies"


@pytest.mark.parametrize("setting", ["outpatient", "emergency"])
def test_an_uncertain_diagnosis_is_not_coded_outside_the_hospital(assistant: CodeAssistant, setting: Setting) -> None:
    note = Note(text="Assessment: probable pneumonia.", setting=setting, date_of_service=date(2026, 3, 2))
    assert "J18.9" not in {s.code for s in assistant.suggest(note).suggestions if s.tier == "code"}

"""Which headings open which sections: in their own line, in capitals, inline, numbered."""

from __future__ import annotations

from itertools import pairwise

import pytest

from codeassist.nlp.sections.sections import find_sections, heading_kinds

CASES = [
    ("HPI: cough.\nPMH: asthma.\n", ["hpi", "past_history"]),
    ("HISTORY OF PRESENT ILLNESS\nCough.\nPHYSICAL EXAM\nClear lungs.", ["hpi", "exam"]),
    ("HPI: cough. Family History: asthma. Assessment and Plan: 1. Flu", ["hpi", "family", "assessment_plan"]),
    ("Cough for two days.\nAssessment: bronchitis.", ["other", "assessment"]),
    ("Assessment/Plan:\n1. Gout", ["assessment_plan"]),
    ("S: cough\nO: clear lungs\nA: cold\nP: rest", ["hpi", "exam", "assessment", "plan"]),
    ("FAMILY HISTORY:\r\nMother had breast cancer.\r\nIMPRESSION:\r\nAsthma.", ["family", "assessment"]),
    ("Past Medical History (per chart): gout", ["past_history"]),
    ("DISCHARGE DIAGNOSES:\n1. Pneumonia\nHOSPITAL COURSE:\nBetter.", ["diagnosis", "hospital_course"]),
    ("PREOPERATIVE DIAGNOSIS: Gallstones.\nPROCEDURE: Cholecystectomy.", ["preoperative_diagnosis", "procedure"]),
    ("The plan was discussed with her at length.", ["other"]),
    ("She asked about her medications and allergies.", ["other"]),
    ("", ["other"]),
]


@pytest.mark.parametrize(("text", "kinds"), CASES)
def test_kinds(text: str, kinds: list[str]) -> None:
    assert [s.kind for s in find_sections(text)] == kinds


@pytest.mark.parametrize("text", [text for text, _ in CASES])
def test_sections_cover_the_text_in_order(text: str) -> None:
    sections = find_sections(text)
    assert sections[0].start <= len(text) - len(text.lstrip(" *"))
    assert sections[-1].end == len(text)
    for before, after in pairwise(sections):
        assert before.start <= before.body <= before.end == after.start
    for s in sections:
        assert text[s.start : s.start + len(s.title)] == s.title


def test_every_heading_is_in_lower_case_and_of_a_known_kind() -> None:
    kinds = heading_kinds()
    assert len(kinds) > 150
    assert all(heading == heading.lower().strip() and heading for heading in kinds)
    assert {"hpi", "past_history", "family", "assessment", "plan", "assessment_plan", "diagnosis"} <= set(
        kinds.values()
    )

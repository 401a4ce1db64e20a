"""What an encounter lacks, on notes."""

from __future__ import annotations

from typing import Any

import pytest

from api.reviews.completeness import MOST_PENDING, gap_record, missing_of
from codeassist.note import note_from_record

WHO = {"age": 60, "sex": "F"}
NOTHING: dict[str, Any] = {"suggestions": []}
OPERATED: dict[str, Any] = {"suggestions": [{"system": "icd-10-pcs", "tier": "code", "code": "0016070"}]}
STAY = "Discharge Summary\nHospital course: recovered well."


def kinds(result: dict[str, Any] = NOTHING, **record: Any) -> list[str]:
    note = note_from_record({"id": "a", "patient": WHO, **record})
    return [gap.kind for gap in missing_of(note, result)]


def documents(*parts: tuple[str, str]) -> dict[str, Any]:
    return {"documents": [{"id": str(i), "note_type": kind, "text": text} for i, (kind, text) in enumerate(parts)]}


@pytest.mark.parametrize(
    ("record", "result", "missing"),
    [
        ({"text": "Gout."}, NOTHING, []),
        ({"text": STAY, "setting": "inpatient"}, NOTHING, []),
        ({"text": "Day 2: better.", "setting": "inpatient"}, NOTHING, ["discharge-summary"]),
        ({"text": STAY, "setting": "inpatient"}, OPERATED, ["operative-report"]),
        ({"text": STAY, "setting": "outpatient"}, OPERATED, []),
        (
            {"text": f"{STAY} She was taken to the operating room on day 2.", "setting": "inpatient"},
            NOTHING,
            ["operative-report"],
        ),
        ({"text": f"{STAY}\nPreoperative diagnosis: appendicitis.", "setting": "inpatient"}, OPERATED, []),
        (
            {**documents(("discharge", "Done."), ("progress", "Better.")), "setting": "inpatient"},
            NOTHING,
            ["history-and-physical"],
        ),
        (
            {**documents(("discharge_summary", "x"), ("H&P", "y"), ("Operative Note", "z")), "setting": "inpatient"},
            OPERATED,
            [],
        ),
        ({**documents(("nursing", "a"), ("laboratory", "b")), "setting": "emergency"}, NOTHING, ["emergency-note"]),
        ({"text": "Gout.", "patient": {}}, NOTHING, ["age", "sex"]),
        ({"text": "Gout.", "patient": {"age": 0, "sex": "M"}}, NOTHING, []),
    ],
)
def test_documents_and_facts(record: dict[str, Any], result: dict[str, Any], missing: list[str]) -> None:
    assert kinds(result, **record) == missing


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("Mass removed, pathology pending.", "pathology pending"),
        ("Blood cultures are still pending at discharge.", "cultures are still pending"),
        ("Awaiting final biopsy results.", "Awaiting final biopsy results"),
        ("Await MRI.", "Await MRI"),
        ("Cytology report to follow.", "Cytology report to follow"),
        ("PATHOLOGY: PENDING", "PATHOLOGY: PENDING"),
        ("Pending culture results, ceftriaxone.", "Pending culture results"),
        ("The culture has grown E. coli.", None),
        ("Discharge pending placement.", None),
        ("Pathology: adenocarcinoma. Appointment pending.", None),
    ],
)
def test_results_that_are_not_back(text: str, quote: str | None) -> None:
    gaps = missing_of(note_from_record({"id": "a", "text": text, "patient": WHO}), NOTHING)
    assert [g.text for g in gaps] == ([] if quote is None else [quote])
    for gap in gaps:
        assert text[gap.start : gap.end] == gap.text and gap.kind == "result"
        assert "document" not in gap_record(gap)


def test_a_result_names_its_document_and_not_too_many_are_named() -> None:
    record = documents(("progress", "😀 biopsy pending"), ("progress", "culture pending. " * 10))
    gaps = missing_of(note_from_record({"id": "a", "patient": WHO, **record}), NOTHING)
    assert [g.document for g in gaps] == ["0", *["1"] * (MOST_PENDING - 1)]
    assert "😀 biopsy pending"[gaps[0].start : gaps[0].end] == "biopsy pending"


def test_a_date_that_was_not_given() -> None:
    assert [g.kind for g in missing_of(note_from_record({"text": "Gout.", "patient": WHO}), NOTHING, False)] == ["date"]


def test_a_long_note_of_cues_stays_quick() -> None:
    text = "pending culture awaiting result " * 30_000 + "culture " * 30_000
    assert len(kinds(text=text)) == MOST_PENDING

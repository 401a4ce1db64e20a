"""The contract of a result holds for whatever text a note has."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import codeassist
from codeassist.assistant import CodeAssistant
from codeassist.note import SETTINGS, Document, Note
from codeassist.result import SYSTEMS

DAY = date(2026, 3, 2)
KEYS = {"id", "setting", "date_of_service", "model", "terminology", "suggestions", "discarded", "findings"}
STATUSES = {"present", "negated", "possible", "hypothetical", "historical", "family"}

WORDS = (
    "type 2 diabetes mellitus|HTN|hypertension|CKD stage 3a|heart failure|acute on chronic|left knee pain|right|"
    "bilateral|no|denies|without|possible|rule out|history of|mother had|return if|fever|cough|asthma|COPD|pneumonia|"
    "migraine|chest pain|fracture of the left radius|colonoscopy|CT of the chest|influenza vaccine|metformin|"
    "Assessment and Plan:|Family History:|HPI:|PMH:|PLAN|ROS:|1.|2)|-|4.5 mg|b.i.d.|pt.|MS|RA|s/p"
).split("|")
ODD = (
    "😀",
    "👩🏽‍⚕️",
    "e\u0301",
    "n\u0303",
    "כאב ראש",
    "ألم",
    "\u202e",
    "\ufeff",
    "\x00",
    "\x0b",
    "\x1f",
    "ﬁbrosis",
    "İ",
    "𝟛",
    "\u2028",
)
GAPS = (" ", "  ", ", ", ". ", "; ", ": ", "\n", "\r\n", "\n\n", "\r", "\t", "")

clinical = st.lists(
    st.tuples(st.sampled_from((*WORDS, *WORDS, *ODD)), st.sampled_from(GAPS)), min_size=1, max_size=40
).map(lambda pairs: "".join(word + gap for word, gap in pairs))
anything = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=120)
notes = st.builds(
    Note,
    text=st.one_of(clinical, anything).filter(str.strip),
    setting=st.sampled_from(SETTINGS),
    date_of_service=st.just(DAY),
)
encounters = st.builds(
    Note,
    documents=st.lists(clinical, min_size=1, max_size=4)
    .filter(lambda texts: any(t.strip() for t in texts))
    .map(lambda texts: tuple(Document(t, f"d{i}") for i, t in enumerate(texts))),
    setting=st.sampled_from(SETTINGS),
    date_of_service=st.just(DAY),
)
few = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


def check_contract(assistant: CodeAssistant, note: Note, record: dict[str, Any]) -> None:
    assert record.keys() == KEYS
    texts = {d.id: d.text for d in note.parts}
    for item in (*record["suggestions"], *record["discarded"]):
        for evidence in item["evidence"]:
            document = evidence.get("document")
            assert (document is None) or document in texts
            assert document is not None or len(texts) == 1
            check_evidence(texts[document] if document else note.parts[0].text, evidence)
    suggestions = record["suggestions"]
    assert [s["rank"] for s in suggestions] == list(range(1, len(suggestions) + 1))
    probabilities = [s["probability"] for s in suggestions]
    assert probabilities == sorted(probabilities, reverse=True)
    assert all(0 <= p <= 1 for p in probabilities)
    codes = [(s["system"], s["code"]) for s in (*suggestions, *record["discarded"])]
    assert len(set(codes)) == len(codes), "a code appears twice"
    store = assistant.terminology
    valid = store.valid(store.day(note.date_of_service))
    for suggestion in suggestions:
        assert suggestion["system"] in SYSTEMS
        assert suggestion["tier"] in {"code", "candidate"}
        row = store.row(suggestion["system"], suggestion["code"])
        assert row is not None
        assert store.billable[row] and valid[row], f"{suggestion['code']} is not billable on the day"
        assert suggestion["display"] == store.title(row)


def check_evidence(text: str, evidence: dict[str, Any]) -> None:
    assert text[evidence["start"] : evidence["end"]] == evidence["text"] != ""
    assert evidence["assertion"]["status"] in STATUSES
    cue = evidence["assertion"].get("cue")
    if cue is not None:
        assert text[cue["start"] : cue["end"]] == cue["text"]


@few
@given(note=notes)
def test_a_note(assistant: CodeAssistant, note: Note) -> None:
    check_contract(assistant, note, assistant.suggest(note).as_record())


@few
@given(note=encounters)
def test_an_encounter(assistant: CodeAssistant, note: Note) -> None:
    check_contract(assistant, note, assistant.suggest(note).as_record())


@settings(few, max_examples=20)
@given(note=notes)
def test_the_same_note_gives_the_same_bytes(assistant: CodeAssistant, note: Note) -> None:
    one, other = (json.dumps(assistant.suggest(note).as_record()) for _ in range(2))
    assert one == other


@settings(few, max_examples=60)
@given(data=st.data(), text=st.one_of(clinical, anything))
def test_the_assertion_of_any_span(assistant: CodeAssistant, data: st.DataObject, text: str) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    found = assistant.assertion(text, start, end)
    assert found.status in STATUSES
    if found.cue is not None:
        assert text[found.cue.start : found.cue.end] == found.cue.text
        assert found.cue.end <= start or found.cue.start >= end, "a cue inside the span does not govern it"


NOTE = "Assessment and Plan: 1. Type 2 diabetes with CKD stage 3a, on metformin. 2. HTN, stable. Denies chest pain."


def test_a_second_assistant_gives_the_same_bytes(assistant: CodeAssistant) -> None:
    note = Note(text=NOTE, date_of_service=DAY)
    assert codeassist.load().suggest(note).as_record() == assistant.suggest(note).as_record()


def test_what_was_read_before_does_not_matter(assistant: CodeAssistant) -> None:
    note = Note(text=NOTE, date_of_service=DAY)
    before = assistant.suggest(note)
    others = [Note(text="Left knee pain. Asthma.", date_of_service=DAY), Note(text="Gout.", setting="inpatient")]
    assert list(assistant.suggest_many([*others, note]))[-1] == before


def test_line_ends_and_odd_characters_do_not_change_the_codes(assistant: CodeAssistant) -> None:
    plain = "ASSESSMENT:\nType 2 diabetes mellitus.\nMigraine without aura.\n"
    odd = "😀 e\u0301\x00\n" + plain
    codes = [
        [s.code for s in assistant.suggest(Note(text=text, date_of_service=DAY)).suggestions if s.tier == "code"]
        for text in (plain, plain.replace("\n", "\r\n"), odd)
    ]
    assert codes[0] and codes[0] == codes[1] == codes[2]


@pytest.mark.parametrize("day", [date(2018, 5, 1), date(2031, 1, 1)])
def test_a_date_outside_every_edition_is_coded_by_the_nearest_with_a_warning(
    assistant: CodeAssistant, day: date
) -> None:
    result = assistant.suggest(Note(text=NOTE, date_of_service=day))
    assert result.suggestions
    assert result.date_of_service == day
    assert any(f.level == "warning" for f in result.findings)


def test_a_note_of_one_megabyte(assistant: CodeAssistant) -> None:
    text = (NOTE + "\n\n") * (1_000_000 // (len(NOTE) + 2) + 1)
    note = Note(text=text, date_of_service=DAY)
    check_contract(assistant, note, assistant.suggest(note).as_record())


@pytest.mark.parametrize("text", ["", " \r\n\t\u00a0 "])
def test_an_empty_note_is_refused(assistant: CodeAssistant, text: str) -> None:
    with pytest.raises(codeassist.InputError, match="empty"):
        assistant.suggest(Note(text=text))


@pytest.mark.parametrize(("start", "end"), [(-1, 2), (2, 2), (0, 99)])
def test_a_span_outside_the_text_is_refused(assistant: CodeAssistant, start: int, end: int) -> None:
    with pytest.raises(ValueError, match="no span"):
        assistant.assertion("No fever.", start, end)


def test_a_batch_of_encounters_merges_and_names_the_document(assistant: CodeAssistant) -> None:
    documents = (
        Document("A/P: Migraine without aura.", "visit"),
        Document("Assessment: gout of the left knee.", "consult"),
    )
    result = assistant.suggest(Note(documents=documents, date_of_service=DAY))
    named = {e.document for s in result.suggestions for e in s.evidence}
    assert named == {"visit", "consult"}

"""Queries to the physician: which notes call for them (``queries.tsv``), and that they are compliant."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from codeassist.assistant import CodeAssistant
from codeassist.note import Document, Note, Setting
from codeassist.result import Assertion, Evidence
from codeassist.rules.case import Case
from codeassist.rules.encounter import CodedLine, Encounter
from codeassist.rules.queries import BETWEEN, Query, draft_queries, in_documents, query_record
from codeassist.rules.query_table import OTHER, UNDETERMINED, Topic, patterns, topics
from codeassist.rules.reading import encounter_from_record
from codeassist.terminology.store import Store

NOTES = [
    line.split("\t")
    for line in (Path(__file__).parent / "queries.tsv").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
WORTH = re.compile(
    r"\b(?:pay\w*|paid|reimburs\w*|revenue|bill\w*|money|cost\w*|DRG\w*|MCC|CC|HCC|RAF|risk adjust\w*|quality"
    r"|score card|profile|denial\w*|audit\w*|severity of illness|risk of mortality|compliance|weight of|capture)\b",
    re.IGNORECASE,
)
LEADING = re.compile(
    r"\b(?:don't you|do you agree|would you agree|please (?:add|agree|confirm that)|should be|is it not|isn't|"
    r"clearly|obviously|indicates? that|we believe|consistent with|meets? criteria|can you document)\b",
    re.IGNORECASE,
)


def case(store: Store, codes: str, setting: str, text: str) -> Case:
    record = {"codes": codes.split(), "setting": setting, "date_of_service": "2026-06-01", "text": text}
    return Case(encounter_from_record(record, store), store)


@pytest.mark.parametrize(("codes", "setting", "expected", "text"), NOTES, ids=[f"{n[2]}: {n[3][:50]}" for n in NOTES])
def test_topics(store: Store, codes: str, setting: str, expected: str, text: str) -> None:
    this = case(store, codes, setting, text)
    assert all(line.valid for line in this.lines)
    queries = draft_queries(this)
    assert [q.topic for q in queries] == ([] if expected == "-" else expected.split())
    for query in queries:
        assert query.indicators
        assert all(i.text == text[i.start : i.end] and i.text.strip() == i.text for i in query.indicators)
        assert set(query.codes) <= set(codes.split())


def test_every_topic_is_expected_somewhere() -> None:
    expected = {topic for note in NOTES for topic in note[2].split()} - {"-"}
    assert expected | {"present-on-admission"} == {t.name for t in topics()}
    assert len(topics()) >= 25


def test_every_indicator_is_used() -> None:
    used = {name for t in topics() for name in (*t.indicators, *t.settled)}
    assert set(patterns()) == used - {"evidence"}


@pytest.mark.parametrize("topic", topics(), ids=lambda t: t.name)
def test_no_query_leads_or_names_what_an_answer_is_worth(topic: Topic) -> None:
    for words in (topic.name.replace("-", " "), topic.reason, topic.question, *topic.options):
        assert not WORTH.search(words), words
        assert not LEADING.search(words), words
    assert topic.options[-2:] == (OTHER, UNDETERMINED)
    assert len(topic.options) >= 5, "two answers of the topic's own are no choice"
    assert topic.question.startswith(("Please", "Based on", "The note"))


NEGATED = [
    "Heart failure. No leg edema, denies orthopnea.",
    "Heart failure. Orthopnea: denied.",
    "Heart failure without pulmonary edema.",
    "Heart failure. Leg edema has resolved.",
    "Heart failure. History of pulmonary edema.",
    "Heart failure. Mother had leg edema.",
]


@pytest.mark.parametrize("text", NEGATED)
def test_negated_indicators_do_not_count(store: Store, text: str) -> None:
    assert draft_queries(case(store, "I50.9", "inpatient", text)) == ()


def test_a_negation_ends_with_its_sentence_or_with_but(store: Store) -> None:
    for text in ("No fever. Leg edema.", "No fever but leg edema."):
        assert [q.topic for q in draft_queries(case(store, "I50.9", "inpatient", text))] == ["heart-failure-type"]


def test_assertion_can_be_judged_elsewhere(store: Store) -> None:
    this = case(store, "I50.9", "inpatient", "Heart failure. Orthopnea.")
    asked: list[tuple[int, int]] = []
    assert draft_queries(this, lambda start, end: bool(asked.append((start, end)))) == ()
    assert (15, 24) in asked


def test_presence_on_admission_is_asked_where_the_note_supports_the_code(store: Store) -> None:
    text = "Found to have a deep vein thrombosis on day 3."
    evidence = Evidence(16, 36, text[16:36], "course", Assertion())
    lines = (CodedLine("icd-10-cm", "I82.401", "U", evidence=(evidence,)), CodedLine("icd-10-cm", "I10", "U"))
    setting: Setting = "inpatient"
    (query,) = draft_queries(Case(Encounter(lines, setting, text=text), store))
    assert (query.topic, query.codes) == ("present-on-admission", ("I82.401",))
    assert query.indicators[0].text == "deep vein thrombosis"
    record = query_record(query)
    assert record["indicators"] == [{"start": 16, "end": 36, "text": "deep vein thrombosis"}]
    assert list(record) == ["topic", "reason", "indicators", "question", "options", "codes"]


def test_quotations_of_several_documents_are_placed_in_their_document(store: Store) -> None:
    documents = (Document("Admitted with heart failure.", "admission"), Document("Leg edema. BNP 900.", "progress"))
    text = BETWEEN.join(d.text for d in documents)
    placed = in_documents(draft_queries(case(store, "I50.9", "inpatient", text)), documents)
    assert [(i.document, i.text) for i in placed[0].indicators] == [("progress", "Leg edema"), ("progress", "BNP 900")]
    for i in placed[0].indicators:
        assert documents[1].text[i.start : i.end] == i.text
    assert query_record(placed[0])["indicators"][0]["document"] == "progress"


def test_no_text_no_query(store: Store) -> None:
    assert draft_queries(case(store, "I50.9", "inpatient", "")) == ()


def test_the_assistant_drafts_for_its_own_codes(assistant: CodeAssistant) -> None:
    text = "Assessment: Congestive heart failure. BNP 1,450, 2+ leg edema, no orthopnea. IV furosemide started."
    note = Note(text=text, setting="inpatient")
    queries = assistant.queries(note, assistant.suggest(note))
    found: dict[str, Query] = {q.topic: q for q in queries}
    quoted = [i.text for i in found["heart-failure-type"].indicators]
    assert quoted == ["BNP 1,450", "2+ leg edema", "IV furosemide"]
    assert all(text[i.start : i.end] == i.text for q in queries for i in q.indicators)

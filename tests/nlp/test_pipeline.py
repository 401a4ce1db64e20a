"""The components as spaCy factories, and what the tokenizer keeps."""

from __future__ import annotations

import pytest
import spacy

import codeassist.nlp  # noqa: F401 - registers the factories
from codeassist.nlp.attributes.attributes import gestation
from codeassist.nlp.tokenizer import blank_english

FACTORIES = ("sentences", "sections", "mentions", "assertion", "attributes")


@pytest.mark.parametrize("name", FACTORIES)
def test_a_component_works_in_a_blank_pipeline(name: str, store: object) -> None:
    nlp = spacy.blank("en")
    if name in ("mentions", "assertion"):
        nlp.add_pipe("codeassist_sentences")
        nlp.add_pipe("codeassist_sections")
    nlp.add_pipe(f"codeassist_{name}")
    doc = nlp("HPI: denies fever. Left knee pain for 2 days.\r\nAssessment: gout. 😀")
    assert doc.text.startswith("HPI") and nlp("").text == ""


def test_all_of_them_together(store: object) -> None:
    nlp = spacy.blank("en")
    for name in FACTORIES:
        nlp.add_pipe(f"codeassist_{name}")
    doc = nlp("HPI: denies fever. Assessment: gout of the left knee.")
    assert [s.label_ for s in doc.spans["sections"]] == ["hpi", "assessment"]
    assert any(s.text == "left" for s in doc.spans["attributes"])


@pytest.mark.parametrize(
    "text", ["COVID-19, L4-L5", "type-2 DM", "Temp 38.5", "a\r\nb", "e\u0301 😀 כאב", "x\x00y", "  \t ", ""]
)
def test_tokens_give_the_text_back(text: str) -> None:
    doc = blank_english()(text)
    assert "".join(t.text_with_ws for t in doc) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Pregnancy at 8 weeks, nausea.", ("first", "trimester")),
        ("Prenatal visit at 27 weeks gestation", ("second", "trimester")),
        ("Pregnant, 28 weeks.", ("third", "trimester")),
        ("Knee pain for 8 weeks.", ()),
    ],
)
def test_weeks_of_gestation_give_the_trimester(text: str, words: tuple[str, ...]) -> None:
    assert gestation(text) == words

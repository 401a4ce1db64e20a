"""Likeness to audited notes and sentences."""

from __future__ import annotations

import numpy as np
import pytest

from codeassist.candidates.likeness import (
    SENTENCE_PENALTY,
    Likeness,
    learn_likeness,
    no_likeness,
    sentence_counts,
    sentence_spans,
)
from codeassist.nlp.reading import NoteReader, ReadDocument
from codeassist.note import Document
from codeassist.terminology.store import Store

EVIDENCE = (
    ("He has had a dry cough for two weeks.", 0),
    ("A persistent cough with some sputum.", 0),
    ("Swelling of both ankles since Monday.", 1),
    ("Ankle swelling, worse in the evening.", 1),
    ("The weather was fine.", None),
)
LABELS = np.array([3, 8])


@pytest.fixture(scope="module")
def read(store: Store) -> NoteReader:
    return NoteReader(store)


def _part(read: NoteReader, text: str) -> ReadDocument:
    return read.document(Document(text))


@pytest.fixture(scope="module")
def likeness(read: NoteReader) -> Likeness:
    rows = [sentence_counts(_part(read, text))[0] for text, _ in EVIDENCE]
    gold = [LABELS[[label]] if label is not None else LABELS[:0] for _, label in EVIDENCE]
    return learn_likeness(rows, gold, LABELS, SENTENCE_PENALTY)


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("The cough is dry.", 3),
        ("Both her ankles are swelling.", 8),
        ("He coughed all night.", 3),  # another form of the word
        ("Her anckles are swelled.", 8),  # misspelt
    ],
)
def test_a_sentence_is_most_like_those_of_its_own_code(
    read: NoteReader, likeness: Likeness, sentence: str, expected: int
) -> None:
    score = likeness.scores(sentence_counts(_part(read, sentence)))
    assert score.shape == (1, 2)
    assert likeness.labels[score[0].argmax()] == expected


def test_scores_are_per_sentence(read: NoteReader, likeness: Likeness) -> None:
    text = "A dry cough. The weather was fine. Ankle swelling."
    part = _part(read, text)
    assert [text[a:b] for a, b in sentence_spans(part)] == ["A dry cough.", "The weather was fine.", "Ankle swelling."]
    best = likeness.scores(sentence_counts(part)).max(axis=1)
    assert best[1] < min(best[0], best[2]) / 3


def test_nothing_is_like_words_that_no_audited_text_has(read: NoteReader, likeness: Likeness) -> None:
    assert np.abs(likeness.scores(sentence_counts(_part(read, "Xyzzy qqq.")))).max() < 0.02


def test_without_lessons_there_are_no_scores(read: NoteReader) -> None:
    assert no_likeness().scores(sentence_counts(_part(read, "A dry cough."))).shape == (1, 0)

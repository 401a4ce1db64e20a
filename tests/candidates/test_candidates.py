"""From words to codes: ICD-10-PCS patterns, combination codes, and what audited notes teach."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

import numpy as np
import pytest

from codeassist.candidates.associations import (
    LONGEST,
    PER_KEY,
    Associations,
    Taught,
    association_keys,
    find_associations,
    learn_associations,
)
from codeassist.candidates.combinations import combine
from codeassist.candidates.patterns import pattern_system, resolve_pattern
from codeassist.nlp.annotations import Content
from codeassist.rules.combinations import combinations
from codeassist.terminology.store import Store

KNEE = "0SR{C=right|D=left}0J{9=cemented|A=uncemented,press fit|Z}"


@pytest.mark.parametrize(
    ("pattern", "words", "code"),
    [
        (KNEE, "right knee cemented", "0SRC0J9"),
        (KNEE, "left knee", "0SRD0JZ"),
        (KNEE, "left press fit knee", "0SRD0JA"),
        (KNEE, "knee", None),
        ("0DTJ{4=laparoscopic|0}ZZ", "laparoscopic appendectomy", "0DTJ4ZZ"),
        ("0DTJ{4=laparoscopic|0}ZZ", "appendectomy", "0DTJ0ZZ"),
        ("30233N1", "transfusion", "30233N1"),
    ],
)
def test_a_pattern_comes_to_a_code(pattern: str, words: str, code: str | None) -> None:
    choice = resolve_pattern(pattern, frozenset(words.split()))
    assert (choice.code if choice else None) == code


def test_a_pattern_tells_what_chose_and_what_was_left_open() -> None:
    choice = resolve_pattern(KNEE, frozenset({"left", "knee"}))
    assert choice is not None
    assert (choice.matched, choice.open) == (("left",), ("cemented/uncemented",))


def test_every_pattern_of_the_lexicon_comes_to_valid_codes(store: Store) -> None:
    """With each option of each gap taken in turn (the others left at the first)."""
    valid = store.valid(store.day(date(2026, 3, 1)))
    broken = []
    for pattern in store.patterns:
        gaps = [g.split("|") for g in re.findall(r"\{([^}]*)\}", pattern)]
        first = re.sub(r"\{([^}|]*)[^}]*\}", lambda m: m[1].split("=")[0].strip(), pattern)
        assert len(first) in (5, 7), pattern
        if not any(_valid(store, valid, code) for code in _values(pattern, gaps)):
            broken.append(pattern)
    assert not broken


def _values(pattern: str, gaps: Sequence[Sequence[str]]) -> list[str]:
    codes = [""]
    for i, piece in enumerate(re.split(r"\{[^}]*\}", pattern)):
        codes = [c + piece for c in codes]
        if i < len(gaps):
            codes = [c + option.split("=")[0].strip() for c in codes for option in gaps[i]]
    return codes


def _valid(store: Store, valid: np.ndarray, code: str) -> bool:
    row = store.row(pattern_system(code), code)
    return row is not None and bool(valid[row])


@pytest.mark.parametrize(
    ("keys", "combined"),
    [
        (["I10", "I509"], ["I110"]),
        (["I10", "N1831"], ["I129"]),
        (["I10", "I5022", "N184"], ["I130"]),
        (["I10", "N186"], ["I120"]),
        (["E119", "N1831"], ["E1122"]),
        (["E119", "I10", "N1831"], ["I129", "E1122"]),
        (["E109", "N1831"], ["E1022"]),
        (["I10"], []),
        (["I10", "M109"], []),
        (["E119", "E785"], []),
    ],
)
def test_what_belongs_together(keys: list[str], combined: list[str]) -> None:
    assert sorted(c.key for c, _, _ in combine({k: i for i, k in enumerate(keys)})) == sorted(combined)


def test_a_combination_names_its_parts_and_what_it_replaces() -> None:
    ((_, parts, replaced),) = combine({"I10": 7, "I509": 8, "M109": 9})
    assert set(parts) == {7, 8}
    assert replaced == {7}


def test_every_combination_is_billable_and_its_parts_exist(store: Store) -> None:
    assert len(combinations("ranking")) >= 20
    valid = store.valid(store.day(date(2026, 3, 1)))
    keys = [k.decode() for k in store.key[slice(*store.system_range("icd-10-cm"))]]
    for c in combinations("ranking"):
        row = store.row("icd-10-cm", c.key)
        assert row is not None and valid[row] and store.billable[row], c
        assert c.reference, c
        for prefix in (*(p for part in c.parts for p in part), *c.replaces):
            assert any(k.startswith(prefix) for k in keys), f"{prefix} of {c.key}"


def content(values: list[int], segment: list[int] | None = None) -> Content:
    n = len(values)
    return Content(
        np.arange(n),
        np.array(values, dtype=np.uint64),
        np.ones(n, dtype=bool),
        np.array(segment or [0] * n),
        np.zeros(n, dtype=np.int64),
    )


def taught(values: list[int], labels: list[int]) -> Taught:
    keys = association_keys(content(values))
    short = (keys.words == 1) | ((keys.words == 2) & (keys.last - keys.first == 1))
    unique = np.unique(keys.key)
    return Taught(
        unique,
        np.concatenate([unique] * len(labels)) if labels else np.zeros(0, dtype=np.uint64),
        np.repeat(np.array(labels, dtype=np.int32), len(unique)),
        np.unique(keys.key[short]),
    )


GOUT, MIGRAINE, KNEE_WORD, HEAD, VISIT = 1_000_003, 2_000_029, 4_000_037, 8_000_009, 16_000_057


@pytest.fixture(scope="module")
def learnt() -> Associations:
    notes = [taught([GOUT, KNEE_WORD, VISIT], [0]) for _ in range(6)]
    notes += [taught([MIGRAINE, HEAD, VISIT], [1]) for _ in range(6)]
    notes += [taught([VISIT], []) for _ in range(12)]
    return learn_associations(notes, 2)


def test_words_are_learnt_for_the_code_that_they_speak_for(learnt: Associations) -> None:
    for word, label in ((GOUT, 0), (MIGRAINE, 1)):
        rows = np.flatnonzero(learnt.key == np.uint64(word))
        assert learnt.label[rows].tolist() == [label]
        assert learnt.count[rows].tolist() == [6]
        assert learnt.precision[rows] == pytest.approx(6 / 6.7)


def test_a_word_that_every_note_has_teaches_nothing(learnt: Associations) -> None:
    assert np.uint64(VISIT) not in learnt.key


def test_keys_are_sorted_and_few_a_key(learnt: Associations) -> None:
    assert (np.diff(learnt.key.astype(object)) >= 0).all()
    assert np.unique(learnt.key, return_counts=True)[1].max() <= PER_KEY


def test_associations_are_found_where_they_stand(learnt: Associations) -> None:
    found = find_associations(learnt, [content([HEAD + 1, VISIT]), content([5, GOUT, 7])])
    assert set(found.label.tolist()) == {0}
    assert set(found.part.tolist()) == {1}
    one = np.flatnonzero(found.words == 1)
    assert found.first[one].tolist() == found.last[one].tolist() == [1]


def test_nothing_is_found_across_sentences(learnt: Associations) -> None:
    near = find_associations(learnt, [content([GOUT, KNEE_WORD])])
    apart = find_associations(learnt, [content([GOUT, KNEE_WORD], [0, 1])])
    assert near.words.max() == 2 and apart.words.max() == 1


def test_no_notes_and_no_associations_give_no_hits(learnt: Associations) -> None:
    empty = Associations(*(a[:0] for a in (learnt.key, learnt.label, learnt.precision, learnt.count)))
    assert len(find_associations(empty, [content([GOUT])])) == 0
    assert len(find_associations(learnt, [])) == 0
    assert len(find_associations(learnt, [content([])])) == 0


def test_no_key_is_longer_than_the_limit() -> None:
    keys = association_keys(content(list(range(1, 12))))
    assert keys.words.max() == LONGEST
    assert (keys.last >= keys.first).all()

"""Stems, phrase keys and the wordings of titles; and the examples in the docstrings of the package."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import codeassist.terminology
from codeassist.terminology.phrases import title_phrases, usable
from codeassist.terminology.words import content_stems, phrase_key, stem, surface_forms

MODULES = [m.name for m in pkgutil.walk_packages(codeassist.terminology.__path__, "codeassist.terminology.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("fractures", "fracture"),
        ("diagnoses", "diagnosis"),
        ("diseases", "disease"),
        ("arthritis", "arthritis"),
        ("anaemia", "anemia"),
        ("tumours", "tumor"),
        ("vertebrae", "vertebra"),
        ("iii", "3"),
        ("biopsies", "biopsy"),
        ("abscess", "abscess"),
    ],
)
def test_stems(word: str, expected: str) -> None:
    assert stem(word) == expected


@pytest.mark.parametrize("word", ["biopsy", "diagnosis", "abscess", "fracture", "anemia"])
def test_every_surface_form_has_the_stem_it_was_made_of(word: str) -> None:
    assert {stem(form) for form in surface_forms(word)} >= {word}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("left knee pain", "Pain in left knee"),
        ("fractures of the femur", "femur fracture"),
        ("Crohn's disease", "crohn disease"),
        ("type II diabetes", "Type 2 diabetes"),
    ],
)
def test_order_and_stop_words_do_not_matter(one: str, other: str) -> None:
    assert phrase_key(content_stems(one)) == phrase_key(content_stems(other))


@pytest.mark.parametrize(("one", "other"), [("no pain", "pain"), ("pain pain", "pain"), ("left knee", "right knee")])
def test_what_says_something_else_has_another_key(one: str, other: str) -> None:
    assert phrase_key(content_stems(one)) != phrase_key(content_stems(other))


@pytest.mark.parametrize(
    ("title", "phrases"),
    [
        ("Essential (primary) hypertension", ["essential hypertension", "essential primary hypertension"]),
        ("Heart failure, unspecified", ["heart failure"]),
        ("Acute nasopharyngitis [common cold]", ["acute nasopharyngitis", "common cold"]),
        ("Other specified disorders", []),
    ],
)
def test_title_phrases(title: str, phrases: list[str]) -> None:
    assert [" ".join(p) for p in title_phrases(title)] == phrases


def test_generic_words_alone_are_no_phrase() -> None:
    assert not usable(["acute", "disease"]) and usable(["acute", "gout"])

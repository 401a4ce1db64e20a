"""Hints of what would make a code more specific."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import pytest

from codeassist.details import Details
from codeassist.terminology.store import Store

DAY = datetime.date(2026, 3, 2)


@pytest.fixture(scope="module")
def hints(store: Store) -> Callable[[str], tuple[str, ...]]:
    details = Details(store)

    def of(code: str) -> tuple[str, ...]:
        row = store.row("icd-10-cm", code)
        assert row is not None
        return details.specificity(row, store.day(DAY))

    return of


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("M25.569", "the side is not stated: left, right"),
        ("N18.30", "the stage is not stated: 3a, 3b"),
        ("I50.20", "the acuity is not stated: acute, chronic"),
    ],
)
def test_an_unspecified_code_says_what_is_not_stated(
    hints: Callable[[str], tuple[str, ...]], code: str, hint: str
) -> None:
    assert hint in hints(code)


@pytest.mark.parametrize("code", ["M25.562", "N18.31", "E11.22"])
def test_a_specific_code_needs_nothing(hints: Callable[[str], tuple[str, ...]], code: str) -> None:
    assert hints(code) == ()


@pytest.mark.parametrize("code", ["I12.9", "I13.0", "K25.4", "O32.1XX0"])
def test_a_code_of_something_stated_or_unspecified_is_right_for_what_is_stated(
    hints: Callable[[str], tuple[str, ...]], code: str
) -> None:
    assert hints(code) == ()

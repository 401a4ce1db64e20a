"""What the store answers: counts, dates, hierarchy, notes."""

from __future__ import annotations

from datetime import date

import pytest

from codeassist.errors import InputError
from codeassist.terminology.store import Store


@pytest.mark.parametrize(
    ("system", "day", "count"),
    [
        ("icd-10-cm", date(2022, 10, 1), 73_639),
        ("icd-10-cm", date(2023, 10, 1), 74_044),
        ("icd-10-cm", date(2024, 10, 1), 74_260),
        ("icd-10-cm", date(2025, 10, 1), 74_719),
        ("icd-10-cm", date(2026, 4, 1), 74_719),
        ("icd-10-cm", date(2026, 10, 1), 74_719 - 30 + 190),
        ("icd-10-pcs", date(2025, 10, 1), 79_115),
    ],
)
def test_billable_codes_on_a_day(store: Store, system: str, day: date, count: int) -> None:
    assert store.count(system, day) == count


def test_pcs_codes_with_titles(store: Store) -> None:
    low, high = store.system_range("icd-10-pcs")
    valid = store.valid(store.day(date(2026, 3, 1)))
    titled = sum(1 for r in range(low, high) if valid[r] and not store.title(r).startswith("(no title"))
    assert valid[low:high].sum() >= 78_000
    assert titled >= 77_000


@pytest.mark.parametrize("code", ["B20", "F99", "P84", "R99", "Z66"])
def test_a_block_of_one_category_is_a_billable_code_too(store: Store, code: str) -> None:
    entry = store.get("icd-10-cm", code)
    assert entry is not None and entry.billable and entry.display and not entry.children


@pytest.mark.parametrize(
    ("code", "day", "valid"),
    [
        ("I10", date(2022, 10, 1), True),
        ("G20", date(2023, 9, 30), True),
        ("G20", date(2023, 10, 1), False),
        ("G20.A1", date(2023, 9, 30), False),
        ("G20.A1", date(2023, 10, 1), True),
        ("I42.0", date(2026, 9, 30), True),
        ("I42.0", date(2026, 10, 1), False),
        ("I42.01", date(2026, 10, 1), True),
    ],
)
def test_a_code_is_valid_in_its_editions(store: Store, code: str, day: date, valid: bool) -> None:
    row = store.row("icd-10-cm", code)
    assert row is not None
    assert bool(store.valid(store.day(day))[row]) is valid


def test_days_outside_all_editions_go_to_the_nearest(store: Store) -> None:
    assert not store.covers(date(2018, 1, 1)) and store.day(date(2018, 1, 1)) == 20221001
    assert not store.covers(date(2040, 1, 1))


def test_hierarchy_and_prefix(store: Store) -> None:
    fracture = store.get("icd-10-cm", "S72.001A")
    assert fracture is not None
    assert fracture.parent == "S72.001" and fracture.billable
    title = "Fracture of unspecified part of neck of right femur, initial encounter for closed fracture"
    assert fracture.display == title
    stem = store.get("icd-10-cm", "S72.001")
    assert stem is not None and not stem.billable and "S72.001B" in stem.children
    codes = [store.code(r) for r in store.prefix("icd-10-cm", "e11.3")]
    assert codes[0] == "E11.3" and all(c.startswith("E11.3") for c in codes)
    category = store.get("icd-10-cm", "E11")
    assert category is not None and category.parent == "E08-E13"


def test_notes_of_the_tabular(store: Store) -> None:
    diabetes = store.get("icd-10-cm", "E11")
    assert diabetes is not None
    assert {"includes", "use_additional_code", "excludes1"} <= set(diabetes.notes)
    essential = store.get("icd-10-cm", "I10")
    assert essential is not None and "high blood pressure" in " ".join(essential.notes["includes"])
    stem = store.get("icd-10-cm", "S72")
    assert stem is not None and stem.notes["seventh_character"][0].startswith("A: initial encounter")


def test_every_row_has_a_source(store: Store) -> None:
    for system, code in (("icd-10-cm", "I10"), ("icd-10-pcs", "0DTJ0ZZ")):
        entry = store.get(system, code)
        assert entry is not None and entry.source


def test_unknown_systems_and_codes(store: Store) -> None:
    assert store.get("icd-10-cm", "Z99.999") is None
    with pytest.raises(InputError, match="unknown code system 'snomed'"):
        store.get("snomed", "1")

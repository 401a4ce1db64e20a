"""CMS-HCC V28: the index's categories against an independent calculation over the same tables."""

from __future__ import annotations

import random
from datetime import date
from functools import cache

import pytest
from hccinfhir import Demographics, HCCInFHIR

from codeassist.note import Patient
from codeassist.rules.case import Case
from codeassist.rules.encounter import CodedLine, Encounter
from codeassist.rules.families.hcc import check_hcc
from codeassist.terminology.store import Store


@cache
def calculator(year: int) -> HCCInFHIR:
    return HCCInFHIR(
        model_name="CMS-HCC Model V28",
        dx_cc_mapping_filename=f"ra_dx_to_cc_{year}.csv",  # type: ignore[arg-type]
    )


def kept(store: Store, rows: list[int], year: int, age: float, sex: str) -> set[str]:
    """The categories left after the hierarchies."""
    present = store.hcc.counting({c for found in store.hcc.categories(rows, year, age, sex) for c in found})
    dropped = {below for c in present for below in store.hcc.below(c)}
    return {str(c) for c in present - dropped}


def plain_and_edited(
    store: Store, rows: list[int], year: int, age: float, sex: str
) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    return store.hcc.categories(rows, year), store.hcc.categories(rows, year, age, sex)


@pytest.mark.parametrize("year", [2025, 2026, 2027])
def test_categories_edits_and_hierarchies_are_the_calculators(store: Store, year: int) -> None:
    low, high = store.system_range("icd-10-cm")
    day = (year - 1) * 10000 + 101
    rows = [r for r in range(low, high) if store.valid(day)[r]]
    mapped = [r for r, found in zip(rows, store.hcc.categories(rows, year), strict=True) if found]
    assert 7000 < len(mapped) < 9000
    rng = random.Random(year)
    for _ in range(400):
        chosen = rng.sample(mapped, 8) + rng.sample(rows, 4)
        age, sex = rng.choice([0, 10, 30, 49, 50, 64, 70, 90]), rng.choice(["M", "F"])
        person = Demographics(age=age, sex=sex, dual_elgbl_cd="00", orec="0", crec="0")  # type: ignore[arg-type]
        keys = [store.key[r].decode() for r in chosen]
        if any(len(a) == 2 and a != b for a, b in zip(*(plain_and_edited(store, chosen, year, age, sex)), strict=True)):
            continue  # the calculator takes only one of two categories from a diagnosis that an edit makes invalid
        expected = set(calculator(year).calculate_from_diagnosis(keys, person).hcc_list)
        assert kept(store, chosen, year, age, sex) == expected, (keys, age, sex)


def test_services_of_a_year_count_for_the_next(store: Store) -> None:
    table = store.hcc
    assert table.years == (2025, 2026, 2027)
    assert table.payment_year(20240101) == 2025
    assert table.payment_year(20251231) == 2026
    assert table.payment_year(20260601) == 2027
    assert table.payment_year(20221001) == 2025, "the nearest one held"
    assert table.payment_year(20270331) == 2027, "the nearest one held"


def test_every_category_has_a_label(store: Store) -> None:
    low, high = store.system_range("icd-10-cm")
    found = {c for year in store.hcc.years for of in store.hcc.categories(range(low, high), year) for c in of}
    assert len(found) == 115
    assert all(store.hcc.label(c) for c in found)
    assert store.hcc.label(3) == store.hcc.label(9999) == ""


def message(store: Store, *codes: str, day: date = date(2026, 6, 1)) -> str:
    lines = tuple(CodedLine("icd-10-cm", code) for code in codes)
    (finding,) = check_hcc(Case(Encounter(lines, "outpatient", day, Patient(70, "F")), store))
    return finding.message


def test_a_dropped_category_says_by_which(store: Store) -> None:
    assert message(store, "E11.9", "E11.22") == (
        "CMS-HCC V28, payment year 2027: E11.9 HCC 38 Diabetes with Glycemic, Unspecified, or No Complications "
        "(dropped: HCC 37 stands above it); E11.22 HCC 37 Diabetes with Chronic Complications"
    )


def test_a_code_newer_than_the_tables_is_named(store: Store) -> None:
    low, high = store.system_range("icd-10-cm")
    newest = next(r for r in range(low, high) if store.first[r] > store.hcc.complete_until and store.billable[r])
    code = store.code(newest)
    assert message(store, "E11.9", code, day=date(2026, 11, 1)).endswith(f"newer than the table: {code}")


def test_an_assist_device_counts_only_beside_heart_failure(store: Store) -> None:
    assert message(store, "Z95.811").endswith("(counts only beside a category of heart failure)")
    assert "(" not in message(store, "Z95.811", "I50.22").split("HCC 223")[1].split(";")[0]

"""The tables of knowledge name codes that exist."""

from __future__ import annotations

import pytest

from codeassist.errors import CodeassistError
from codeassist.rules.combinations import combinations
from codeassist.rules.families.combination import RULES
from codeassist.rules.family import read_rules
from codeassist.rules.integral import integral_table
from codeassist.rules.tables import read_table
from codeassist.terminology.store import Store


def diagnoses(store: Store, prefix: str) -> range:
    return store.prefix("icd-10-cm", prefix)


def test_combinations_name_codes_and_replace_their_own_parts(store: Store) -> None:
    for c in combinations("rules"):
        assert store.row("icd-10-cm", c.key) is not None, c.key
        assert c.rule in RULES, c
        prefixes = [p for part in c.parts for p in part]
        assert all(diagnoses(store, p) for p in (*prefixes, *c.standing, *c.replaces)), c
        assert all(any(r.startswith(p) or p.startswith(r) for p in prefixes) for r in c.replaces), c


def test_longer_combinations_come_first() -> None:
    table = combinations("rules")
    for i, c in enumerate(table):
        for later in table[i + 1 :]:
            covered = all(any(set(part) <= set(other) for other in later.parts) for part in c.parts)
            assert not (covered and len(later.parts) > len(c.parts)), (c.parts, later.parts)


def test_integral_symptoms_and_their_conditions_exist_and_none_is_its_own(store: Store) -> None:
    for symptoms, conditions in integral_table("rules"):
        assert all(diagnoses(store, p) for p in (*symptoms, *conditions)), (symptoms, conditions)
        assert not set(symptoms) & set(conditions)


def test_services_run_upwards_and_the_diagnoses_that_support_them_exist(store: Store) -> None:
    for services, prefixes, what in read_table("supports", 3):
        for span in services.split():
            first, _, last = span.partition("-")
            assert len(first) == 5 and first <= (last or first) and first[0] == (last or first)[0], span
        assert prefixes == "*" or all(diagnoses(store, p) for p in prefixes.split("|")), services
        assert what


@pytest.mark.parametrize(("table", "columns"), [("confirmed", 4), ("weight_diagnoses", 1)])
def test_prefixes_exist(store: Store, table: str, columns: int) -> None:
    for prefixes, *_ in read_table(table, columns):
        assert all(diagnoses(store, p) for p in prefixes.split("|")), prefixes


def test_a_line_with_a_column_too_few_is_named() -> None:
    with pytest.raises(CodeassistError, match=r"supports.tsv line \d+: 2 columns, not 3"):
        read_table("supports", 2)
    assert read_rules("combination")

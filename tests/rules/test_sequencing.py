"""The proposed order of codes: ``orders.tsv``, and what holds of every proposal."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codeassist.rules.case import Case
from codeassist.rules.reading import encounter_from_arguments
from codeassist.rules.sequence_table import expand, kind_of, marks_of, table
from codeassist.rules.sequencing import propose_order
from codeassist.rules.tables import read_table
from codeassist.terminology.store import Store, normal_key

ORDERS = [
    line.split("\t")
    for line in (Path(__file__).parent / "orders.tsv").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


def case(store: Store, codes: list[str], facts: str = "-") -> Case:
    given_facts = dict(f.split("=") for f in facts.split() if f != "-")
    age = given_facts.pop("age", None)
    record = {"date_of_service": "2026-06-01", "age": float(age) if age else None, **given_facts}
    return Case(encounter_from_arguments(codes, store, record), store)


@pytest.mark.parametrize(("codes", "facts", "expected", "source"), ORDERS, ids=[f"{o[3]}: {o[0]}" for o in ORDERS])
def test_order(store: Store, codes: str, facts: str, expected: str, source: str) -> None:
    proposed = propose_order(case(store, codes.split(), facts))
    assert [code for code, _ in proposed] == expected.split(), proposed
    assert all(reason for _, reason in proposed)


def test_the_codes_of_the_orders_are_in_force(store: Store) -> None:
    for codes, facts, *_ in ORDERS:
        assert [line.code for line in case(store, codes.split(), facts).lines if not line.valid] == []


CODES = sorted({word.partition("/")[0] for order in ORDERS for word in order[0].split()})


@settings(max_examples=300, deadline=None)
@given(codes=st.lists(st.sampled_from(CODES), max_size=25), setting=st.sampled_from(["inpatient", "outpatient"]))
def test_a_proposal_is_a_permutation_that_a_second_one_leaves_as_it_is(
    store: Store, codes: list[str], setting: str
) -> None:
    first = case(store, codes, f"setting={setting}")
    once = [code for code, _ in propose_order(first)]
    assert Counter(once) == Counter(line.code for line in first.lines)
    system = {line.code: line.system for line in first.lines}
    again = [code for code, _ in propose_order(case(store, [f"{system[c]}:{c}" for c in once], f"setting={setting}"))]
    assert again == once


def test_reasons_name_the_other_code_and_the_guideline(store: Store) -> None:
    reasons = dict(propose_order(case(store, ["N39.0", "A41.9", "I10"], "setting=inpatient")))
    assert reasons["A41.9"] == "before N39.0: the systemic infection comes before the localized one (I.C.1.d.4)"
    assert reasons["N39.0"] == "after A41.9: the systemic infection comes before the localized one (I.C.1.d.4)"
    assert reasons["I10"] == "in the order given (III)"


def test_every_code_of_the_tables_is_in_the_release(store: Store) -> None:
    rows = [(r[2], r[3]) for r in read_table("sequence_before", 6)]
    cells = [cell for pair in rows for cell in pair] + [r[1] for r in read_table("sequence_ranks", 4)]
    cells += [r[1] for r in read_table("sequence_sets", 3) if not r[0].startswith("delivery-")]
    for cell in cells:
        for word in cell.split():
            if not word.startswith("@"):
                assert any(len(store.prefix("icd-10-cm", p)) for p in expand(word)), word
            for end in word.split("-"):
                if not word.startswith("@") and "?" not in word:
                    assert len(store.prefix("icd-10-cm", normal_key(end))), word


def test_no_two_lines_of_the_table_contradict_each_other() -> None:
    """Where one line puts A before B, none puts B before A, unless by presence on admission."""
    keys = {normal_key(c) for c in CODES}
    constraints = table().constraints
    for a in keys:
        for b in keys:
            there, back = marks_of(a).left & marks_of(b).right, marks_of(b).left & marks_of(a).right
            both = (
                [c.when for n, c in enumerate(constraints) if there >> n & 1],
                [c.when for n, c in enumerate(constraints) if back >> n & 1],
            )
            if a < b and both[0] and both[1]:
                assert "not-poa" in (*both[0], *both[1]), (a, b)


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("T360X1A", "@poisoning"),
        ("T3691XA", "@poisoning"),
        ("T3695XA", "@adverse-effect"),
        ("T40415A", "@adverse-effect"),
        ("T465X6A", "@underdosing"),
        ("T5891XA", "@poisoning"),
        ("T402X1S", "@sequela"),
        ("S52501S", "@sequela"),
        ("S52501A", None),
        ("I10", None),
    ],
)
def test_kinds(key: str, kind: str | None) -> None:
    assert kind_of(key) == kind

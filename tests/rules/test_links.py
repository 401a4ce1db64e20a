"""Diagnoses proposed for services."""

from __future__ import annotations

from datetime import date

import pytest

from codeassist.note import Note
from codeassist.result import Suggestion
from codeassist.rules.case import Case
from codeassist.rules.engine import RuleEngine
from codeassist.rules.families.necessity import MOST_LINKS, propose_links, supporting
from codeassist.rules.reading import encounter_from_arguments
from codeassist.terminology.store import Store


@pytest.mark.parametrize(
    ("codes", "links"),
    [
        ("E11.9 I10 cpt:83036", {2: ("E11.9",)}),
        ("E11.9 I10 cpt:99213", {2: ("E11.9", "I10")}),
        ("M17.12 M17.11 cpt:20610-RT", {2: ("M17.11",)}),
        ("I10 cpt:69210", {1: ("I10",)}),
        ("I10 E11.9 cpt:69210", {}),
        ("Z00.00 Z12.31 hcpcs:G0439 cpt:77067", {2: ("Z00.00",), 3: ("Z12.31",)}),
        ("S52.501A W19.XXXA cpt:73110", {2: ("S52.501A",)}),
        ("I10 E11.9 cpt:99213=I10", {}),
        ("cpt:99213", {}),
    ],
)
def test_proposed_links(store: Store, codes: str, links: dict[int, tuple[str, ...]]) -> None:
    assert propose_links(Case(encounter_from_arguments(codes.split(), store, {}), store)) == links


def test_no_service_gets_more_links_than_a_claim_takes(store: Store) -> None:
    codes = "I10 E11.9 E78.5 N18.31 K21.9 E03.9 cpt:99214"
    links = propose_links(Case(encounter_from_arguments(codes.split(), store, {}), store))
    assert links[6] == ("I10", "E11.9", "E78.5", "N18.31")
    assert len(links[6]) == MOST_LINKS


def test_the_narrowest_range_decides() -> None:
    assert "Z720" in supporting("99407")
    assert supporting("99404") == ("",)
    assert supporting("00000") == ()


def test_suggested_services_are_linked(store: Store) -> None:
    suggestions = tuple(
        Suggestion(system, code, code, 0.9, rank, "code")  # type: ignore[arg-type]
        for rank, (system, code) in enumerate(
            [("icd-10-cm", "E11.9"), ("icd-10-cm", "I10"), ("cpt", "83036"), ("cpt", "99213")], 1
        )
    )
    note = Note("Diabetes.", date_of_service=date(2026, 6, 1))
    findings, linked = RuleEngine(store).review(note, suggestions, {})
    assert [s.diagnoses for s in linked] == [(), (), ("E11.9",), ("E11.9", "I10")]
    assert not [f for f in findings if f.rule.startswith("necessity.")]

"""Code lists with the findings that they must have."""

from __future__ import annotations

from datetime import date

from codeassist.rules.engine import RuleEngine
from codeassist.rules.reading import encounter_from_arguments
from codeassist.terminology.store import Store


def test_a_code_of_the_next_year_is_not_in_force_before(store: Store) -> None:
    day, later = store.valid(20260930), store.valid(20261001)
    low, high = store.system_range("icd-10-cm")
    new = next(r for r in range(low, high) if later[r] and not day[r])
    encounter = encounter_from_arguments([store.code(new)], store, {"date_of_service": "2026-09-30"})
    assert [f.rule for f in RuleEngine(store).check(encounter).findings] == ["validity.not-in-force"]


def test_a_date_outside_every_edition_is_said(store: Store) -> None:
    encounter = encounter_from_arguments(["I10"], store, {"date_of_service": "2018-01-15"})
    findings = RuleEngine(store).check(encounter).findings
    assert [(f.rule, f.level) for f in findings] == [("edition.date-of-service", "warning")]
    assert encounter.date_of_service == date(2018, 1, 15)


def test_external_causes_follow_the_injury(store: Store) -> None:
    encounter = encounter_from_arguments(["W19.XXXA", "S52.501A", "cpt:99213"], store, {})
    assert [c for c, _ in RuleEngine(store).check(encounter).sequence] == ["S52.501A", "W19.XXXA", "99213"]

"""Uncertain diagnoses with evidence as a note gives it."""

from __future__ import annotations

from typing import get_args

import pytest

from codeassist.note import Setting
from codeassist.result import Assertion, Evidence, Finding, Span, Status
from codeassist.rules.case import Case
from codeassist.rules.encounter import CodedLine, Encounter
from codeassist.rules.families.uncertain import check_uncertain
from codeassist.terminology.store import Store

NOTE = "Assessment: probable pneumonia."


def findings(store: Store, code: str, statuses: list[Status], setting: Setting = "outpatient") -> list[Finding]:
    start = NOTE.index("pneumonia")
    cue = Span(12, 20, NOTE[12:20])
    evidence = tuple(
        Evidence(start, start + 9, "pneumonia", "assessment", Assertion(s, None if s == "present" else cue))
        for s in statuses
    )
    line = CodedLine("icd-10-cm", code, evidence=evidence)
    return list(check_uncertain(Case(Encounter((line,), setting, text=NOTE), store)))


def test_the_finding_quotes_the_cue_and_names_what_to_do(store: Store) -> None:
    (finding,) = findings(store, "J18.9", ["possible"])
    assert (finding.rule, finding.level, finding.codes) == ("uncertain.outpatient", "error", ("J18.9",))
    assert '("probable": "pneumonia")' in finding.message
    assert finding.fix is not None and "sign, symptom" in finding.fix


@pytest.mark.parametrize(
    ("code", "reference", "instead"),
    [
        ("B20", "I.C.1.a", "Z20.6"),
        ("A92.5", "I.C.1.f", "Z20.821"),
        ("U07.1", "I.C.1.g", "Z20.822"),
        ("J10.1", "I.C.10.c", "J11"),
    ],
)
def test_what_must_be_confirmed_is_an_error_in_every_setting(
    store: Store, code: str, reference: str, instead: str
) -> None:
    for setting in get_args(Setting):
        (finding,) = findings(store, code, ["possible"], setting)
        assert finding.rule == "uncertain.confirmed-only"
        assert reference in finding.reference
        assert finding.fix is not None and instead in finding.fix


@pytest.mark.parametrize("statuses", [["present"], ["possible", "present"], ["historical"], ["negated", "present"], []])
def test_one_certain_mention_is_enough(store: Store, statuses: list[Status]) -> None:
    assert findings(store, "J18.9", statuses) == []


def test_a_stay_codes_what_is_uncertain_at_discharge(store: Store) -> None:
    assert findings(store, "J18.9", ["possible"], "inpatient") == []

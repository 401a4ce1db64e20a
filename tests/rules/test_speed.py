"""How long the rules take for a claim of 25 codes.

The bar is an absolute time, and is held by ``make bars`` on a machine that does nothing else. Everywhere else the same
time is compared with that of the tokenizer over 400 words, measured in the same breath.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import pytest
import spacy

from codeassist.rules.case import Case
from codeassist.rules.encounter import Encounter
from codeassist.rules.engine import RuleEngine
from codeassist.rules.reading import encounter_from_record
from codeassist.rules.registry import FAMILIES
from codeassist.terminology.store import Store

BAR = 0.002
"""Seconds for 25 codes, all families and the order."""
MOST_TOKENIZERS = 15
"""The same as a multiple of the tokenizer's time over 400 words, with room for a machine that is not quiet."""
NOTE = (
    "72-year-old man admitted with progressive dyspnea, orthopnea and leg edema; BNP 1,840 pg/mL, EF 30%. Started on "
    "IV furosemide 40 mg b.i.d. with good diuresis. Creatinine rose from 1.4 to 2.1, then fell to 1.6 by day 4. "
)
TEXT = " ".join((NOTE * 12).split()[:400])

STAY = (
    "I13.0/Y I50.23/Y N18.4/Y N17.9/N E11.22/Y J96.01/Y J44.1/Y I48.20/Y I25.10/Y D63.1/Y E87.1/Y E87.6/N E66.9/Y "
    "Z68.35 G47.33/Y F17.210/Y K21.9/Y E78.5/Y Z79.4 Z79.01 Z95.1 I25.2 02HV33Z 5A09357 B2111ZZ"
)
VISIT = (
    "E11.22 E11.42 E11.319 N18.31 I12.9 M25.562 M17.12 G43.009 J45.40 E78.5 E66.9 Z68.35 Z79.4 Z79.84 F17.210 K21.9 "
    "G47.33 Z23 99214-25 20610-LT 90471 90658 36415 83036 80053"
)
PATIENT = {"age": 72, "sex": "M"}


def stay() -> dict[str, Any]:
    words = [word.partition("/") for word in STAY.split()]
    codes = [{"code": code, "poa": poa or None} for code, _, poa in words]
    return {"setting": "inpatient", "date_of_service": "2026-03-02", "patient": PATIENT, "codes": codes, "text": TEXT}


def visit() -> dict[str, Any]:
    codes: list[dict[str, Any]] = []
    for word in VISIT.split():
        code, _, modifier = word.partition("-")
        service = code.isdigit()
        links = ["E11.22", "N18.31", "I12.9", "M25.562"] if service else []
        codes.append(
            {"code": code, "modifiers": [modifier] if modifier else [], "diagnoses": links}
            if service
            else {"code": code}
        )
    return {"date_of_service": "2026-03-02", "patient": PATIENT, "codes": codes, "text": TEXT}


CLAIMS = {"stay": stay, "visit": visit}


@pytest.fixture(params=CLAIMS)
def encounter(request: pytest.FixtureRequest, store: Store) -> Encounter:
    return encounter_from_record(CLAIMS[request.param](), store)


def taken(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def test_the_claims_are_25_codes_that_are_in_force(encounter: Encounter, store: Store) -> None:
    case = Case(encounter, store)
    assert len(case.lines) == 25
    assert [line.code for line in case.lines if not line.valid] == []
    assert len(TEXT.split()) == 400


def test_25_codes_against_the_tokenizer(encounter: Encounter, store: Store) -> None:
    engine, tokenizer = RuleEngine(store), spacy.blank("en").tokenizer
    engine.check(encounter)
    tokenizer(TEXT)
    tried = []
    for _ in range(5):
        pairs = [(taken(lambda: engine.check(encounter)), taken(lambda: tokenizer(TEXT))) for _ in range(60)]
        checked, tokenized = (statistics.median(times) for times in zip(*pairs, strict=True))
        if checked < MOST_TOKENIZERS * tokenized:
            return
        tried.append(round(checked / tokenized, 1))
    pytest.fail(f"25 codes take {tried} times as long as 400 words in the tokenizer")


@pytest.mark.bars
def test_25_codes_under_the_bar(encounter: Encounter, store: Store) -> None:
    engine = RuleEngine(store)
    engine.check(encounter)
    seconds = statistics.median(taken(lambda: engine.check(encounter)) for _ in range(300))
    print(f"\nall rules, 25 codes: {seconds * 1000:.3f} ms (bar {BAR * 1000:.0f} ms)")
    for family in FAMILIES.values():
        cases = [Case(encounter, store) for _ in range(60)]
        each = statistics.median(taken(lambda case=case, family=family: list(family.check(case))) for case in cases)  # type: ignore[misc]
        print(f"  {family.name:<20} {each * 1e6:7.1f} µs, from a case that nobody has read yet")
    assert seconds < BAR

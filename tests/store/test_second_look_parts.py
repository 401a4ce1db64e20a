"""What is computed of two codings, and of final codes: no database."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from api.reviews.agreement import kappa, scores
from api.reviews.claims import LINES, claim
from api.reviews.coding import Coding, Line
from api.reviews.comparison import adjudicate, compare
from api.reviews.confidence import band_of, confidence
from api.reviews.final import read_line, write_line

MANY = """E11.00 E11.01 E11.10 E11.11 E11.21 E11.22 E11.29 E11.311 E11.319 E11.36 E11.39 E11.40 E11.41 E11.42 E11.43
    E11.44 E11.49 E11.51 E11.52 E11.59 E11.610 E11.618 E11.620""".split()
CODES = ["E11.9", "E11.65", "I10", "I50.9", "Z79.84", "J45.909"]


def line(code: str, system: str = "icd-10-cm", **more: Any) -> Line:
    return Line(system, code, code, "added", **more)


def coding(*lines: Line) -> Coding:
    return Coding({}, lines)


codings = st.lists(
    st.tuples(st.sampled_from(CODES), st.sampled_from([None, "Y", "N"])), unique_by=lambda item: item[0], max_size=6
).map(lambda items: coding(*(line(code, poa=poa) for code, poa in items)))


@given(codings, codings)
def test_all_verdicts_for_the_auditor_give_the_auditors_codes(coder: Coding, auditor: Coding) -> None:
    found = compare(coder, auditor)
    settled = adjudicate(coder, auditor, [(d, "auditor") for d in found.differences])
    assert {x.key: x.poa for x in settled} == {x.key: x.poa for x in auditor.lines}
    both = {x.key for x in coder.lines} & {x.key for x in auditor.lines}
    assert [x.key for x in settled if x.key in both] == [x.key for x in auditor.lines if x.key in both]


@given(codings, codings)
def test_no_verdict_for_the_auditor_leaves_the_coders(coder: Coding, auditor: Coding) -> None:
    found = compare(coder, auditor)
    assert adjudicate(coder, auditor, [(d, "both") for d in found.differences]) == coder.lines
    assert found.exact == ([(x.key, x.poa) for x in coder.lines] == [(x.key, x.poa) for x in auditor.lines])
    assert (found.agreed + found.extra, found.agreed + found.missed) == (len(coder.lines), len(auditor.lines))


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_kappa_is_that_of_scikit_learn(said: list[tuple[bool, bool]]) -> None:
    first, second = [a for a, _ in said], [b for _, b in said]
    both, one = sum(a and b for a, b in said), sum(a and not b for a, b in said)
    other = sum(b and not a for a, b in said)
    mine = kappa(both, one, other, len(said) - both - one - other)
    if len({*first, *second}) == 1:
        assert mine is None
    else:
        assert mine == pytest.approx(cohen_kappa_score(first, second), abs=1e-4)


def test_scores_of_nothing() -> None:
    assert scores(0, 0, 0) == {"precision": None, "recall": None, "f1": None}


def test_confidence_and_its_bands() -> None:
    sure = [{"tier": "code", "probability": 1.0}]
    assert confidence(sure) == 1.0 and confidence([]) == 0.0
    assert confidence([{"tier": "candidate", "probability": 0.9}]) == 0.0
    assert confidence([*sure, {"tier": "candidate", "probability": 0.9}]) < 0.8
    assert [band_of(x) for x in (0.0, 0.6, 1.0)] == ["low", "medium", "high"]


def test_a_line_is_kept_whole() -> None:
    kept = line("99213", "cpt", modifiers=("25",), units=2, diagnoses=("I10",), evidence=({"start": 0},), poa="Y")
    assert read_line(write_line(kept)) == kept


def test_a_professional_claim_at_its_limits() -> None:
    diagnoses = [line(code) for code in MANY[:14]]
    visit = line("99213", "cpt", modifiers=tuple("25 59 LT RT 76".split()), diagnoses=("E11.42", "E11.01"))
    many = line("20610", "cpt", diagnoses=tuple(d.code for d in diagnoses[:5]), units=3)
    made = claim([*diagnoses, visit, many, line("0016070", "icd-10-pcs")], "professional", False, None, [])
    (hi, *services) = made.segments
    assert hi.startswith("HI*ABK:E1100*ABF:E1101*") and hi.count("ABF") == 11
    assert services == ["SV1*HC:99213:25:59:LT:RT**UN*1***2", "SV1*HC:20610**UN*3***1:2:3:4"]
    told = " ".join(made.warnings)
    assert all(left in told for left in ("E11.41, E11.42 did not fit", "76", "linked to E11.42", "0016070"))


def test_an_institutional_claim_of_an_inpatient() -> None:
    lines = [
        line("I21.4", poa="Y"),
        line("W18.30XA", poa="Y"),
        line("I10", poa="N"),
        line("Z79.84", poa="1"),
        *(line(code, poa="U") for code in MANY),
        line("0016071", "icd-10-pcs"),
        line("0016072", "icd-10-pcs"),
        line("99223", "cpt"),
    ]
    made = claim(lines, "institutional", True, "R07.9", [])
    assert made.segments[:3] == ["HI*ABK:I214:::::::Y", "HI*ABJ:R079", "HI*ABN:W1830XA:::::::Y"]
    others = [s for s in made.segments if s.startswith("HI*ABF")]
    assert [s.count("ABF") for s in others] == [12, 12]
    assert others[0].startswith("HI*ABF:I10:::::::N*ABF:Z7984*ABF:E1100:::::::U")
    assert made.segments[-2:] == ["HI*BBR:0016071", "HI*BBQ:0016072"]
    told = " ".join(made.warnings)
    assert "E11.620 did not fit" in told and "99223" in told and "dates of the procedures" in told
    assert "admitting" not in told


def test_an_institutional_claim_of_an_outpatient_has_service_lines_without_revenue_codes() -> None:
    visit = line("99284", "cpt", modifiers=tuple("25 57 59 76 77".split()), diagnoses=("R07.9",))
    many = [line(f"9{n:04}", "cpt", units=2) for n in range(LINES["institutional"])]
    lines = [line("R07.9"), line("W18.30XA"), line("0016070", "icd-10-pcs"), visit, *many]
    made = claim(lines, "institutional", False, None, ["R07.89"])
    assert made.segments[:5] == [
        "HI*ABK:R079",
        "HI*APR:R0789",
        "HI*ABN:W1830XA",
        "SV2**HC:99284:25:57:59:76**UN*1",
        "SV2**HC:90000**UN*2",
    ]
    assert len(made.services) == LINES["institutional"] and not any(s.pointers for s in made.services)
    told = " ".join(made.warnings)
    assert "SV201" in told and "0016070 did not fit" in told and "90998 did not fit" in told and "77 did not" in told


def test_a_claim_of_nothing_and_of_an_external_cause_alone_says_so() -> None:
    assert claim([], "professional", False, None, []).warnings == ("There is no diagnosis: a claim needs one.",)
    assert "external cause" in claim([line("W18.30XA")], "institutional", True, None, []).warnings[0]

"""Code lists with the findings that they must have: ``cases/<family>.tsv``.

Columns: codes as ``codeassist codes check`` takes them; facts (``setting=inpatient age=3 sex=F date=2026-03-02``, and
``text=Pain_in_the_left_{M25.569:knee}`` for a note with the words that support a code, ``{J18.9?:pneumonia}`` where the
note calls it possible and ``{J18.9!:pneumonia}`` where it denies it; ``section=hpi`` is where they stand);
the findings of the family, ``rule`` or ``rule@CODE+CODE``, divided by blanks, or ``-`` for none; the source.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from codeassist.result import Assertion, Evidence
from codeassist.rules.case import Case
from codeassist.rules.encounter import Encounter
from codeassist.rules.reading import encounter_from_arguments
from codeassist.rules.registry import FAMILIES
from codeassist.terminology.store import Store

FOLDER = Path(__file__).parent / "cases"


def read(family: str) -> list[tuple[str, str, str, str]]:
    lines = (FOLDER / f"{family}.tsv").read_text(encoding="utf-8").splitlines()
    rows = [tuple(line.split("\t")) for line in lines if line and not line.startswith("#")]
    assert all(len(r) == 4 and r[3] for r in rows), [r for r in rows if len(r) != 4 or not r[3]]
    return rows  # type: ignore[return-value]


WRITTEN = sorted(p.stem for p in FOLDER.glob("*.tsv"))
CASES = [(family, *row) for family in WRITTEN for row in read(family)]


@pytest.mark.parametrize(
    ("family", "codes", "facts", "expected", "source"), CASES, ids=[f"{c[0]}: {c[1]}" for c in CASES]
)
def test_findings(store: Store, family: str, codes: str, facts: str, expected: str, source: str) -> None:
    given = dict(f.split("=", 1) for f in facts.split())
    encounter = encounter_from_arguments(
        codes.split(),
        store,
        {
            "setting": given.get("setting", "outpatient"),
            "date_of_service": given.get("date", "2026-06-01"),
            "age": float(given["age"]) if "age" in given else None,
            "sex": given.get("sex"),
        },
    )
    encounter = with_note(encounter, given.get("text", ""), given.get("section", "assessment"))
    found = sorted({(f.rule.partition(".")[2], f.codes) for f in FAMILIES[family].check(Case(encounter, store))})
    wanted = [] if expected == "-" else expected.split()
    assert sorted(_named(*f, wanted) for f in found) == sorted(wanted), found


_MARK = re.compile(r"\{(?P<code>[^:{}?!]+)(?P<status>[?!]?):(?P<words>[^{}]+)\}")
_STATUS = {"": Assertion(), "?": Assertion("possible"), "!": Assertion("negated")}


def with_note(encounter: Encounter, marked: str, section: str) -> Encounter:
    """The encounter with the note and its evidence; underscores stand for blanks."""
    text, place = "", 0
    evidence: dict[str, list[Evidence]] = {}
    for match in _MARK.finditer(marked):
        text += marked[place : match.start()]
        place = match.end()
        words = match["words"].replace("_", " ")
        found = Evidence(len(text), len(text) + len(words), words, section, _STATUS[match["status"]])
        evidence.setdefault(match["code"], []).append(found)
        text += words
    text = (text + marked[place:]).replace("_", " ")
    lines = tuple(replace(line, evidence=tuple(evidence.get(line.code, ()))) for line in encounter.codes)
    return replace(encounter, codes=lines, text=text)


def _named(rule: str, codes: tuple[str, ...], wanted: list[str]) -> str:
    full = f"{rule}@{'+'.join(codes)}"
    return full if full in wanted else rule


def test_every_family_has_cases_and_every_rule_is_expected_somewhere() -> None:
    assert set(WRITTEN) == set(FAMILIES)
    for family in WRITTEN:
        expected = {e.partition("@")[0] for _, _, wanted, _ in read(family) for e in wanted.split()} - {"-"}
        assert expected == set(FAMILIES[family].rules), family

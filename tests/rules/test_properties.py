"""Whatever codes come in, valid or mangled: an answer, about these codes and no others, or a clear refusal."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from codeassist.errors import InputError
from codeassist.note import SETTINGS
from codeassist.result import SYSTEMS
from codeassist.rules.engine import RuleEngine
from codeassist.rules.family import LEVELS
from codeassist.rules.reading import encounter_from_arguments, encounter_from_record, review_record
from codeassist.rules.registry import FAMILIES
from codeassist.terminology.store import Store, normal_key

RULES = {rule.id for family in FAMILIES.values() for rule in family.rules.values()}
TOUCHY = (
    "E11.22 E11.9 E10.9 N18.31 I12.9 I10 I13.0 I50.23 G30.9 F02.80 S52.501A S52.501D W19.XXXA Y92.009 T36.0X5A "
    "T40.1X1A O80 O24.410 O09.511 Z37.0 Z3A.39 P07.30 Z38.00 Z00.00 Z00.129 Z12.11 Z51.11 C50.911 C78.01 Z85.3 "
    "A41.9 R65.20 J96.01 R05.9 U07.1 Z20.822 N40.1 N80.00 B96.20 B95.61 I21.4 I25.2 E66.9 Z68.35 F17.210 Z79.4 "
    "M80.051A 0DTJ4ZZ 02HV33Z 10E0XZZ 99213 99214 99285 G0439 20610 45378 45380 36415 93000 71046 80053 "
    "90471 J1100 L3908 E1130"
).split()
ODD = ("🩺", "İ10", "ß10", "٣٤٥", "chapter 9", "A00-A09", "%s", "{}", "\\", "-", "X", "0" * 20)


@st.composite
def codes(draw: st.DrawFn, rows: int) -> str | int:
    """A row of the store, a code that rules are about, or something mangled."""
    kind = draw(st.integers(0, 9))
    if kind < 3:
        return draw(st.integers(0, rows - 1))
    code = draw(st.sampled_from(TOUCHY))
    if kind < 7:
        return code
    if kind == 7:
        return draw(st.sampled_from((code.lower(), code.replace(".", ""), f" {code[:2]} {code[2:]}\n", code[:-1])))
    if kind == 8:
        return draw(st.sampled_from((code + "X", code[:3], "." + code, code[::-1], *ODD)))
    return draw(st.text(st.characters(categories=("L", "N", "P", "S", "M")), min_size=1, max_size=21))


@st.composite
def records(draw: st.DrawFn, rows: int) -> dict[str, Any]:
    """An encounter with up to 30 codes; a whole number stands for the code in that row."""
    code = codes(rows)
    line = st.fixed_dictionaries(
        {"code": code},
        optional={
            "system": st.sampled_from((None, *SYSTEMS)),
            "poa": st.sampled_from((None, "Y", "N", "U", "W", "1", "y", "", "exempt", 1)),
            "modifiers": st.lists(st.sampled_from(("25", "59", "LT", "rt", "50", "26", "", "ZZ", "🩺")), max_size=5),
            "units": st.sampled_from((None, 1, 2, 99, 999_999_999)),
            "diagnoses": st.lists(code, max_size=5),
        },
    )
    return draw(
        st.fixed_dictionaries(
            {"codes": st.lists(line, max_size=30)},
            optional={
                "setting": st.sampled_from(SETTINGS),
                "date_of_service": st.dates(date(1, 1, 1), date(9999, 12, 31)).map(date.isoformat)
                | st.sampled_from(("2026-03-02", "2026-10-01", "2023-01-15")),
                "patient": st.fixed_dictionaries(
                    {},
                    optional={
                        "age": st.sampled_from((0, 0.01, 0.99, 1, 5, 17, 45, 90, 130, None)),
                        "sex": st.sampled_from(("M", "F", "unknown", None)),
                    },
                ),
                "text": st.sampled_from(("", "Seen today for hypertension.", "🩺\x00\n" * 9)),
            },
        )
    )


def named(record: dict[str, Any], store: Store) -> dict[str, Any]:
    """The record with the codes of its rows."""

    def code(value: str | int) -> str:
        return value if isinstance(value, str) else store.code(value)

    lines = [
        {**line, "code": code(line["code"])}
        | ({"diagnoses": [code(d) for d in line["diagnoses"]]} if "diagnoses" in line else {})
        for line in record["codes"]
    ]
    return {**record, "codes": lines}


@settings(max_examples=250, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
@example(data=None)
def test_any_list_of_codes(store: Store, data: st.DataObject | None) -> None:
    record = {"codes": []} if data is None else named(data.draw(records(len(store))), store)
    try:
        encounter = encounter_from_record(record, store)
    except InputError:
        return
    review = RuleEngine(store).check(encounter)
    given = [line.code for line in encounter.codes]
    assert [normal_key("".join(line["code"].split())) for line in record["codes"]] == [normal_key(c) for c in given]
    assert Counter(code for code, _ in review.sequence) == Counter(given), (
        "the order has each code as often as the list"
    )
    assert all(reason for _, reason in review.sequence)
    about = {*given, *(d for line in encounter.codes for d in line.diagnoses)}
    for finding in review.findings:
        assert finding.rule in RULES
        assert finding.level in LEVELS
        assert finding.message and finding.reference
        assert set(finding.codes) <= about, finding
    levels = [LEVELS.index(f.level) for f in review.findings]
    assert levels == sorted(levels)
    assert set(review.rules) == set(FAMILIES)
    json.dumps(review_record(review), allow_nan=False).encode()


@settings(max_examples=200, deadline=None, derandomize=True)
@given(words=st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=30), max_size=5))
def test_any_words(store: Store, words: list[str]) -> None:
    try:
        encounter = encounter_from_arguments(words, store, {"date_of_service": "2026-03-02"})
    except InputError:
        return
    assert len(RuleEngine(store).check(encounter).sequence) == len(words)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    record=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(("codes", "code", "system", "poa", "units", "modifiers", "patient", "age", "text")),
                inner,
                max_size=5,
            )
        ),
    )
)
def test_any_json(store: Store, record: Any) -> None:
    try:
        RuleEngine(store).check(encounter_from_record(record, store))
    except InputError:
        return

"""De-identification: what is found in marked notes, what stays, dates that keep their distance, offsets that move."""

from __future__ import annotations

import doctest
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

pytest.importorskip("presidio_analyzer", reason="needs the extra 'deidentify'")

from codeassist import cli
from training.deidentify import dates, kinds
from training.deidentify.dates import shifted
from training.deidentify.measure import measure, read_marked
from training.deidentify.records import Deidentifier
from training.deidentify.surrogates import Surrogates
from training.deidentify.texts import find_identifiers, rewrite

NOTES = Path(__file__).with_name("deid_notes.txt")
KEY = b"a key for tests, 32 bytes long.."
DAY = date(2026, 3, 2)
PARTS = ("gout of the knee", "Mr. Miller", "03/02/2026", "é🫀", "Dr. Anna Okafor", "x")
TEXT = "Mr. John Miller, seen 03/02/2026 and 03/09/2026. Miller has gout of the left knee. Call (312) 555-0148."


@pytest.fixture(scope="module", autouse=True)
def _commands_of_all_parts() -> None:
    cli.add_commands()


def test_recall_and_precision_on_marked_notes() -> None:
    scores, told = measure(read_marked(NOTES))
    assert scores["all"].marked > 100
    assert scores["all"].recall >= 0.97 and scores["all"].precision >= 0.97, told
    for kind in ("date", "age", "phone", "email", "url", "ssn", "number"):
        assert scores[kind].recall == 1, told


@pytest.mark.parametrize(
    "text",
    [
        "Parkinson disease, Crohn's disease, Bell palsy, Foley catheter, Graves disease, Wilson disease.",
        "Strength 5/5, murmur 2/6, BP 142/88, pain 7/10, L4-L5, 1/2 tablet, 3 of 12, T2N0M0, GFR 48, 2+ pulses.",
        "CT of the chest. Type 2 diabetes mellitus. Metformin 500 mg BID. The right knee may be infected.",
        "Pain Clinic, Emergency Department, Wound Clinic. Murphy sign positive. Swan-Ganz catheter. Apgar 8 and 9.",
        "85-year-old with an age of 85. Blood cultures 4/4 bottles. Onset 3 weeks ago, in 2019.",
    ],
)
def test_what_names_nobody_stays(text: str) -> None:
    assert [text[f.start : f.end] for f in find_identifiers(text)] == []


@pytest.mark.parametrize("module", [dates, kinds])
def test_the_examples_of_deidentification(module: Any) -> None:
    assert doctest.testmod(module).failed == 0


@settings(deadline=None)
@given(
    st.dates(date(2000, 1, 1), date(2025, 12, 31)),
    st.integers(-182, 182),
    st.sampled_from(("%m/%d/%Y", "%Y-%m-%d", "%B %d, %Y", "%d %b %Y", "%m-%d-%Y")),
)
def test_a_shifted_date_is_written_as_it_was(day: date, days: int, form: str) -> None:
    assume("%b" not in form.lower() or day.month != 5)  # "May" does not tell whether months are written in full
    assert shifted(day.strftime(form), days, DAY) == _like((day + timedelta(days)).strftime(form), day, form)


def _like(quote: str, was: date, form: str) -> str:
    """A day below ten keeps its zero only where the old one had it, but for a month that is written as a number."""
    if "%b" not in form.lower() or was.day < 10:
        return quote
    return quote.replace(" 0", " ").removeprefix("0")


def test_one_patient_has_one_name_and_intervals_stay() -> None:
    new = rewrite(TEXT, Surrogates(KEY, "p1"), DAY).text
    for gone in ("John", "Miller", "03/02/2026", "555-0148"):
        assert gone not in new
    name = new.split("seen")[0].split()[2].strip(",")
    assert f"{name} has gout" in new
    first, second = (
        date(int(d[6:]), int(d[:2]), int(d[3:5])) for d in (new.split("seen ")[1][:10], new.split("and ")[1][:10])
    )
    assert second - first == timedelta(7) and first.weekday() == DAY.weekday()
    assert rewrite(TEXT, Surrogates(KEY, "p1"), DAY).text == new
    assert rewrite(TEXT, Surrogates(KEY, "p2"), DAY).text != new
    assert rewrite(TEXT, Surrogates(b"another key of 16", "p1"), DAY).text != new


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.sampled_from(("gout of the knee", "Mr. Miller", "03/02/2026", "é🫀", "Dr. Anna Okafor", "x")), max_size=8
    )
)
def test_offsets_move_with_the_text(parts: list[str]) -> None:
    text = "; ".join(parts)
    made = rewrite(text, Surrogates(KEY, "p"), DAY)
    at = 0
    for part in parts:
        start, end = made.span(at, at + len(part))
        if part in ("gout of the knee", "é🫀", "x"):
            assert made.text[start:end] == part
        else:
            assert 0 <= start < end <= len(made.text) and part not in made.text[start:end]
        at += len(part) + 2
    assert made.span(0, len(text)) == (0, len(made.text))


def record(**more: Any) -> dict[str, Any]:
    start = TEXT.index("gout")
    return {
        "id": "MRN-00482913",
        "text": TEXT,
        "date_of_service": "2026-03-02",
        "patient": {"id": "00482913", "age": 93, "sex": "M"},
        "coder": "jane.doe",
        "attending": "Dr. Hidden",
        "codes": [
            {"system": "icd-10-cm", "code": "M10.9", "evidence": [{"start": start, "end": start + 4, "text": "gout"}]}
        ],
        "rejected": [{"system": "icd-10-cm", "code": "I10", "reason": "Miller has none"}],
        **more,
    }


def test_a_record_keeps_what_training_needs_and_nothing_else() -> None:
    made = Deidentifier(KEY)
    new, second = made(record()), made(record(id="MRN-2", text="John Miller is back.", codes=[]))
    flat = json.dumps([new, second])
    for gone in ("Miller", "00482913", "jane", "Hidden", "2026-03-02"):
        assert gone not in flat
    (span,) = new["codes"][0]["evidence"]
    assert new["text"][span["start"] : span["end"]] == "gout"
    assert new["patient"]["age"] == 90 and new["patient"]["sex"] == "M"
    assert new["patient"]["id"] == second["patient"]["id"] and new["date_of_service"] == second["date_of_service"]
    assert new["codes"][0]["code"] == "M10.9" and new["rejected"] == [{"system": "icd-10-cm", "code": "I10"}]
    assert new["id"] != second["id"] and new["coder"].startswith("coder-")


def test_documents_of_an_encounter() -> None:
    documents = [{"id": "jones-1", "text": "Mrs. Jones has asthma."}, {"id": "jones-2", "text": "Asthma, stable."}]
    evidence = [{"start": 15, "end": 21, "document": "jones-1"}, {"start": 0, "end": 6, "document": "jones-2"}]
    given = record(documents=documents, codes=[{"system": "icd-10-cm", "code": "J45.909", "evidence": evidence}])
    del given["text"]
    new = Deidentifier(KEY)(given)
    texts = {d["id"]: d["text"] for d in new["documents"]}
    quotes = [texts[e["document"]][e["start"] : e["end"]] for e in new["codes"][0]["evidence"]]
    assert quotes == ["asthma", "Asthma"] and "jones" not in json.dumps(new).lower()


def test_the_command(run: Any, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(json.dumps(record()) + "\n", encoding="utf-8")
    (tmp_path / "site.key").write_bytes(KEY)
    done = run("deidentify", "in.jsonl", "out.jsonl", "--key", "site.key")
    assert done.returncode == 0 and b"1 notes" in done.stdout and b"look at the result" in done.stderr
    first = (tmp_path / "out.jsonl").read_bytes()
    assert run("deidentify", "in.jsonl", "out.jsonl", "--key", "site.key").returncode == 0
    assert (tmp_path / "out.jsonl").read_bytes() == first


@pytest.mark.parametrize(
    ("line", "arguments", "message"),
    [
        ("{", ("in.jsonl", "out.jsonl"), "in.jsonl, line 1"),
        ('{"text": "a"}', ("in.jsonl", "out.jsonl"), "in.jsonl, line 1"),
        ("{}", ("in.jsonl", "in.jsonl"), "another file"),
        ("{}", ("in.jsonl", "out.jsonl", "--key", "short.key"), "16 are the least"),
        ("{}", ("in.jsonl", "out.jsonl", "--key", "none.key"), "can't be read"),
        ("{}", ("none.jsonl", "out.jsonl"), "none.jsonl"),
    ],
)
def test_bad_input(run_here: Any, tmp_path: Path, line: str, arguments: tuple[str, ...], message: str) -> None:
    (tmp_path / "in.jsonl").write_text(line, encoding="utf-8")
    (tmp_path / "short.key").write_bytes(b"short")
    done = run_here("deidentify", *arguments)
    assert done.returncode == 2 and message in done.stderr.decode()
    assert not (tmp_path / "out.jsonl").exists() and not (tmp_path / "out.jsonl.part").exists()

"""``codeassist codes check`` and ``codeassist codes rules`` as a site runs them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from codeassist import cli
from codeassist.rules.registry import FAMILIES
from codeassist.settings import settings

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
DAY = ("--date-of-service", "2026-03-02")
CLAIM = {
    "setting": "outpatient",
    "date_of_service": "2026-03-02",
    "patient": {"age": 61, "sex": "F"},
    "codes": [
        {"system": "icd-10-cm", "code": "w19.xxxa"},
        {"system": "icd-10-cm", "code": "S52.501A"},
        {"code": "E11.99"},
        {"system": "cpt", "code": "99213", "modifiers": ["25"], "units": 1, "diagnoses": ["S52501A"]},
    ],
}


def passed(done: subprocess.CompletedProcess[bytes]) -> str:
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def refused(done: subprocess.CompletedProcess[bytes], *words: str) -> None:
    message = done.stderr.decode()
    assert done.returncode == 2, message
    assert message.startswith("codeassist: ") and message.count("\n") == 1, "one line, and no traceback"
    for word in words:
        assert word in message
    assert not done.stdout


@pytest.fixture(scope="module", autouse=True)
def _commands_of_all_parts() -> None:
    cli.add_commands()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str | bytes], None]]:
    """Gives ``site(toml)``: this process has the settings of a site's file."""

    def set_up(toml: str | bytes) -> None:
        file = tmp_path / "site.toml"
        file.write_bytes(toml.encode() if isinstance(toml, str) else toml)
        monkeypatch.setenv("CODEASSIST_CONFIG", str(file))
        settings.cache_clear()

    yield set_up
    monkeypatch.undo()
    settings.cache_clear()


def check(run: Run, record: Any, *options: str) -> dict[str, Any]:
    done = run("codes", "check", "-", "--format", "json", *options, stdin=json.dumps(record).encode())
    review: dict[str, Any] = json.loads(passed(done))
    return review


def test_a_claim_from_standard_input(run: Run) -> None:
    review = check(run, CLAIM)
    assert review.keys() == {"findings", "sequence", "rules", "editions"}
    assert ["E11.99"] in [f["codes"] for f in review["findings"] if f["rule"] == "validity.unknown"]
    assert sorted(s["code"] for s in review["sequence"]) == ["99213", "E11.99", "S52.501A", "W19.XXXA"]
    assert review["rules"] == list(FAMILIES)


def test_words_say_the_same_as_json(run_here: Run) -> None:
    words = ("icd-10-cm:w19.xxxa", "S52.501A", "E11.99", "cpt:99213-25*1=S52501A")
    done = run_here("codes", "check", *words, *DAY, "--age", "61", "--sex", "F", "--format", "json")
    assert json.loads(passed(done)) == check(run_here, CLAIM)


def test_options_stand_in_for_what_the_record_leaves_out(run_here: Run) -> None:
    codes = [{"code": "I10"}]
    day = ("--date-of-service", "2018-01-15")
    rules = [f["rule"] for f in check(run_here, codes, *day)["findings"]]
    assert "edition.date-of-service" in rules
    rules = [f["rule"] for f in check(run_here, {"codes": codes, "date_of_service": "2026-03-02"}, *day)["findings"]]
    assert "edition.date-of-service" not in rules


def test_text_has_levels_fixes_and_references_and_the_status_is_0(run: Run) -> None:
    text = passed(run("codes", "check", "-", stdin=json.dumps(CLAIM).encode(), COLUMNS="40"))
    lines = text.splitlines()
    (unknown,) = [line for line in lines if "(validity.unknown)" in line]
    assert unknown.startswith("error: ") and "[E11.99]" in unknown
    at = next(i for i, line in enumerate(lines) if "(position.external-cause)" in line)
    assert lines[at + 1].startswith("  fix: ") and lines[at + 2].startswith("  from: ")
    assert f"checked: {', '.join(FAMILIES)}" in lines
    assert {line.split("  ")[0] for line in lines[-4:]} == {"1. S52.501A", "2. E11.99", "3. W19.XXXA", "4. 99213"}


def test_clean_codes_have_no_findings(run_here: Run) -> None:
    text = passed(run_here("codes", "check", "K21.9", *DAY))
    assert text.splitlines()[0] == "no findings"


@pytest.mark.parametrize(
    ("stdin", "words"),
    [
        (b"", ["not valid JSON"]),
        (b"{", ["not valid JSON"]),
        (b"[" * 100_000, ["not valid JSON"]),
        (b"caf\xe9", ["not UTF-8"]),
        (b"null", ["'codes'"]),
        (b'{"codes": {}}', ["'codes'"]),
        (b'{"codes": [5]}', ["code 1 of 1", "'code'"]),
        (b'["I10", {"code": " "}]', ["code 2 of 2", "empty"]),
        (b'["I10", {"code": "I10", "system": "icd-9"}]', ["code 2 of 2", "icd-9", "icd-10-cm"]),
        (b'[{"code": "\\ud83d"}]', ["printable"]),
        (b'[{"code": "99213", "units": 0}]', ["'units'"]),
        (b'[{"code": "99213", "units": true}]', ["'units'"]),
        (b'[{"code": "99213", "modifiers": "25"}]', ["'modifiers'"]),
        (b'[{"code": "99213", "diagnoses": [5]}]', ["'diagnoses'"]),
        (b'[{"code": "I10", "poa": {}}]', ["'poa'"]),
        (b'{"codes": [], "patient": {"age": NaN}}', ["'age'"]),
        (b'{"codes": [], "patient": 5}', ["'patient'"]),
        (b'{"codes": [], "date_of_service": "2026-02-30"}', ["'date_of_service'"]),
        (b'{"codes": [], "text": 5}', ["'text'"]),
        (b"[" + b",".join([b'"I10"'] * 1001) + b"]", ["1,001", "1,000"]),
    ],
    ids=range(20),
)
def test_what_is_wrong_is_said_in_one_line(run_here: Run, stdin: bytes, words: list[str]) -> None:
    refused(run_here("codes", "check", "-", stdin=stdin), *words)


@pytest.mark.parametrize("word", ["I10*", "99213*0", "99213*" + "9" * 5000, "icd-9:250.00", "=", "I" * 30])
def test_a_word_that_is_no_code(run_here: Run, word: str) -> None:
    refused(run_here("codes", "check", word))


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        (b'max_characters = 5000\n[rules]\nvalidity = \n"x"', ["site.toml", "line 3"]),
        (b"[rules]\nvaliditi = 'off'", ["validiti", "did you mean 'validity'?"]),
        (b"[rules]\nvalidity.unknwon = 'off'", ["validity.unknwon", "did you mean 'validity.unknown'?"]),
        (b"[rules]\nvalidity = 'fatal'", ["validity", "'fatal'", "error, warning, info or off"]),
        (b"[rules]\nvalidity = true", ["validity", "True"]),
        (b"rules = 'off'", ["rules"]),
        (b"[rules]\n# \xff", ["site.toml", "UTF-8"]),
    ],
    ids=["syntax", "family", "rule", "level", "true", "text", "utf-8"],
)
def test_a_site_file_that_is_wrong_ends_with_2_and_says_where(
    run_here: Run, site: Callable[[bytes], None], toml: bytes, words: list[str]
) -> None:
    site(toml)
    for command in (("codes", "check", "I10"), ("codes", "rules"), ("serve", "--port", "0")):
        refused(run_here(*command), *words)


def test_a_site_file_that_is_missing(run: Run) -> None:
    refused(run("codes", "check", "I10", CODEASSIST_CONFIG="nowhere.toml"), "CODEASSIST_CONFIG", "nowhere.toml")
    refused(run("serve", "--port", "0", CODEASSIST_CONFIG="."), "CODEASSIST_CONFIG")


def test_a_sites_levels_are_kept(run_here: Run, site: Callable[[str], None]) -> None:
    site("[rules]\nvalidity.unknown = 'info'\nposition = 'off'\n")
    review = check(run_here, CLAIM)
    assert [f["level"] for f in review["findings"] if f["rule"] == "validity.unknown"] == ["info"]
    assert "position" not in review["rules"] and "validity" in review["rules"]
    listed = json.loads(passed(run_here("codes", "rules", "--format", "json")))
    levels = {r["rule"]: (r["level"], r["shipped_level"]) for r in listed}
    assert levels["validity.unknown"] == ("info", "error")
    assert levels["position.external-cause"] == ("off", "error")
    assert "info (error)" in passed(run_here("codes", "rules", "validity"))


def test_codes_rules_lists_every_rule(run_here: Run) -> None:
    rules = {r.id: r for f in FAMILIES.values() for r in f.rules.values()}
    listed = json.loads(passed(run_here("codes", "rules", "--format", "json")))
    assert [r["rule"] for r in listed] == list(rules)
    for r in listed:
        rule = rules[r["rule"]]
        assert r == {
            "rule": rule.id,
            "level": rule.level,
            "shipped_level": rule.level,
            "overridable": rule.overridable,
            "reference": rule.reference,
            "catches": rule.catches,
        }
    text = passed(run_here("codes", "rules"))
    assert all(name in text for name in rules)


def test_codes_rules_of_one_family(run_here: Run) -> None:
    listed = json.loads(passed(run_here("codes", "rules", "validity", "--format", "json")))
    assert [r["rule"] for r in listed] == [f"validity.{name}" for name in FAMILIES["validity"].rules]
    refused(run_here("codes", "rules", "nothing"), "'nothing'", "validity")
    assert "Example" in passed(run_here("codes", "rules", "--help"))

"""What a site's ``[rules]`` table changes: levels, rules and families that are switched off, and nothing else."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from codeassist.errors import InputError
from codeassist.rules.engine import Review, RuleEngine
from codeassist.rules.policy import policy_of
from codeassist.rules.reading import encounter_from_arguments
from codeassist.rules.registry import FAMILIES
from codeassist.settings import Settings, read_settings
from codeassist.terminology.store import Store

SHIPPED = {"unknown": "error", "not-billable": "error", "repeated": "warning"}


def reviewed(store: Store, table: str) -> Review:
    """The review of a repeated code, a category and an unknown code, under a site's table."""
    encounter = encounter_from_arguments(["I10", "I10", "E11", "E11.99"], store, {"date_of_service": "2026-03-02"})
    return RuleEngine(store, tomllib.loads(table)).check(encounter)


@pytest.mark.parametrize(
    ("table", "wanted"),
    [
        ("", SHIPPED),
        ("validity = 'warning'", dict.fromkeys(SHIPPED, "warning")),
        ("validity = 'off'", {}),
        ("'validity.unknown' = 'info'", SHIPPED | {"unknown": "info"}),
        ("validity.unknown = 'info'", SHIPPED | {"unknown": "info"}),
        ("validity.repeated = 'error'", SHIPPED | {"repeated": "error"}),
        ("validity.repeated = 'off'", {"unknown": "error", "not-billable": "error"}),
        ("[validity]\nunknown = 'warning'\nnot-billable = 'off'", {"unknown": "warning", "repeated": "warning"}),
        ("validity = 'off'\n'validity.unknown' = 'error'", {"unknown": "error"}),
        ("validity = 'info'\n'validity.unknown' = 'off'", {"not-billable": "info", "repeated": "info"}),
    ],
)
def test_levels(store: Store, table: str, wanted: dict[str, str]) -> None:
    review = reviewed(store, table)
    found = {f.rule.partition(".")[2]: f.level for f in review.findings if f.rule.startswith("validity.")}
    assert found == wanted
    order = [f.level for f in review.findings]
    assert order == sorted(order, key=["error", "warning", "info"].index), "sorted by the site's levels"
    assert set(FAMILIES) - set(review.rules) == ({"validity"} if not wanted else set()), "the families that ran"


def test_a_family_whose_rules_are_all_off_does_not_run(store: Store) -> None:
    lines = "\n".join(f"{name!r} = 'off'" for name in (r.id for r in FAMILIES["validity"].rules.values()))
    review = reviewed(store, lines)
    assert "validity" not in review.rules
    assert not any(f.rule.startswith("validity.") for f in review.findings)


def test_all_families_off(store: Store) -> None:
    review = reviewed(store, "\n".join(f"{name!r} = 'off'" for name in FAMILIES))
    assert (review.rules, review.findings) == ((), ())
    assert sorted(code for code, _ in review.sequence) == ["E11", "E11.99", "I10", "I10"], "the order is still proposed"


def test_only_the_level_changes(store: Store) -> None:
    (shipped,) = [f for f in reviewed(store, "").findings if f.rule == "validity.unknown"]
    (lowered,) = [f for f in reviewed(store, "validity.unknown = 'info'").findings if f.rule == "validity.unknown"]
    assert lowered.level == "info"
    for part in ("message", "codes", "reference", "fix", "overridable"):
        assert getattr(lowered, part) == getattr(shipped, part)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("validty = 'off'", ["[rules] validty", "did you mean 'validity'?"]),
        ("validity.unknow = 'off'", ["[rules] validity.unknow:", "did you mean 'validity.unknown'?"]),
        ("'Validity' = 'off'", ["did you mean 'validity'?"]),
        ("qqqqqq = 'off'", ["[rules] qqqqqq", "codeassist codes rules"]),
        ("validity = 'Warning'", ["[rules] validity", "error, warning, info or off", "'Warning'"]),
        ("validity = ''", ["error, warning, info or off"]),
        ("validity = false", ["False"]),
        ("validity.unknown = ['off']", ["[rules] validity.unknown", "['off']"]),
        ("validity.unknown.on = 'off'", ["[rules] validity.unknown.on"]),
    ],
)
def test_a_line_that_is_wrong_is_named(table: str, words: list[str]) -> None:
    with pytest.raises(InputError) as error:
        policy_of(tomllib.loads(table), FAMILIES)
    for word in words:
        assert word in str(error.value)


def test_the_table_comes_from_the_file_and_the_environment_goes_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "site.toml"
    file.write_text("max_characters = 500\n[rules]\nposition = 'off'\nvalidity = 'info'\n", encoding="utf-8")
    monkeypatch.setenv("CODEASSIST_CONFIG", str(file))
    assert read_settings(Settings).rules == {"position": "off", "validity": "info"}
    monkeypatch.setenv("CODEASSIST_RULES", '{"validity": "warning"}')
    assert read_settings(Settings).rules == {"position": "off", "validity": "warning"}
    assert read_settings(Settings).max_characters == 500


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [("CODEASSIST_RULES", "{", "rules"), ("CODEASSIST_MAX_CHARACTERS", "many", "max_characters")],
)
def test_a_setting_of_the_wrong_kind_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, word: str
) -> None:
    monkeypatch.delenv("CODEASSIST_CONFIG", raising=False)
    monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match=word):
        read_settings(Settings)

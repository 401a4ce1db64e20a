"""docs/rules.md and the example of the API say what the rules do: tools/rules_table.py writes them again."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from codeassist.rules.policy import policy_of
from codeassist.rules.reading import MOST_CODES
from codeassist.rules.registry import FAMILIES
from codeassist.terminology.store import Store
from tools.rules_table import DOCUMENT, EXAMPLES, answer, document

AGAIN = "run .venv/bin/python tools/rules_table.py"


def test_the_document_has_the_rules_and_the_answer_of_today(store: Store) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert document(text, store) == text, AGAIN
    rows = re.findall(r"^\| `([\w.-]+)` \| (?:error|warning|info) \|", text, re.M)
    assert rows == [rule.id for family in FAMILIES.values() for rule in family.rules.values()], AGAIN


def test_the_example_of_the_api_is_the_answer_of_today(store: Store) -> None:
    assert (EXAMPLES / "edits.json").read_text(encoding="utf-8") == answer(store), AGAIN


def test_every_family_says_what_it_does() -> None:
    assert all((family.check.__doc__ or "").strip() for family in FAMILIES.values())


def test_the_sites_table_shown_is_one(root: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.S)
    policy = policy_of(tomllib.loads(block)["rules"], FAMILIES)
    assert policy.level(FAMILIES["position"].rules["manifestation"]) == "warning"
    assert policy.level(FAMILIES["position"].rules["external-cause"]) == "off"


def test_the_limits_shown_hold() -> None:
    assert f"at most {MOST_CODES:,}" in DOCUMENT.read_text(encoding="utf-8")

#!/usr/bin/env python
"""Writes what docs/rules.md shows of the rules as they are: the table of rules, and the answer to its example.

    .venv/bin/python tools/rules_table.py

Run it after a change of the rules; a test tells when it was forgotten. The example lies in api/examples/openapi.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from codeassist.rules.case import Case
from codeassist.rules.engine import RuleEngine
from codeassist.rules.family import Family
from codeassist.rules.reading import encounter_from_record, review_record
from codeassist.rules.registry import FAMILIES
from codeassist.terminology.access import open_store
from codeassist.terminology.store import Store

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "rules.md"
EXAMPLES = ROOT / "api" / "examples" / "openapi"
_FLAT_LIST = re.compile(r"\[\n\s+([^\[\]{}]+?)\n\s+\]")


DAY = {"date_of_service": "2026-03-02", "patient": {"age": 61, "sex": "F"}}
CLAIMS = (
    {**DAY, "setting": "inpatient", "codes": [{"code": "K80.00", "poa": "Y"}, {"code": "0FT44ZZ"}]},
    {**DAY, "setting": "outpatient", "codes": [{"code": "I10"}, {"code": "99213", "units": 1}]},
)
"""A stay and a visit: what the families read for these, the document names."""


def table(store: Store) -> str:
    """Every rule of every family, in the order in which they run, as a Markdown table for each family."""
    parts = []
    for family in FAMILIES.values():
        summary = " ".join((family.check.__doc__ or "").partition("\n\n")[0].split())
        editions = "; ".join(f"{name} {edition}" for name, edition in _editions(family, store).items())
        rows = [
            f"| `{r.id}` | {r.level} | {'yes' if r.overridable else 'no'} | {_cell(r.catches)} | {_cell(r.reference)} |"
            for r in family.rules.values()
        ]
        head = [f"### {family.name}", "", summary, ""] + ([f"Editions: {editions}.", ""] if editions else [])
        parts.append(
            "\n".join(
                [*head, "| rule | level | overridable | what it catches | source |", "|---|---|---|---|---|", *rows]
            )
        )
    return "\n\n".join(parts)


def _editions(family: Family, store: Store) -> dict[str, str]:
    """The editions of a family's own tables."""
    return {n: e for c in CLAIMS for n, e in family.editions(Case(encounter_from_record(c, store), store)).items()}


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def answer(store: Store) -> str:
    """The review of the example claim, as the service answers it, written out for a reader."""
    claim = json.loads((EXAMPLES / "claim.json").read_text(encoding="utf-8"))
    review = RuleEngine(store).check(encounter_from_record(claim, store))
    text = json.dumps(review_record(review), ensure_ascii=False, indent=2)
    return _FLAT_LIST.sub(lambda m: "[" + re.sub(r"\n\s+", " ", m[1]) + "]", text) + "\n"


def filled(text: str, name: str, content: str) -> str:
    """``text`` with what stands between ``<!-- name -->`` and ``<!-- /name -->`` replaced."""
    mark = re.compile(rf"(<!-- {name}\b[^>]*-->\n).*?(<!-- /{name} -->)", re.DOTALL)
    if not mark.search(text):
        raise SystemExit(f"docs/rules.md has no place marked {name}")
    return mark.sub(lambda m: f"{m[1]}\n{content}\n\n{m[2]}", text)


def document(text: str, store: Store) -> str:
    """docs/rules.md with everything that is generated."""
    claim = (EXAMPLES / "claim.json").read_text(encoding="utf-8")
    text = filled(text, "claim", f"```json\n{claim}```")
    text = filled(text, "answer", f"```json\n{answer(store)}```")
    return filled(text, "rules", table(store))


if __name__ == "__main__":
    terminology = open_store()
    (EXAMPLES / "edits.json").write_text(answer(terminology), encoding="utf-8")
    DOCUMENT.write_text(document(DOCUMENT.read_text(encoding="utf-8"), terminology), encoding="utf-8")
    print(f"docs/rules.md: {sum(len(f.rules) for f in FAMILIES.values())} rules in {len(FAMILIES)} families")

"""Text for a terminal: results, codes, reviews."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from rich.console import Console
from rich.table import Table

from codeassist.result import CodingResult, Finding
from codeassist.rules.engine import Review
from codeassist.rules.family import Rule
from codeassist.rules.policy import Policy
from codeassist.rules.queries import Query
from codeassist.terminology.store import CodeEntry, Store

_NOTE_TITLES = {
    "inclusion_term": "includes the terms",
    "includes": "includes",
    "excludes1": "Excludes1",
    "excludes2": "Excludes2",
    "code_first": "code first",
    "use_additional_code": "use additional code",
    "code_also": "code also",
    "note": "note",
    "seventh_character": "7th character",
    "section": "section",
    "unit": "billing unit",
}


def render_result(result: CodingResult) -> None:
    """Suggestions as two tables, then what was left out and the findings."""
    console = Console(soft_wrap=False)
    for tier, title in (("code", "Codes"), ("candidate", "Candidates")):
        rows = [s for s in result.suggestions if s.tier == tier]
        if not rows:
            continue
        table = Table(title=title, title_justify="left", show_edge=False, pad_edge=False)
        for column in ("#", "system", "code", "chance", "title", "evidence"):
            table.add_column(column, no_wrap=column not in ("title", "evidence"))
        for s in rows[:20]:
            quote = s.evidence[0].text.replace("\n", " ") if s.evidence else ""
            table.add_row(str(s.rank), s.system, s.code, f"{s.probability:.0%}", s.display, quote)
        console.print(table)
    if not result.suggestions:
        console.print("no codes to suggest")
    for d in result.discarded[:12]:
        console.print(f"left out: {d.code} {d.display} ({d.reason})", style="dim", markup=False)
    _findings(console, result.findings)


def render_review(review: Review) -> None:
    """Findings, the families that ran, and the proposed order. Lines are not broken, so that they can be searched."""
    console = Console(soft_wrap=True)
    _findings(console, review.findings)
    if not review.findings:
        console.print("no findings")
    console.print(f"checked: {', '.join(review.rules) or 'nothing, all rules are off'}", style="dim", highlight=False)
    for i, (code, reason) in enumerate(review.sequence, 1):
        console.print(f"{i}. {code}  {reason}", markup=False, highlight=False)


def _findings(console: Console, findings: tuple[Finding, ...]) -> None:
    styles = {"error": "bold red", "warning": "yellow", "info": "cyan"}
    for f in findings:
        codes = f" [{', '.join(f.codes)}]" if f.codes else ""
        console.print(f"{f.level}: {f.message}{codes} ({f.rule})", style=styles[f.level], markup=False, highlight=False)
        if f.fix:
            console.print(f"  fix: {f.fix}", markup=False, highlight=False)
        console.print(f"  from: {f.reference}", style="dim", markup=False, highlight=False)


def render_queries(queries: Sequence[Query]) -> None:
    """Drafts of queries, one after the other."""
    console = Console(highlight=False)
    for q in queries:
        console.print(f"{q.topic}: {q.reason}", style="bold", markup=False)
        for i in q.indicators:
            quote = " ".join(i.text.split())
            console.print(f"  \u201c{quote}\u201d ({i.start} to {i.end})", style="dim", markup=False)
        console.print(q.question, markup=False)
        for option in q.options:
            console.print(f"  [ ] {option}", markup=False)
    if not queries:
        console.print("nothing to ask")


def rule_record(rule: Rule, policy: Policy) -> dict[str, Any]:
    """A rule as JSON; ``level`` is the site's, ``shipped_level`` the rule's own."""
    return {
        "rule": rule.id,
        "level": policy.level(rule),
        "shipped_level": rule.level,
        "overridable": rule.overridable,
        "reference": rule.reference,
        "catches": rule.catches,
    }


def render_rules(rules: list[Rule], policy: Policy) -> None:
    """The rules as a table, with the shipped level in brackets where the site has another."""
    table = Table(show_edge=False, pad_edge=False)
    for column in ("rule", "level", "catches", "from"):
        table.add_column(column, no_wrap=column in ("rule", "level"))
    for r in rules:
        level = policy.level(r)
        table.add_row(r.id, level if level == r.level else f"{level} ({r.level})", r.catches, r.reference)
    Console().print(table, markup=False)


def entry_record(entry: CodeEntry) -> dict[str, Any]:
    """A code entry as JSON; what is unknown is left out."""
    record: dict[str, Any] = {
        "system": entry.system,
        "code": entry.code,
        "display": entry.display,
        "billable": entry.billable,
    }
    if entry.valid_from:
        record["valid_from"] = entry.valid_from.isoformat()
    if entry.valid_to:
        record["valid_to"] = entry.valid_to.isoformat()
    if entry.parent:
        record["parent"] = entry.parent
    record["children"] = list(entry.children)
    record["notes"] = {k: list(v) for k, v in entry.notes.items()}
    record["source"] = entry.source
    return record


def render_entry(entry: CodeEntry, day: date) -> None:
    """A code with its notes, place in the hierarchy and validity on a day."""
    console = Console(highlight=False)
    console.print(f"{entry.system}  {entry.code}  {entry.display}", style="bold", markup=False)
    valid = (entry.valid_from or day) <= day <= (entry.valid_to or day)
    state = "billable" if entry.billable else "not billable: a category"
    console.print(f"{state}; {'valid' if valid else 'not valid'} on {day.isoformat()}")
    if entry.parent:
        console.print(f"below {entry.parent}")
    for kind, texts in entry.notes.items():
        console.print(f"{_NOTE_TITLES.get(kind, kind)}:", style="bold")
        for text in texts:
            console.print(f"  {text}", markup=False)
    if entry.children:
        console.print(f"above {', '.join(entry.children[:40])}")
    console.print(f"source: {entry.source}", style="dim", markup=False)


def render_status(store: Store) -> None:
    """Editions, counts and sources."""
    console = Console(highlight=False)
    today = date.today()
    for system, edition in store.releases.items():
        console.print(f"{system:<11} {edition:<14} {store.count(system, today):>7,} codes billable today")
    for package, version in store.meta["carriers"].items():
        console.print(f"from {package} {version}", style="dim")

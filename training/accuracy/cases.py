"""The two sets that are not notes: assertion cases, and everyday terms with their codes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from codeassist.assistant import CodeAssistant
from codeassist.terminology.store import Store

DAY = date(2026, 3, 2)
"""Date of service of the terms: FY2026."""


def _rows(path: Path) -> Iterator[dict[str, str]]:
    lines = [x for x in path.read_text(encoding="utf-8").splitlines() if x and not x.startswith("#")]
    names = lines[0].split("\t")
    return (dict(zip(names, line.split("\t"), strict=True)) for line in lines[1:])


def negation_f1(assistant: CodeAssistant, path: Path) -> float | None:
    """F1 of the status ``negated`` over the marked mentions; ``None`` where no case is or was found negated."""
    right = false = missed = 0
    for row in _rows(path):
        marked = row["sentence"].replace("\\n", "\n")
        start, end = marked.index("[["), marked.index("]]")
        text = marked[:start] + marked[start + 2 : end] + marked[end + 2 :]
        found = assistant.assertion(text, start, end - 2).status == "negated"
        truth = row["status"] == "negated"
        right, false, missed = right + (found and truth), false + (found and not truth), missed + (truth and not found)
    return 2 * right / (2 * right + false + missed) if right + false + missed else None


def wrong_terms(store: Store, path: Path) -> tuple[list[tuple[str, str, str]], int]:
    """Terms that do not have the right code first, as (term, right, found first), and the number of all terms."""
    wrong, total = [], 0
    for row in _rows(path):
        total += 1
        hits = store.search(row["term"], on=DAY)
        first = hits[0].code if hits else "nothing"
        if first not in row["code"].split("|"):
            wrong.append((row["term"], row["code"].replace("|", " or "), first))
    return wrong, total

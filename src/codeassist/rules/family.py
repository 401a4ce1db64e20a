"""A family of rules: its rules as data, its check as code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from typing import get_args

from codeassist.errors import CodeassistError
from codeassist.result import Finding, Level
from codeassist.rules.case import Case

LEVELS: tuple[Level, ...] = get_args(Level)
_NO_EDITIONS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its level and whether a coder may override it, unless the site says otherwise; the guideline or file
    that it comes from; and what it catches, in a coder's words."""

    id: str
    level: Level
    overridable: bool
    reference: str
    catches: str

    def finding(
        self, message: str, codes: Iterable[str] = (), fix: str | None = None, reference: str | None = None
    ) -> Finding:
        """A finding of this rule; ``reference`` names a narrower place than the rule's own."""
        return Finding(self.id, self.level, message, tuple(codes), reference or self.reference, fix, self.overridable)


def read_rules(family: str) -> dict[str, Rule]:
    """The rules of ``data/<family>.tsv`` by their name within the family.

    Columns: name, level (error, warning, info), overridable (yes, no), reference, what it catches.
    """
    file = resources.files("codeassist.rules.data") / f"{family}.tsv"
    rules = {}
    for n, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        row = line.split("\t")
        if len(row) != 5 or row[1] not in LEVELS or row[2] not in ("yes", "no"):
            raise CodeassistError(f"{family}.tsv line {n}: name, level, yes or no, reference, what it catches")
        name, level, overridable, reference, catches = row
        rules[name] = Rule(f"{family}.{name}", level, overridable == "yes", reference, catches)  # type: ignore[arg-type]
    return rules


@dataclass(frozen=True)
class Family:
    """A family by name. ``check`` gives its findings on a case; ``editions`` names the editions of its tables."""

    name: str
    check: Callable[[Case], Iterable[Finding]]
    editions: Callable[[Case], Mapping[str, str]] = lambda case: _NO_EDITIONS

    @cached_property
    def rules(self) -> dict[str, Rule]:
        """Its rules by their name within the family."""
        return read_rules(self.name)

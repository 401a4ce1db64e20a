"""What a site makes of the rules: a level other than the rule's own, or none."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from codeassist.errors import InputError
from codeassist.result import Finding
from codeassist.rules.family import LEVELS, Family, Rule

OFF = "off"


@dataclass(frozen=True, slots=True)
class Policy:
    """Levels by rule id or family name; a rule's own line goes before its family's."""

    levels: Mapping[str, str]

    def runs(self, family: Family) -> bool:
        """Whether any rule of the family is still wanted."""
        return any(self.level(rule) != OFF for rule in family.rules.values())

    def applied(self, finding: Finding) -> Finding | None:
        """The finding at the site's level, or ``None`` where the site has switched its rule off."""
        level = self._level(finding.rule)
        if level is None or level == finding.level:
            return finding
        return None if level == OFF else replace(finding, level=level)  # type: ignore[arg-type]

    def level(self, rule: Rule) -> str:
        """The level that the rule has here, or ``off``."""
        return self._level(rule.id) or rule.level

    def _level(self, rule: str) -> str | None:
        return self.levels.get(rule) or self.levels.get(rule.partition(".")[0])


def policy_of(table: Mapping[str, Any], families: Mapping[str, Family]) -> Policy:
    """The policy of a site's ``[rules]`` table: ``"excludes" = "warning"``, ``"age.adult" = "off"``.

    Raises :class:`InputError` that names the line and says how to mend it: an unknown family or rule, an unknown level.
    """
    known = set(families) | {r.id for f in families.values() for r in f.rules.values()}
    levels: dict[str, str] = {}
    for name, level in _flat(table):
        if name not in known:
            near = difflib.get_close_matches(name, sorted(known), 1)
            hint = f"did you mean {near[0]!r}?" if near else "`codeassist codes rules` lists them"
            raise InputError(f"[rules] {name}: there is no such rule or family; {hint}")
        if level not in (*LEVELS, OFF):
            raise InputError(f"[rules] {name}: the level is one of {', '.join(LEVELS)} or off, not {level!r}")
        levels[name] = level
    return Policy(levels)


def _flat(table: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """TOML reads ``age.adult = "off"`` as a table in a table: the names joined again."""
    out: list[tuple[str, Any]] = []
    for name, value in table.items():
        full = f"{prefix}.{name}" if prefix else str(name)
        out += _flat(value, full) if isinstance(value, Mapping) else [(full, value)]
    return out

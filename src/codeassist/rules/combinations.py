"""What belongs together in one code: the combination table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

from codeassist.rules.tables import read_table

Use = Literal["ranking", "rules"]


@dataclass(frozen=True, slots=True)
class Combination:
    """One line of ``combinations.tsv``: prefixes for each part, the code as a key, all prefixes under which the
    combination may stand, prefixes that it replaces, the rule that it belongs to, and where it comes from."""

    parts: tuple[tuple[str, ...], ...]
    key: str
    standing: tuple[str, ...]
    replaces: tuple[str, ...]
    rule: str
    reference: str


@cache
def combinations(use: Use) -> tuple[Combination, ...]:
    """The table's lines for one use, in its order."""
    out = []
    for parts, code, replaces, used, rule, reference in read_table("combinations", 6):
        if used in (use, "both"):
            keys = tuple(c.replace(".", "") for c in code.split("|"))
            groups = tuple(tuple(p.split("|")) for p in parts.split(" + "))
            replaced = tuple(r for r in replaces.split("|") if r)
            out.append(Combination(groups, keys[0], keys, replaced, rule, reference))
    return tuple(out)

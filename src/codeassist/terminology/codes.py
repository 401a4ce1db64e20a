"""One row of the index, before it is written."""

from __future__ import annotations

from dataclasses import dataclass, field

FOREVER = 99991231
ALWAYS = (0, FOREVER)
"""First and last day (yyyymmdd) of what has no dates of its own."""
UNTITLED = "(no title in the shipped files: import the official files of this edition)"


@dataclass(frozen=True, slots=True)
class Code:
    """A code without its dot, its title, days of validity (yyyymmdd), parent and tabular notes."""

    system: str
    key: str
    title: str
    first: int
    last: int
    billable: bool
    source: str
    parent: str | None = None
    parent_system: str | None = None
    expanded: bool = False
    notes: dict[str, tuple[str, ...]] = field(default_factory=dict)

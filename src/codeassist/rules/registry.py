"""The families by name, in the order in which they run."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from codeassist.result import Finding
from codeassist.rules.edition import check_edition
from codeassist.rules.encounter import Encounter
from codeassist.rules.position import check_position
from codeassist.rules.validity import check_validity
from codeassist.terminology.store import Store

Family = Callable[[Encounter, Store], Iterable[Finding]]

FAMILIES: dict[str, Family] = {
    "edition": check_edition,
    "validity": check_validity,
    "position": check_position,
}

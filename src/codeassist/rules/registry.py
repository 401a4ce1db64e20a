"""The families by name, in the order in which they run."""

from __future__ import annotations

from codeassist.rules.families.edition import check_edition
from codeassist.rules.families.position import check_position
from codeassist.rules.families.validity import check_validity
from codeassist.rules.family import Family

FAMILIES: dict[str, Family] = {
    f.name: f
    for f in (
        Family("edition", check_edition),
        Family("validity", check_validity),
        Family("position", check_position),
    )
}

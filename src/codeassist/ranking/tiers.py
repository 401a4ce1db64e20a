"""Which suggestions may have tier ``code``: groups of codes that many sites do not report stay candidates.

States and payers differ: a site raises a group by naming it in the setting ``reported_groups``.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

REPORTING_GROUPS: Final = {
    "external-causes": ("icd-10-cm", ("V", "W", "X", "Y")),
    "long-term-drugs": ("icd-10-cm", ("Z79",)),
    "adherence": ("icd-10-cm", ("Z91",)),
    "allergy-status": ("icd-10-cm", ("Z88",)),
    "body-mass-index": ("icd-10-cm", ("Z68",)),
    "visit-levels": (
        "cpt",
        (
            *("9920", "9921", "9922", "9923", "9924", "9925", "99281", "99282", "99283", "99284", "99285", "99291"),
            *("9930", "99310", "9934", "9935", "9938", "9939", "99024"),
        ),
    ),
}
"""Group name to code system and prefixes of keys (guidelines I.C.20: external causes are voluntary unless mandated).
Many sites have the levels of visits, which :mod:`codeassist.visits` assesses, coded apart from everything else."""


def held_back(system: str, key: str, reported: Collection[str]) -> bool:
    """Whether a code stays a candidate because its group is not among ``reported``.

    >>> held_back("icd-10-cm", "W19XXXA", ())
    True
    >>> held_back("icd-10-cm", "W19XXXA", ("external-causes",))
    False
    >>> held_back("cpt", "99214", ())
    True
    """
    return any(
        system == of and key.startswith(prefixes)
        for name, (of, prefixes) in REPORTING_GROUPS.items()
        if name not in reported
    )

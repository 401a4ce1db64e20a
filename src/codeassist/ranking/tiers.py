"""Which suggestions may have tier ``code``: groups of codes that many sites do not report stay candidates.

States and payers differ: a site raises a group by naming it in the setting ``reported_groups``.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

REPORTING_GROUPS: Final = {
    "external-causes": ("V", "W", "X", "Y"),
    "long-term-drugs": ("Z79",),
    "adherence": ("Z91",),
    "allergy-status": ("Z88",),
    "body-mass-index": ("Z68",),
}
"""Group name to prefixes of ICD-10-CM keys (guidelines I.C.20: external causes are voluntary unless mandated)."""


def held_back(system: str, key: str, reported: Collection[str]) -> bool:
    """Whether a code stays a candidate because its group is not among ``reported``.

    >>> held_back("icd-10-cm", "W19XXXA", ())
    True
    >>> held_back("icd-10-cm", "W19XXXA", ("external-causes",))
    False
    """
    if system != "icd-10-cm":
        return False
    return any(key.startswith(p) for name, p in REPORTING_GROUPS.items() if name not in reported)

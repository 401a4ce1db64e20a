"""What may not be coded side by side: settles the codes of a note among themselves after ranking.

A code that loses keeps its probability and becomes a candidate; the reason is told by the caller's explanation.
"""

from __future__ import annotations

from collections.abc import Mapping, Set

from codeassist.candidates.integral import integral_to

_ONE_OF = (
    (("E08", "E09", "E10", "E11", "E13"), 3),  # Excludes1 among the kinds of diabetes
    (("J45",), 7),
    (("I50",), 7),
    (("N181", "N182", "N183", "N184", "N185", "N186", "N189"), 4),  # one stage of CKD
    (("Z000",), 7),
    (("9920", "9921", "9928", "9938", "9939", "9922", "9923"), 7),  # one level of service a visit
)
"""Families of which a visit has one member, with the length of key that tells members apart: the likeliest stays."""


def settle(coded: Mapping[str, float], replaced: Set[str], unspecified: Set[str]) -> dict[str, str]:
    """Codes (keys without dot, to their probability) that give way to another one, with the reason.

    ``replaced`` holds keys that a combination code among the candidates takes up, ``unspecified`` those whose title
    says "unspecified".

    >>> settle({"R05": 0.5, "J189": 0.9}, set(), set())
    {'R05': 'it belongs to J189 and is not coded beside it (guideline I.B.5)'}
    """
    out: dict[str, str] = {}
    for key in coded:
        if key in replaced:
            out[key] = "a combination code takes it up (guideline I.B.9)"
    for families, length in _ONE_OF:
        members = sorted((k for k in coded if k.startswith(families)), key=lambda k: (-coded[k], k))
        for key in members[1:]:
            if key[:length] != members[0][:length]:
                out.setdefault(key, f"{members[0]} is likelier, and only one of them is coded")
    standing = {k: p for k, p in coded.items() if k not in out}
    for key, (condition, _) in integral_to(standing).items():
        out[key] = f"it belongs to {condition} and is not coded beside it (guideline I.B.5)"
    for key in standing:
        better = [k for k in standing if k != key and k[:3] == key[:3] and k not in unspecified and k not in out]
        if key in unspecified and better and key not in out:
            out[key] = f"{better[0]} says more (guideline I.B.18)"
    return out

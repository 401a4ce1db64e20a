"""SMART's scopes and what they allow here."""

from __future__ import annotations

import re
from collections.abc import Iterable

from api.users import SCOPES, Scope

_SCOPE = re.compile(r"system/(\*|[A-Z][A-Za-z]*)\.(\*|read|write|c?r?u?d?s?)")
_READ = frozenset("rs")
_WRITE = frozenset("cud")
_ALLOWS: dict[tuple[str, str], frozenset[Scope]] = {
    ("DocumentReference", "read"): frozenset({"suggest"}),
    ("CodeSystem", "read"): frozenset({"suggest"}),
    ("ValueSet", "read"): frozenset({"suggest"}),
    ("Condition", "read"): frozenset({"reviews:read"}),
    ("Claim", "read"): frozenset({"exports"}),
    ("DocumentReference", "write"): frozenset({"reviews:write"}),
    ("*", "read"): frozenset({"suggest", "reviews:read", "exports"}),
    ("*", "write"): frozenset({"reviews:write", "integrate"}),
}
"""By resource and permission: documents are read to be coded, Conditions and Claims are what reviews hold."""
SUPPORTED = (
    "system/*.read",
    "system/*.write",
    "system/*.rs",
    "system/DocumentReference.read",
    "system/DocumentReference.write",
    "system/CodeSystem.read",
    "system/ValueSet.read",
    "system/Condition.read",
    "system/Claim.read",
)


def granted(asked: Iterable[str], registered: Iterable[str]) -> tuple[str, ...]:
    """Of the scopes that a client asks for, those that its registration covers.

    >>> granted(["system/Condition.rs", "system/*.write"], ["system/*.read"])
    ('system/Condition.rs',)
    """
    held = [_parsed(scope) for scope in registered]
    return tuple(scope for scope in dict.fromkeys(asked) if any(_covers(h, _parsed(scope)) for h in held))


def allowed_scopes(scopes: Iterable[str]) -> list[Scope]:
    """What SMART scopes, of version 1 or 2, allow here.

    >>> allowed_scopes(["system/DocumentReference.rs"])
    ['suggest']
    """
    found: set[Scope] = set()
    for resource, letters in filter(None, map(_parsed, scopes)):
        for name, needed in (("read", _READ), ("write", _WRITE)):
            if needed <= letters or (name == "write" and "c" in letters):
                found |= _ALLOWS.get((resource, name), frozenset())
    return [scope for scope in SCOPES if scope in found]


def _parsed(scope: str) -> tuple[str, frozenset[str]] | None:
    """The resource of a scope and its letters: create, read, update, delete, search."""
    match = _SCOPE.fullmatch(scope)
    if match is None or not match[2]:
        return None
    letters = {"read": _READ, "write": _WRITE, "*": _READ | _WRITE}.get(match[2], frozenset(match[2]))
    return match[1], letters


def _covers(held: tuple[str, frozenset[str]] | None, asked: tuple[str, frozenset[str]] | None) -> bool:
    return held is not None and asked is not None and held[0] in ("*", asked[0]) and asked[1] <= held[1]

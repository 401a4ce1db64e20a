"""What is found in a text, and how findings that meet are settled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["name", "date", "age", "address", "organization", "phone", "email", "url", "ip", "ssn", "number"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""``number`` is a record, account, member, licence or device number."""


@dataclass(frozen=True, slots=True)
class Identifier:
    """A span of a text that may name somebody; ``certainty`` settles which of two findings that meet is kept."""

    start: int
    end: int
    kind: Kind
    certainty: int = 1


def settle(found: Iterable[Identifier]) -> list[Identifier]:
    """Of findings that meet the surer, then the longer; in the order of the text.

    >>> settle([Identifier(0, 4, "name"), Identifier(2, 9, "address", 2)])
    [Identifier(start=2, end=9, kind='address', certainty=2)]
    """
    kept: list[Identifier] = []
    for one in sorted(found, key=lambda f: (-f.certainty, f.start - f.end, f.start)):
        if all(one.end <= other.start or other.end <= one.start for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda f: f.start)

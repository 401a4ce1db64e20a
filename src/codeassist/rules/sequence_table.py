"""The tables of sequencing: what comes before what, and which classes of codes stand where.

``data/sequence_ranks.tsv`` gives classes of codes a place, ``data/sequence_before.tsv`` puts single codes before
others. Codes are written as prefixes (``T81.4``), ranges of categories or last characters (``C00-D49``,
``T81.40-T81.43``), with ``?`` for a digit (``S?2``), or as a kind that only the whole code shows (:func:`kind_of`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from codeassist.errors import CodeassistError
from codeassist.rules.tables import read_table
from codeassist.terminology.store import normal_key

_DIGITS = "0123456789"
_LAST = _DIGITS + "AB"
"""What the third character of a category can be (``C7A``, ``C7B``)."""
_DRUG_KINDS = {**dict.fromkeys("1234", "@poisoning"), "5": "@adverse-effect", "6": "@underdosing"}
WHEN = ("any", "inpatient", "outpatient", "poa", "not-poa", "with")


@dataclass(frozen=True, slots=True)
class Constraint:
    """``left`` comes before ``right``; ``rule`` names the finding of the family, if any; ``within`` are the prefixes of
    which one must be on the claim when ``when`` is ``with``."""

    rule: str | None
    when: str
    within: tuple[str, ...]
    reason: str
    source: str


@dataclass(frozen=True, slots=True)
class Rank:
    """A class of codes: lower places come first; ``beside`` its condition: anywhere but before the first condition."""

    place: int
    beside: bool
    reason: str
    source: str


@dataclass(frozen=True, slots=True)
class Marks:
    """What the tables say of a code: its class, and as bits the constraints in which it is the left or right side."""

    rank: Rank
    left: int
    right: int


@dataclass(frozen=True, slots=True)
class Table:
    """Both tables by prefix."""

    constraints: tuple[Constraint, ...]
    left: dict[str, int]
    right: dict[str, int]
    ranks: dict[str, Rank]


def expand(codes: str) -> Iterator[str]:
    """The prefixes and kinds that a cell of a table stands for, without dots.

    >>> list(expand("I11.0 T81.40-T81.42"))
    ['I110', 'T8140', 'T8141', 'T8142']
    """
    for word in codes.split():
        if word.startswith("@"):
            yield word
            continue
        first, _, last = (normal_key(p) for p in word.partition("-"))
        if not last:
            yield from _digits(first)
        elif len(first) == 3:
            yield from _categories(first, last)
        else:
            stem = first[:-1]
            if last[:-1] != stem:
                raise CodeassistError(f"{word}: a range below a category is one of its last characters")
            yield from (stem + c for c in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ" if first[-1] <= c <= last[-1])


def _digits(prefix: str) -> Iterator[str]:
    head, sign, tail = prefix.partition("?")
    if not sign:
        yield prefix
    else:
        for digit in _DIGITS:
            yield from _digits(head + digit + tail)


def _categories(first: str, last: str) -> Iterator[str]:
    for letter in range(ord(first[0]), ord(last[0]) + 1):
        for second in _DIGITS:
            for third in _LAST:
                category = chr(letter) + second + third
                if first <= category <= last:
                    yield category


def kind_of(key: str) -> str | None:
    """What only the whole code shows: ``@poisoning`` (also a toxic effect), ``@adverse-effect`` or ``@underdosing`` of
    T36-T65, or ``@sequela`` (7th character S of an injury)."""
    letter = key[0]
    if letter not in "ST":
        return None
    if len(key) == 7 and key[6] == "S":
        return "@sequela"
    if letter == "T" and "T36" <= key[:3] <= "T65" and len(key) > 5:
        if key[:3] > "T50":
            return "@poisoning"
        return _DRUG_KINDS.get(key[4] if key[5] == "X" else key[5])
    return None


@cache
def table() -> Table:
    """Both tables, read once."""
    constraints = []
    left: dict[str, int] = {}
    right: dict[str, int] = {}
    for n, (rule, when, before, after, reason, source) in enumerate(read_table("sequence_before", 6)):
        word, _, within = when.partition(" ")
        if word not in WHEN:
            raise CodeassistError(f"sequence_before.tsv: {when!r} is none of {', '.join(WHEN)}")
        prefixes = tuple(expand(within))
        constraints.append(Constraint(None if rule == "-" else rule, word, prefixes, reason, source))
        for side, codes in ((left, before), (right, after)):
            for prefix in expand(codes):
                side[prefix] = side.get(prefix, 0) | 1 << n
    ranks = {}
    for place, codes, reason, source in read_table("sequence_ranks", 4):
        rank = Rank(int(place.rstrip("+")), place.endswith("+"), reason, source)
        ranks.update(dict.fromkeys(expand(codes), rank))
    return Table(tuple(constraints), left, right, ranks)


@lru_cache(maxsize=16384)
def marks_of(key: str) -> Marks:
    """What the tables say of a diagnosis without its dot; the longest prefix gives the class."""
    tables = table()
    kind = kind_of(key)
    names = [key[:n] for n in range(3, len(key) + 1)] if kind != "@sequela" else []
    if kind is not None:
        names.append(kind)
    left = right = 0
    rank = tables.ranks["@condition"]
    for name in names:
        left |= tables.left.get(name, 0)
        right |= tables.right.get(name, 0)
        rank = tables.ranks.get(name, rank)
    return Marks(rank, left, right)

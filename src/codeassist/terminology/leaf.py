"""From a category to the billable code that a text supports, never beyond it.

ICD-10-CM guidelines I.B.2 (level of detail), I.B.18 (unspecified codes) and I.C.19.a (7th characters).
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from functools import lru_cache

from codeassist.terminology.store import Store

_FREE = frozenset(
    "unspecified without unilateral other specified type site part initial encounter closed routine healing "
    "degree severity stage eye ear eyelid not applicable single fetus uncomplicated due "
    "known physiological condition primary region side canthus including".split()
)
"""Words that a note need not say for a leaf to hold."""
_DOMINANT = {"right": "dominant", "left": "nondominant"}
"""Where dominance is not stated, the right side is dominant and the left is not (guideline I.C.6.a)."""
_UNSPECIFIED = frozenset({"unspecified"})
_OTHER = frozenset({"other", "specified"})
_INTENT = frozenset("accidental unintentional".split())
"""Poisoning is accidental unless the note says otherwise (I.C.19.e.5.b, tabular T36 to T50)."""


_CLAIMS = frozenset(
    "left right bilateral acute chronic subacute recurrent persistent intermittent mild moderate severe exacerbation "
    "first second third trimester 1 2 3 4 5 3a 3b open displaced subsequent sequela delayed nonunion malunion "
    "hemorrhage bleeding perforation obstruction abscess gangrene infection type complication agitation "
    "presymptomatic".split()
)
"""Words that even an unspecified code may not add to what a text says."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A billable row, the words of the text that chose it, the words that would have chosen a sibling, and how many
    words of its title the text lacks: ``unsupported`` of those that must be said, ``vague`` of an unspecified code."""

    row: int
    matched: frozenset[str] = frozenset()
    missing: tuple[str, ...] = ()
    unsupported: int = 0
    vague: int = 0


@dataclass(frozen=True, slots=True)
class _Option:
    """A row below a category: the words of its title that the category lacks, those that both have, those of its own
    that a text must say, what it is worth before a text says anything, and what its length takes away."""

    row: int
    billable: bool
    specific: frozenset[str]
    implied: frozenset[str]
    must: frozenset[str]
    unspecified: bool
    worth: float
    length: float


def _option(store: Store, row: int, specific: frozenset[str], implied: frozenset[str]) -> _Option:
    unspecified = not specific.isdisjoint(_UNSPECIFIED)
    worth = 0.0
    if unspecified:
        worth = 0.7
    elif not specific.isdisjoint(_OTHER):
        worth = -0.4
    elif not specific:  # "without complications" is what a bare category means
        worth = 0.55
    length = 0.05 * len(specific & _FREE)
    must = specific - _FREE - _INTENT
    billable = bool(store.billable[row])
    return _Option(row, billable, specific, implied, must, unspecified, worth, length)


class LeafPicker:
    """Chooses among the billable codes below a row by the words that a text holds."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._options = lru_cache(maxsize=8192)(self._read_options)
        self._choose = lru_cache(maxsize=65536)(self._pick)

    def pick(self, row: int, words: Set[str], day: int) -> Leaf | None:
        """The leaf at or below ``row`` that ``words`` support on ``day``, or ``None`` when every leaf
        says more than the text does (such as a side that must be named)."""
        if self._store.billable[row]:
            if self._store.valid(day)[row]:
                return Leaf(row)
            if len(self._store.subtree(row)) == 1:
                return None  # else a code that has become a category
        telling = frozenset(words & self.vocabulary(row)) if words else frozenset()
        return self._choose(row, telling, day)

    def widest(self, row: int, day: int) -> int:
        """The highest category with the same leaf as ``row`` when nothing more is said, or ``row`` itself.

        A name that stands for an unspecified code ("hip arthritis": M16.9) may so find its specified sibling.
        """
        return self._widest(row, day)

    @lru_cache(maxsize=16384)  # noqa: B019 - one picker lives as long as its store
    def _widest(self, row: int, day: int) -> int:
        store = self._store
        if "unspecified" not in store.title(row).lower():
            return row
        default = self.pick(row, frozenset(), day)
        if default is None:
            return row
        best, above = row, int(store.parent[row])
        while above >= 0 and store.system[above] == store.system[row]:
            leaf = self.pick(above, frozenset(), day)
            if leaf is not None and leaf.row == default.row:
                best = above
            above = int(store.parent[above])
        return best

    def vocabulary(self, row: int) -> frozenset[str]:
        """The words that tell the leaves below ``row`` apart."""
        return self._vocabulary(row)

    @lru_cache(maxsize=8192)  # noqa: B019 - one picker lives as long as its store
    def _vocabulary(self, row: int) -> frozenset[str]:
        words: set[str] = set()
        for option in self._options(row):
            words |= option.specific | option.implied
            for sibling in self._options(option.row) if not self._store.billable[option.row] else ():
                words |= sibling.specific | sibling.implied
        return frozenset(words)

    def _read_options(self, row: int) -> tuple[_Option, ...]:
        """Leaves, or stems that take a 7th character, below ``row``; for such a stem, its expansions."""
        store = self._store
        below = store.subtree(row)
        rows = [r for r in below if r != row]
        direct = [r for r in rows if store.expanded[r] and store.parent[r] == row]
        if direct:
            rows = direct
        else:
            expanded_parents = {int(store.parent[r]) for r in rows if store.expanded[r]}
            rows = [r for r in rows if not store.expanded[r] and (store.billable[r] or r in expanded_parents)]
        base = store.title_words(row)
        words = {r: said for r in rows if (said := store.title_words(r))}  # without a title a code can't be chosen
        shared = frozenset.intersection(*words.values()) if len(words) > 1 else frozenset()
        return tuple(_option(store, r, w - base - shared, (w & base) - shared) for r, w in words.items())

    def _pick(self, row: int, words: frozenset[str], day: int) -> Leaf | None:
        store = self._store
        options = self._options(row)
        valid = store.valid(day)
        best: tuple[float, int, int, _Option] | None = None
        for option in options:
            if option.billable and not valid[option.row]:
                continue
            left_over = option.must - words
            if not _DOMINANT.keys().isdisjoint(option.specific):
                left_over -= {_DOMINANT[side] for side in option.specific & words & _DOMINANT.keys()}
            vague = 0
            if option.unspecified:
                claimed = left_over & _CLAIMS
                vague, left_over = len(left_over) - len(claimed), claimed
            unsupported = len(left_over)
            said = 2.0 * len(option.specific & words) + len(option.implied & words) if words else 0.0
            value = said - 3.0 * unsupported - 0.3 * vague - option.length + option.worth
            if best is None or value > best[0]:
                best = (value, unsupported, vague, option)
        if best is None:
            return None
        _, unsupported, vague, option = best
        matched = option.specific & words
        chosen = option.row
        if not store.billable[chosen]:
            below = self._pick(chosen, words, day)
            if below is None:
                return None
            chosen, matched = below.row, matched | below.matched
            unsupported, vague = unsupported + below.unsupported, vague + below.vague
        missing = sorted({w for o in options for w in o.specific} - _FREE - words) if len(options) > 1 else []
        return Leaf(chosen, frozenset(matched), tuple(missing), unsupported, vague)

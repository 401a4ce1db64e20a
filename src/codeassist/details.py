"""What stands beside a suggestion: codes that a coder may want instead, and what would make it more specific."""

from __future__ import annotations

import re
from functools import lru_cache

from codeassist.result import Alternative
from codeassist.terminology.store import Store
from codeassist.terminology.words import content_stems

_MOST = 5
_KINDS = (
    ("side", frozenset({"left", "right", "bilateral"})),
    ("trimester", frozenset({"first", "second", "third", "trimester"})),
    ("stage", frozenset("1 2 3 3a 3b 4 5 stage".split())),
    ("acuity", frozenset({"acute", "chronic", "subacute", "recurrent"})),
    ("severity", frozenset({"mild", "moderate", "severe", "exacerbation", "intractable", "status"})),
)
_OPEN = re.compile(r"(?<!\bor )\bunspecified\b", re.I)
"""Not "stage 1 through stage 4 or unspecified": such a code is right for what is stated, too."""


class Details:
    """Alternatives and specificity hints by row, computed once a row and day."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.alternatives = lru_cache(maxsize=16384)(self._alternatives)
        self.specificity = lru_cache(maxsize=16384)(self._specificity)

    def _siblings(self, row: int, day: int) -> list[int]:
        store = self._store
        parent = int(store.parent[row])
        if parent < 0 or store.system[parent] != store.system[row]:
            return []
        valid = store.valid(day)
        return [r for r in store.children(parent) if r != row and valid[r]]

    def _alternatives(self, row: int, day: int) -> tuple[Alternative, ...]:
        store = self._store
        own = set(content_stems(store.title(row)))
        out = []
        for sibling in self._siblings(row, day)[: 3 * _MOST]:
            words = content_stems(store.title(sibling))
            other = [w for w in words if w not in own]
            why = f"if the note says: {' '.join(other[:6])}" if other else "one step away in the hierarchy"
            out.append((len(other), Alternative(store.code(sibling), store.title(sibling), why)))
        out.sort(key=lambda pair: (pair[0], pair[1].code))
        return tuple(a for _, a in out[:_MOST])

    def _specificity(self, row: int, day: int) -> tuple[str, ...]:
        """Hints for a code that says "unspecified": what its siblings would need (guideline I.B.18)."""
        store = self._store
        if not _OPEN.search(store.title(row)):
            return ()
        own = set(content_stems(store.title(row)))
        words = {w for s in self._siblings(row, day) for w in content_stems(store.title(s))} - own
        hints = []
        for name, members in _KINDS:
            found = sorted(words & members)
            if len(found) > 1 or (found and name == "side"):
                hints.append(f"the {name} is not stated: {', '.join(found)}")
        if not hints and words:
            examples = [store.title(s) for s in self._siblings(row, day)[:3]]
            hints.append(f"more detail would give, for example: {'; '.join(examples)}")
        return tuple(hints)

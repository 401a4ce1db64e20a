"""Chooses the spans of a note that support a candidate."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from codeassist.nlp.annotations import STATUSES
from codeassist.nlp.reading import ReadDocument, ReadNote
from codeassist.ranking.features import Candidates
from codeassist.ranking.groups import ASSESSMENT, GROUP_OF
from codeassist.result import Assertion, Evidence, Span

MOST_MENTIONS = 4
MOST_TAUGHT = 2
SURE = 0.5
"""Least precision of taught words that are shown beside a mention of the code itself."""
_PRESENT = Assertion()
_Passage = tuple[int, int, int]
"""Document, first token, token after the last."""


class EvidencePicker:
    """The best mentions of a candidate, then the words that audited notes taught. One picker serves one note: it sorts
    the note's mentions and taught words for all candidates at once."""

    def __init__(self, read: ReadNote, found: Candidates) -> None:
        self._read = read
        self._made: dict[_Passage, Evidence] = {}
        candidates = np.arange(len(found.ids) + 1)
        order, self._mentions = _sorted_mentions(read, found)
        self._mention_of = np.searchsorted(found.hit_candidate[order], candidates).tolist()
        self._taught = taught = found.associations
        self._order = np.lexsort((taught.first, -taught.words, -taught.precision, found.association_candidate))
        self._taught_of = np.searchsorted(found.association_candidate[self._order], candidates).tolist()

    def pick(self, candidate: int) -> tuple[Evidence, ...]:
        """Evidence of one candidate, best first; spans do not repeat."""
        low, high = self._mention_of[candidate : candidate + 2]
        mentions = self._mentions[low : min(high, low + MOST_MENTIONS)]
        return self.at([*mentions, *self._taught_passages(candidate, SURE if mentions else 0.0)])

    def at(self, passages: Iterable[_Passage]) -> tuple[Evidence, ...]:
        """Evidence of passages in their order, each once."""
        return tuple(self._evidence(passage) for passage in dict.fromkeys(passages))

    def _taught_passages(self, candidate: int, least: float) -> list[_Passage]:
        low, high = self._taught_of[candidate : candidate + 2]
        if low == high:
            return []
        taught = self._taught
        out: list[_Passage] = []
        seen: set[tuple[int, int]] = set()
        for h in self._order[low:high].tolist():
            if taught.precision[h] < least:
                break
            p = int(taught.part[h])
            part = self._read.parts[p]
            start = int(part.content.token[taught.first[h]])
            sentence = (p, int(part.notes.sentence[start]))
            if sentence in seen:
                continue
            seen.add(sentence)
            out.append((p, start, int(part.content.token[taught.last[h]]) + 1))
            if len(out) == MOST_TAUGHT:
                break
        return out

    def _evidence(self, passage: _Passage) -> Evidence:
        made = self._made.get(passage)
        if made is None:
            p, first, last = passage
            part = self._read.parts[p]
            notes = part.notes
            start, end = int(notes.start[first]), int(notes.end[last - 1])
            made = self._made[passage] = Evidence(
                start,
                end,
                part.document.text[start:end],
                notes.sections[notes.section[first]].kind,
                assertion_at(part, first),
                part.document.id if len(self._read.parts) > 1 else None,
            )
        return made


def assertion_at(part: ReadDocument, token: int) -> Assertion:
    """Status and cue at a token."""
    notes = part.notes
    status = STATUSES[int(notes.status[token])]
    if status == "present":
        return _PRESENT
    number = int(notes.cue[token])
    if number < 0:
        return Assertion(status)  # type: ignore[arg-type]
    first, last = notes.cues[number]
    start, end = int(notes.start[first]), int(notes.end[last - 1])
    return Assertion(status, Span(start, end, part.document.text[start:end]))  # type: ignore[arg-type]


def _sorted_mentions(read: ReadNote, found: Candidates) -> tuple[np.ndarray, list[_Passage]]:
    """The mention hits by candidate, for each the best first: asserted, then assessed, then longer ones. Their order,
    and their passages in it."""
    hits = found.hits
    start, end, words, behind = np.zeros((4, len(hits)), dtype=np.int64)
    for p, part in enumerate(read.parts):
        mine = np.flatnonzero(hits.part == p)
        mentions = part.notes.mentions
        assert mentions is not None
        m = hits.mention[mine]
        start[mine], end[mine], words[mine] = mentions.start[m], mentions.end[m], mentions.words[m]
        elsewhere = np.array([GROUP_OF[s.kind] != ASSESSMENT for s in part.notes.sections])
        first = start[mine]
        behind[mine] = 2 * (part.notes.status[first] != 0) + elsewhere[part.notes.section[first]]
    order = np.lexsort((end, start, hits.part, -words, behind, found.hit_candidate))
    columns = (hits.part[order].tolist(), start[order].tolist(), end[order].tolist())
    return order, list(zip(*columns, strict=True))

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


class EvidencePicker:
    """The best mentions of a candidate, then the words that audited notes taught."""

    def pick(self, read: ReadNote, found: Candidates, candidate: int) -> tuple[Evidence, ...]:
        """Evidence of one candidate, best first; spans do not repeat."""
        mentions = self._mentions(read, found, candidate)
        taught = self._taught(read, found, candidate, SURE if mentions else 0.0)
        return self.at(read, [*mentions, *taught])

    def at(self, read: ReadNote, passages: Iterable[tuple[int, int, int]]) -> tuple[Evidence, ...]:
        """Evidence of passages (document, first token, token after the last) in their order, each once."""
        several = len(read.parts) > 1
        return tuple(self._evidence(read.parts[p], s, e, several) for p, s, e in dict.fromkeys(passages))

    def assertion(self, part: ReadDocument, token: int) -> Assertion:
        """Status and cue at a token."""
        notes = part.notes
        status = STATUSES[int(notes.status[token])]
        if status == "present":
            return Assertion()
        number = int(notes.cue[token])
        if number < 0:
            return Assertion(status)  # type: ignore[arg-type]
        first, last = notes.cues[number]
        start, end = int(notes.start[first]), int(notes.end[last - 1])
        return Assertion(status, Span(start, end, part.document.text[start:end]))  # type: ignore[arg-type]

    def _mentions(self, read: ReadNote, found: Candidates, candidate: int) -> list[tuple[int, int, int]]:
        hits = found.hits
        scored = []
        for h in np.flatnonzero(found.hit_candidate == candidate).tolist():
            part = read.parts[int(hits.part[h])]
            mentions = part.notes.mentions
            assert mentions is not None
            m = int(hits.mention[h])
            start, end = int(mentions.start[m]), int(mentions.end[m])
            asserted = part.notes.status[start] == 0
            assessed = GROUP_OF[part.notes.sections[part.notes.section[start]].kind] == ASSESSMENT
            scored.append((not asserted, not assessed, -int(mentions.words[m]), int(hits.part[h]), start, end))
        return [(p, s, e) for *_, p, s, e in sorted(scored)[:MOST_MENTIONS]]

    def _taught(self, read: ReadNote, found: Candidates, candidate: int, least: float) -> list[tuple[int, int, int]]:
        taught = found.associations
        mine = np.flatnonzero((found.association_candidate == candidate) & (taught.precision >= least))
        if not len(mine):
            return []
        mine = mine[np.lexsort((taught.first[mine], -taught.words[mine], -taught.precision[mine]))]
        out, seen = [], set()
        for h in mine.tolist():
            part = read.parts[int(taught.part[h])]
            start = int(part.content.token[taught.first[h]])
            sentence = (int(taught.part[h]), int(part.notes.sentence[start]))
            if sentence in seen:
                continue
            seen.add(sentence)
            out.append((int(taught.part[h]), start, int(part.content.token[taught.last[h]]) + 1))
            if len(out) == MOST_TAUGHT:
                break
        return out

    def _evidence(self, part: ReadDocument, first: int, last: int, several: bool) -> Evidence:
        notes = part.notes
        start, end = int(notes.start[first]), int(notes.end[last - 1])
        return Evidence(
            start,
            end,
            part.document.text[start:end],
            notes.sections[notes.section[first]].kind,
            self.assertion(part, first),
            part.document.id if several else None,
        )

"""The cues of a note and the tokens that its visit is assessed on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from spacy.matcher import PhraseMatcher

from codeassist.nlp.annotations import STATUSES, Annotations
from codeassist.nlp.reading import ReadDocument, ReadNote
from codeassist.nlp.tokenizer import shared_english
from codeassist.ranking.groups import GROUP_NAMES, GROUP_OF
from codeassist.visits.tables import cue_forms
from codeassist.visits.visit import Passage

PRESENT, NEGATED, POSSIBLE = (STATUSES.index(s) for s in ("present", "negated", "possible"))
_ASSESSED = frozenset(GROUP_NAMES.index(g) for g in ("assessment", "plan"))
_HOSPITAL = frozenset({"hospital_course", "consultations", "disposition", "instructions", "other"})
_ASIDE_KINDS = frozenset({"family", "social", "past_history", "surgical_history", "ros", "allergies", "immunizations"})
_LISTS = frozenset({"medications", "problem_list"})


@dataclass(frozen=True, slots=True)
class Cue:
    """A cue that the note holds: its kind and name, where it stands, and what the note says of it."""

    kind: str
    name: str
    at: Passage
    status: int


class CueFinder:
    """Finds all cues of ``cues.tsv`` in one pass over a document."""

    def __init__(self) -> None:
        english = shared_english()
        self._matcher = PhraseMatcher(english.vocab, attr="LOWER")
        self._means: dict[int, list[tuple[str, str]]] = {}
        for kind, name, forms in cue_forms():
            for form in forms:
                key = english.vocab.strings.add(f"visit:{form}")
                if key not in self._means:
                    self._matcher.add(f"visit:{form}", [english.tokenizer(form)])
                self._means.setdefault(key, []).append((kind, name))

    def __call__(self, number: int, part: ReadDocument) -> Iterator[Cue]:
        """The cues of a document in order; a cue inside a longer one does not count."""
        reached, span = 0, (0, 0)
        status = part.notes.status
        for key, start, end in sorted(self._matcher(part.doc), key=lambda m: (m[1], -m[2])):
            if end <= reached and (start, end) != span:
                continue
            reached, span = max(reached, end), (start, end)
            for kind, name in self._means[key]:
                yield Cue(kind, name, Passage(number, start, end), int(status[start]))


@cache
def _finder() -> CueFinder:
    return CueFinder()


class Findings:
    """The cues of the chosen documents of a note by kind, and which tokens its problems and its risk are read from.

    Those are the tokens of the assessment and plan (and in an emergency department or a hospital of its course, of
    the disposition and of sections without a known heading). A
    note that has no such section is read from the second half of its text.
    """

    def __init__(self, read: ReadNote, parts: Iterable[int]) -> None:
        self.read = read
        self.parts = tuple(parts)
        self.headed = False
        self._cues: dict[str, list[Cue]] = {}
        find = _finder()
        self._inside: dict[int, np.ndarray] = {}
        self._aside: dict[int, np.ndarray] = {}
        for p in self.parts:
            part = read.parts[p]
            for cue in find(p, part):
                self._cues.setdefault(cue.kind, []).append(cue)
            notes = part.notes
            kinds = [s.kind for s in notes.sections]
            assessed = np.array([GROUP_OF[k] in _ASSESSED for k in kinds])
            self._inside[p] = assessed[notes.section]
            self._aside[p] = np.array([k in _ASIDE_KINDS for k in kinds])[notes.section]
            self.headed = self.headed or bool(self._inside[p].any())
        for p in self.parts:
            notes = read.parts[p].notes
            if not self.headed:
                listed = np.array([s.kind in _LISTS for s in notes.sections])[notes.section]
                self._inside[p] = ~self._aside[p] & ~listed & (np.arange(len(notes)) >= len(notes) // 2)
            elif read.note.setting != "outpatient":
                self._inside[p] |= np.array([s.kind in _HOSPITAL for s in notes.sections])[notes.section]

    def cues(self, *kinds: str) -> list[Cue]:
        """The cues of these kinds, wherever they stand."""
        return [c for kind in kinds for c in self._cues.get(kind, ())]

    def assessed(self, *kinds: str) -> list[Cue]:
        """The cues of these kinds that the assessment or plan states."""
        return [c for c in self.cues(*kinds) if c.status in (PRESENT, POSSIBLE) and self.inside(c.at)]

    def inside(self, at: Passage) -> bool:
        """Whether problems and risk are read from the tokens at ``at``."""
        return bool(self._inside[at.part][at.first])

    def tokens(self, part: int) -> np.ndarray:
        """The tokens of a document that problems and risk are read from."""
        return np.flatnonzero(self._inside[part])

    def aside(self, at: Passage) -> bool:
        """Whether the tokens at ``at`` stand in a section on the past, the family or the like."""
        return bool(self._aside[at.part][at.first])

    def notes(self, part: int) -> Annotations:
        """The annotations of a document."""
        return self.read.parts[part].notes

    def section_kind(self, at: Passage) -> str:
        """The kind of section that ``at`` begins in."""
        notes = self.notes(at.part)
        return notes.sections[int(notes.section[at.first])].kind

    def sentence(self, at: Passage) -> int:
        """The sentence that ``at`` begins in."""
        return int(self.notes(at.part).sentence[at.first])

    def words(self, at: Passage) -> str:
        """The text at ``at``."""
        notes = self.notes(at.part)
        return notes.text[int(notes.start[at.first]) : int(notes.end[at.last - 1])]

"""Which notes would teach most: by doubt, by disagreement, and each kind of note only once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from codeassist.assistant import CodeAssistant
from codeassist.nlp.reading import NoteReader
from codeassist.note import Note
from codeassist.proposing import LabelSpace, Proposer
from codeassist.ranking.features import COLUMN
from codeassist.result import CodingResult
from codeassist.teaching import disagreement, priority, uncertainty
from training.data_report.duplicates import find_pairs

_TAUGHT = ("taught_best", "note_score")
_SHOWN = 5
_RATHER = 0.5
_OWN = 0.25
"""Weight of one release's own disagreement, which says less than that of two."""
_LEAST_DOUBT, _MOST_DOUBT = 0.1, 0.9


@dataclass(frozen=True, slots=True)
class Teaching:
    """How much a note would teach. ``codes`` are the most doubtful ones; ``like`` names a note before it in the list
    that is nearly the same, in which case the priority is 0."""

    id: str
    priority: float
    uncertainty: float
    disagreement: float
    codes: tuple[str, ...]
    like: str | None = None

    def as_record(self) -> dict[str, Any]:
        """For JSON Lines."""
        record: dict[str, Any] = {
            "id": self.id,
            "priority": round(self.priority, 4),
            "uncertainty": round(self.uncertainty, 4),
            "disagreement": round(self.disagreement, 4),
            "codes": list(self.codes),
        }
        return record if self.like is None else {**record, "like": self.like}


class OwnDisagreement:
    """How far the ranker of one release contradicts what the audited notes alone say (associations and likeness),
    between 0 and 1: of the codes that these would rather give than not, the greatest lack of probability."""

    def __init__(self, assistant: CodeAssistant) -> None:
        store, self._release = assistant.terminology, assistant.release
        self._store, self._reader = store, NoteReader(store)
        space = LabelSpace(store, self._release.labels)
        self._proposer = Proposer(store, space, self._release.shares, self._release.audited_labels)

    def __call__(self, note: Note, result: CodingResult) -> float:
        read = self._reader(note)
        taught = self._proposer.taught(read, self._release.lessons)
        found = self._proposer.candidates(read, self._store.day(note.date_of_service), taught)
        says = np.max([found.matrix[:, COLUMN[name]] for name in _TAUGHT], axis=0)
        keys = [self._proposer.features.key(int(c)) for c in found.ids]
        given: dict[tuple[str, str], float] = {}
        for s in result.suggestions:
            given[s.system, s.code.replace(".", "")] = s.probability
        gaps = [float(v) - given.get(key, 0.0) for key, v in zip(keys, says, strict=True) if v > _RATHER]
        return min(1.0, max(0.0, *gaps)) if gaps else 0.0


def rank_notes(
    notes: Sequence[Note], assistant: CodeAssistant, against: CodeAssistant | None = None, track: Any = iter
) -> list[Teaching]:
    """The notes by how much they would teach, the most first; notes nearly the same as one before come last.

    With ``against``, disagreement is that of the two releases, else that of :class:`OwnDisagreement`.
    """
    own = OwnDisagreement(assistant) if against is None else None
    found = [_teaching(note, assistant, against, own) for note in track(notes)]
    order = sorted(range(len(notes)), key=lambda i: (-found[i].priority, found[i].id))
    texts = ["\n".join(d.text for d in notes[i].parts) for i in order]
    like = {p.note: found[order[p.like]].id for p in find_pairs(texts)}
    first = [found[i] for place, i in enumerate(order) if place not in like]
    return [*first, *(_after(found[order[place]], name) for place, name in sorted(like.items()))]


def _teaching(
    note: Note, assistant: CodeAssistant, against: CodeAssistant | None, own: OwnDisagreement | None
) -> Teaching:
    result = assistant.suggest(note)
    doubt = uncertainty(result)
    if against is not None:
        other = against.suggest(note)
        apart, place = disagreement(result, other), priority(result, other)
    else:
        apart = own(note, result) if own else 0.0
        place = doubt * (1 - _OWN) + apart * _OWN
    return Teaching(note.id, place, doubt, apart, _doubtful(result))


def _doubtful(result: CodingResult) -> tuple[str, ...]:
    open_ones = [s for s in result.suggestions if _LEAST_DOUBT <= s.probability <= _MOST_DOUBT]
    return tuple(s.code for s in sorted(open_ones, key=lambda s: abs(s.probability - 0.5))[:_SHOWN])


def _after(one: Teaching, like: str) -> Teaching:
    return Teaching(one.id, 0.0, one.uncertainty, one.disagreement, one.codes, like)

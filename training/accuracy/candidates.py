"""Which codes are candidates for a note at all, before ranking, floors and rules: to tell why a code was missed."""

from __future__ import annotations

from codeassist.assistant import CodeAssistant
from codeassist.nlp.reading import NoteReader
from codeassist.note import Note
from codeassist.proposing import LabelSpace, Proposer
from training.accuracy.judging import Code


class CandidateFinder:
    """Proposes candidates with the terminology and the release of ``assistant``."""

    def __init__(self, assistant: CodeAssistant) -> None:
        store, self._release = assistant.terminology, assistant.release
        space = LabelSpace(store, self._release.labels)
        self._store = store
        self._reader = NoteReader(store)
        self._proposer = Proposer(store, space, self._release.shares, self._release.audited_labels)

    def __call__(self, note: Note) -> frozenset[Code]:
        """Every candidate of the note."""
        release, read = self._release, self._reader(note)
        day = self._store.day(note.date_of_service)
        taught = self._proposer.taught(read, release.lessons)
        found = self._proposer.candidates(read, day, taught)
        return frozenset(self._proposer.features.key(i) for i in found.ids.tolist())

"""A note as the pipeline has read it: what candidates and ranking work on."""

from __future__ import annotations

from dataclasses import dataclass

from spacy.tokens import Doc

from codeassist.nlp.annotations import Annotations, Content, annotations_of
from codeassist.nlp.attributes.attributes import AttributeContext
from codeassist.nlp.mentions.values import content_words
from codeassist.nlp.pipeline import Pipeline
from codeassist.note import Document, Note, Setting
from codeassist.terminology.store import Store


@dataclass(slots=True)
class ReadDocument:
    """One document with its annotations."""

    document: Document
    doc: Doc
    notes: Annotations
    content: Content
    context: AttributeContext


@dataclass(slots=True)
class ReadNote:
    """A note with its documents read."""

    note: Note
    parts: list[ReadDocument]


class NoteReader:
    """Reads notes with one pipeline."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pipeline = Pipeline(store, spans=False)

    def document(self, document: Document, setting: Setting = "outpatient") -> ReadDocument:
        """One document, read."""
        doc = self._pipeline(document.text)
        notes = annotations_of(doc)
        return ReadDocument(
            document, doc, notes, content_words(notes, self._store), AttributeContext(doc, setting == "emergency")
        )

    def __call__(self, note: Note) -> ReadNote:
        return ReadNote(note, [self.document(d, note.setting) for d in note.parts])

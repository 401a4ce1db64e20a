"""The pipeline that the service runs."""

from __future__ import annotations

from spacy.tokens import Doc

from codeassist.nlp.annotations import TEXT
from codeassist.nlp.assertion.assertion import AssertionMarker
from codeassist.nlp.mentions.mentions import MentionFinder
from codeassist.nlp.sections.sections import Sectionizer
from codeassist.nlp.sentences.sentences import SentenceSplitter
from codeassist.nlp.tokenizer import Tokenizer
from codeassist.terminology.store import Store


class Pipeline:
    """The components in their order, over one tokenizer; call it with a text.

    With ``spans`` the sentences and sections are also set as spaCy's own; the arrays of
    :class:`~codeassist.nlp.annotations.Annotations` are filled either way.
    """

    def __init__(self, store: Store, spans: bool = True) -> None:
        self._tokenizer = Tokenizer()
        self._components = (SentenceSplitter(spans), Sectionizer(spans), AssertionMarker(), MentionFinder(store))

    def __call__(self, text: str) -> Doc:
        doc = self._tokenizer(text)
        doc.user_data[TEXT] = text
        for component in self._components:
            doc = component(doc)
        return doc


def make_pipeline(store: Store) -> Pipeline:
    """The pipeline over a terminology store."""
    return Pipeline(store)

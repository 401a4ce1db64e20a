"""The pipeline that the service runs."""

from __future__ import annotations

from collections.abc import Callable

from spacy.tokens import Doc

from codeassist.nlp.annotations import TEXT
from codeassist.nlp.assertion.assertion import AssertionMarker
from codeassist.nlp.detectors import DetectedMentions, load_detectors
from codeassist.nlp.mentions.mentions import MentionFinder
from codeassist.nlp.sections.sections import Sectionizer
from codeassist.nlp.sentences.sentences import SentenceSplitter
from codeassist.nlp.tokenizer import Tokenizer
from codeassist.settings import settings
from codeassist.terminology.store import Store


class Pipeline:
    """The components in their order, over one tokenizer; call it with a text.

    With ``spans`` the sentences and sections are also set as spaCy's own; the arrays of
    :class:`~codeassist.nlp.annotations.Annotations` are filled either way.
    """

    def __init__(self, store: Store, spans: bool = True) -> None:
        self._tokenizer = Tokenizer()
        self._components: tuple[Callable[[Doc], Doc], ...] = (
            SentenceSplitter(spans),
            Sectionizer(spans, store.site_headings),
            AssertionMarker(store.site_cues),
            MentionFinder(store),
        )
        names = settings().mention_detectors
        if names:
            self._components += (DetectedMentions(store, load_detectors(names)),)

    def __call__(self, text: str) -> Doc:
        doc = self._tokenizer(text)
        doc.user_data[TEXT] = text
        for component in self._components:
            doc = component(doc)
        return doc


def make_pipeline(store: Store) -> Pipeline:
    """The pipeline over a terminology store."""
    return Pipeline(store)

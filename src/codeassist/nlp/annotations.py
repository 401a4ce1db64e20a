"""What the pipeline says of a note, as arrays with one value a token."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from spacy.attrs import IDX, IS_PUNCT, IS_SPACE, LENGTH, LOWER
from spacy.tokens import Doc

TEXT = "codeassist_text"
"""Where the pipeline leaves the text that it was given."""
KEY = "codeassist"
"""Where the annotations of a :class:`~spacy.tokens.Doc` lie in its ``user_data``."""

STATUSES = ("present", "negated", "possible", "hypothetical", "historical", "family")


@dataclass(slots=True)
class Annotations:
    """Arrays over the tokens of one document, filled by the components in turn.

    ``text`` is the document's, kept because spaCy joins it anew at each call. ``start`` and ``end`` are character
    offsets; ``sentence`` numbers sentences and ``section`` indexes ``sections``; ``status`` holds an index into
    :data:`STATUSES` and ``cue`` an index into ``cues`` or -1.
    """

    text: str
    lower: np.ndarray
    start: np.ndarray
    end: np.ndarray
    punctuation: np.ndarray
    space: np.ndarray
    sentence: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32))
    line: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32))
    section: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32))
    sections: list[Section] = field(default_factory=list)
    status: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int8))
    cue: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32))
    cues: list[tuple[int, int]] = field(default_factory=list)
    """Token spans of the cues."""
    content: Content | None = None
    mentions: MentionArrays | None = None

    def __len__(self) -> int:
        return len(self.lower)


@dataclass(frozen=True, slots=True)
class Section:
    """A section: its kind (see ``sections/headings.tsv``), its title as written, and character offsets."""

    kind: str
    title: str
    start: int
    body: int
    end: int


@dataclass(slots=True)
class Content:
    """The content words of a note: token index, value, and whether the value is known to the terminology.

    ``gap`` counts, up to each content word, the punctuation that separates list items.
    """

    token: np.ndarray
    value: np.ndarray
    known: np.ndarray
    segment: np.ndarray
    gap: np.ndarray


@dataclass(slots=True)
class MentionArrays:
    """Matched phrases, one row each: token span (end exclusive), index of the phrase in its table,
    how many words of it are content words, and whether a longer match covers it."""

    start: np.ndarray
    end: np.ndarray
    phrase: np.ndarray
    words: np.ndarray
    nested: np.ndarray

    def __len__(self) -> int:
        return len(self.start)


def annotations_of(doc: Doc) -> Annotations:
    """The annotations of ``doc``, made on first use."""
    found = doc.user_data.get(KEY)
    if found is None:
        values = doc.to_array([LOWER, IDX, LENGTH, IS_PUNCT, IS_SPACE])
        start = values[:, 1].astype(np.int64)
        text = doc.user_data.get(TEXT) or doc.text
        found = Annotations(
            text=text,
            lower=values[:, 0],
            start=start,
            end=start + values[:, 2].astype(np.int64),
            punctuation=values[:, 3].astype(bool),
            space=values[:, 4].astype(bool),
        )
        n = len(found)
        found.sentence = np.zeros(n, np.int32)
        found.line = np.zeros(n, np.int32)
        found.section = np.zeros(n, np.int32)
        found.sections = [Section("other", "", 0, 0, len(text))]
        found.status = np.zeros(n, np.int8)
        found.cue = np.full(n, -1, np.int32)
        doc.user_data[KEY] = found
    return found

"""What audited notes taught about candidates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields

import numpy as np

from codeassist.candidates.associations import Associations
from codeassist.candidates.likeness import Likeness


@dataclass(slots=True)
class Lessons:
    """Associations of words with codes, and the classifiers of whole notes and of sentences."""

    associations: Associations
    notes: Likeness
    sentences: Likeness

    def arrays(self) -> Iterator[tuple[str, str, np.ndarray]]:
        """Every array, with the name of the lesson and of its field."""
        for lesson in (f.name for f in fields(self)):
            value: Associations | Likeness = getattr(self, lesson)
            for field in fields(value):
                if field.init:
                    yield lesson, field.name, getattr(value, field.name)


def lessons_of(array: Callable[[str, str], np.ndarray]) -> Lessons:
    """Lessons whose arrays ``array`` finds by the names of lesson and field."""
    return Lessons(
        Associations(*(array("associations", f.name) for f in fields(Associations) if f.init)),
        *(Likeness(*(array(lesson, f.name) for f in fields(Likeness))) for lesson in ("notes", "sentences")),
    )

"""What the assessment of a visit gives back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal, NamedTuple


class Level(IntEnum):
    """A level of decision making, of the whole or of one of its three elements."""

    STRAIGHTFORWARD = 1
    LOW = 2
    MODERATE = 3
    HIGH = 4

    def __str__(self) -> str:
        return self.name.lower()


class Passage(NamedTuple):
    """Tokens of one document of the note, end exclusive."""

    part: int
    first: int
    last: int


ElementName = Literal["problems", "data", "risk"]
ELEMENT_WORDS: dict[ElementName, str] = {"problems": "problems addressed", "data": "data reviewed", "risk": "risk"}


@dataclass(frozen=True, slots=True)
class Element:
    """One element of decision making: its level, why in a coder's words, and the passages that support it."""

    name: ElementName
    level: Level
    reason: str
    passages: tuple[Passage, ...] = ()

    def __str__(self) -> str:
        return f"{ELEMENT_WORDS[self.name]}: {self.level} ({self.reason})"


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A code that a coder may want instead, and why."""

    code: str
    why: str


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit's code. ``level`` is that of the decision making, two of the three ``elements``; ``chosen_by`` says what
    the code was chosen by in the end, and ``passages`` what in the note says so beside the elements."""

    code: str
    family: str
    level: Level
    elements: tuple[Element, ...]
    alternatives: tuple[Neighbour, ...] = ()
    chosen_by: str = "decision making"
    minutes: int | None = None
    passages: tuple[Passage, ...] = ()

    def element(self, name: ElementName) -> Element:
        """The element of this name."""
        return next(e for e in self.elements if e.name == name)

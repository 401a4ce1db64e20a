"""Where the notes of a report stand and what they are coded with, in arrays: their texts are not kept."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Generic, TypeVar

import numpy as np

from training.data_report.problems import Problem, written
from training.data_report.reading import Placed

Code = tuple[str, str]
T = TypeVar("T")


class _Numbered(Generic[T]):
    """Numbers for values, and the values by number."""

    def __init__(self) -> None:
        self.values: list[T] = []
        self._numbers: dict[T, int] = {}

    def __call__(self, value: T) -> int:
        number = self._numbers.setdefault(value, len(self.values))
        if number == len(self.values):
            self.values.append(value)
        return number


class Places:
    """Notes by number, in the order in which they were read; some hundred bytes each."""

    def __init__(self) -> None:
        self._files, self._coders, self._labels = _Numbered[str](), _Numbered[str | None](), _Numbered[Code]()
        self._ids: list[str] = []
        self._file, self._line, self._test, self._coder = array("i"), array("q"), array("b"), array("i")
        self._code, self._code_line, self._begins = array("i"), array("q"), array("q", [0])

    def add(self, placed: Placed) -> None:
        """Enter the next note."""
        self._ids.append(placed.audited.note.id)
        self._file.append(self._files(placed.file))
        self._line.append(placed.line)
        self._test.append(placed.test)
        self._coder.append(self._coders(placed.coder))
        for j, code in enumerate(placed.audited.codes):
            self._code.append(self._labels((code.system, code.key)))
            self._code_line.append(placed.line_of(j))
        self._begins.append(len(self._code))

    def note_id(self, note: int) -> str:
        """The id of a note."""
        return self._ids[note]

    def file(self, note: int) -> str:
        """The file that a note stands in."""
        return self._files.values[self._file[note]]

    def line(self, note: int) -> int:
        """The line at which a note begins."""
        return self._line[note]

    def test(self, note: int) -> bool:
        """Whether a note belongs to a test set."""
        return bool(self._test[note])

    def coder(self, note: int) -> str | None:
        """Who coded a note, if that is known."""
        return self._coders.values[self._coder[note]]

    def codes(self, note: int) -> set[int]:
        """The codes of a note as numbers, of which :meth:`named` gives the code."""
        return set(self._code[self._begins[note] : self._begins[note + 1]])

    def named(self, label: int) -> Code:
        """The code of a number."""
        return self._labels.values[label]

    def problem(self, note: int, kind: str, message: str) -> Problem:
        """A problem of a note."""
        return Problem(kind, self.file(note), self.line(note), self._ids[note], message)

    def single_examples(self) -> Iterator[Problem]:
        """Codes that only one of the notes to train on has."""
        code = np.frombuffer(self._code, dtype=np.int32)
        begins = np.frombuffer(self._begins, dtype=np.int64)
        owner = np.repeat(np.arange(len(self._ids)), begins[1:] - begins[:-1])
        taught = np.frombuffer(self._test, dtype=np.int8)[owner] == 0
        notes = np.int64(max(1, len(self._ids)))
        times = np.bincount(
            np.unique(code[taught] * notes + owner[taught]) // notes, minlength=len(self._labels.values)
        )
        for at in np.flatnonzero(taught & (times[code] == 1)).tolist():
            note = int(owner[at])
            message = f"no other note has {written(*self.named(self._code[at]))}"
            yield Problem("one-example", self.file(note), self._code_line[at], self._ids[note], message)

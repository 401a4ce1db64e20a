"""The order of ICD-10-PCS procedures: the principal procedure first.

By the ICD-10-PCS guidelines, section "Selection of Principal Procedure": the procedure most related to the principal
diagnosis; among those, definitive treatment before examination. What treats what is in
``data/sequence_procedures.tsv``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from codeassist.rules.case import Line
from codeassist.rules.sequence_table import expand
from codeassist.rules.tables import read_table

_SOURCE = "ICD-10-PCS guidelines, selection of principal procedure"
_INSPECTIONS = "JK"
"""Root operations inspection and map."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a procedure is for; ``diagnoses`` are the prefixes of the diagnoses that it treats or examines."""

    kind: str
    diagnoses: frozenset[str]


_UNKNOWN = Purpose("accompanying", frozenset())


@cache
def _purposes() -> dict[str, Purpose]:
    out = {}
    for procedures, kind, diagnoses in read_table("sequence_procedures", 3):
        purpose = Purpose(kind, frozenset(expand(diagnoses)))
        out.update(dict.fromkeys(procedures.split(), purpose))
    return out


def _purpose(key: str) -> tuple[Purpose, str]:
    """The purpose by the longest prefix, and its kind for this very code."""
    purposes = _purposes()
    found = next((purposes[key[:n]] for n in range(min(len(key), 4), 0, -1) if key[:n] in purposes), _UNKNOWN)
    surgical = key[:1] == "0"
    examines = surgical and (key[6:7] == "X" or key[2:3] in _INSPECTIONS)
    return found, "examination" if examines else found.kind


def procedure_order(lines: Sequence[Line], principal: Line | None) -> list[tuple[Line, str]]:
    """The procedures in the order to report them, each with its reason; ``principal`` is the principal diagnosis."""
    keyed = []
    for line in lines:
        purpose, kind = _purpose(line.key)
        key = principal.key if principal else ""
        related = any(key[:n] in purpose.diagnoses for n in range(3, len(key) + 1))
        keyed.append(((kind == "accompanying", not related, kind != "treatment", line.place), line, kind, related))
    keyed.sort(key=lambda k: k[0])
    out = []
    for i, (_, line, kind, related) in enumerate(keyed):
        if i == 0 and len(keyed) > 1 and related and kind != "accompanying" and principal is not None:
            what = "definitive treatment of" if kind == "treatment" else "most related to"
            out.append((line, f"principal procedure: {what} {principal.code} ({_SOURCE})"))
        elif i == 0 and len(keyed) > 1:
            out.append((line, f"principal procedure: none is more related to the principal diagnosis ({_SOURCE})"))
        else:
            out.append((line, "procedures after diagnoses, in the order given"))
    return out

"""Codes that may not come first."""

from __future__ import annotations

from collections.abc import Iterator

from codeassist.result import Finding
from codeassist.rules.encounter import Encounter
from codeassist.terminology.store import Store

_EXTERNAL = ("V", "W", "X", "Y")


def check_position(encounter: Encounter, store: Store) -> Iterator[Finding]:
    """An error when the first diagnosis is an external cause or a manifestation in a disease classified elsewhere."""
    first = next((line for line in encounter.codes if line.system == "icd-10-cm"), None)
    if first is None:
        return
    if first.code.startswith(_EXTERNAL):
        yield Finding(
            "position.external-cause",
            "error",
            f"{first.code} says how it happened and is never the first diagnosis",
            (first.code,),
            "ICD-10-CM guidelines I.C.20.a.6",
            "put the injury or condition first",
            overridable=False,
        )
    row = store.row(first.system, first.code)
    if row is not None and "diseases classified elsewhere" in store.title(row):
        yield Finding(
            "position.manifestation",
            "error",
            f"{first.code} is a manifestation; its underlying disease comes first",
            (first.code,),
            "ICD-10-CM guidelines I.A.13",
            "put the underlying disease first",
            overridable=False,
        )

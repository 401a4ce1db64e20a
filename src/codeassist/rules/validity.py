"""Whether each code exists, is billable and in force on the date of service, and stands once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from codeassist.result import Finding
from codeassist.rules.encounter import Encounter
from codeassist.terminology.store import Store

_REFERENCE = "ICD-10-CM guidelines I.B.2: codes are reported at their highest number of characters"


def check_validity(encounter: Encounter, store: Store) -> Iterator[Finding]:
    """An error for a code that is in no release, is a category, or was not in force; a warning for a repeated one."""
    day = store.day(encounter.date_of_service)
    valid = store.valid(day)
    for line in encounter.codes:
        row = store.row(line.system, line.code)
        if row is None:
            yield Finding(
                "validity.unknown",
                "error",
                f"{line.code} is in no release of {line.system} held here",
                (line.code,),
                _REFERENCE,
                overridable=False,
            )
        elif not store.billable[row]:
            children = [store.code(r) for r in store.children(row)][:6]
            yield Finding(
                "validity.not-billable",
                "error",
                f"{line.code} is a category, not a billable code",
                (line.code,),
                _REFERENCE,
                f"choose one below it: {', '.join(children)}" if children else None,
                overridable=False,
            )
        elif not valid[row]:
            yield Finding(
                "validity.not-in-force",
                "error",
                f"{line.code} was not in force on {encounter.date_of_service.isoformat()}",
                (line.code,),
                "the release's dates of validity",
                overridable=False,
            )
    counts = Counter((line.system, line.code) for line in encounter.codes if line.system != "cpt")
    for (system, code), number in counts.items():
        if number > 1 and system in ("icd-10-cm", "icd-10-pcs"):
            yield Finding(
                "validity.repeated",
                "warning",
                f"{code} stands {number} times",
                (code,),
                "ICD-10-CM guidelines I.B.12: each diagnosis code is reported once",
                f"remove {code} where it repeats",
            )

"""Whether each code exists, is billable and in force on the date of service, and stands once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from codeassist.result import Finding
from codeassist.rules.case import Case
from codeassist.rules.family import read_rules

RULES = read_rules("validity")


def check_validity(case: Case) -> Iterator[Finding]:
    """An error for a code that is in no release, is a category, or was not in force; a warning for a repeated one."""
    store = case.store
    for line in case.lines:
        if line.row < 0:
            yield RULES["unknown"].finding(f"{line.code} is in no release of {line.system} held here", [line.code])
        elif not store.billable[line.row]:
            children = [store.code(r) for r in store.children(line.row)][:6]
            yield RULES["not-billable"].finding(
                f"{line.code} is a category, not a billable code",
                [line.code],
                f"choose one below it: {', '.join(children)}" if children else None,
            )
        elif not line.valid:
            day = case.encounter.date_of_service.isoformat()
            yield RULES["not-in-force"].finding(f"{line.code} was not in force on {day}", [line.code])
    counts = Counter(line.code for line in (*case.diagnoses, *case.procedures))
    for code, number in counts.items():
        if number > 1:
            yield RULES["repeated"].finding(f"{code} stands {number} times", [code], f"remove {code} where it repeats")

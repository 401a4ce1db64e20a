"""A proposed order of codes."""

from __future__ import annotations

from codeassist.rules.encounter import Encounter
from codeassist.terminology.store import Store


def propose_order(encounter: Encounter, store: Store) -> list[tuple[str, str]]:
    """Codes in the order to report them, each with its reason: diagnoses as given, external causes after
    other diagnoses (guideline I.C.20), procedures last."""

    def place(item: tuple[int, str, str]) -> tuple[int, int]:
        i, system, code = item
        if system != "icd-10-cm":
            return 2, i
        return (1 if code[:1] in "VWXY" else 0), i

    lines = [(i, line.system, line.code) for i, line in enumerate(encounter.codes)]
    reasons = ("in the order given", "external causes follow the condition (I.C.20)", "procedures after diagnoses")
    return [(code, reasons[place(item)[0]]) for item in sorted(lines, key=place) for code in (item[2],)]

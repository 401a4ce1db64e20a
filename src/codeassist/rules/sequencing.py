"""A proposed order of codes."""

from __future__ import annotations

from codeassist.rules.case import Case


def propose_order(case: Case) -> list[tuple[str, str]]:
    """Codes in the order to report them, each with its reason: diagnoses as given, external causes after
    other diagnoses (guideline I.C.20), procedures last."""
    ordered = [(line.code, "in the order given") for line in case.diagnoses if line.key[:1] not in "VWXY"]
    ordered += [
        (line.code, "external causes follow the condition (I.C.20)")
        for line in case.diagnoses
        if line.key[:1] in "VWXY"
    ]
    return ordered + [(line.code, "procedures after diagnoses") for line in (*case.procedures, *case.services)]

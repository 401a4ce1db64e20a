"""Whether each code fits the patient's sex, as long as the code editor had edits of it (until 2024-09-30)."""

from __future__ import annotations

from collections.abc import Iterator

from codeassist.result import Finding
from codeassist.rules.case import Case
from codeassist.rules.family import read_rules
from codeassist.terminology.edits import Edit

RULES = read_rules("sex")
_OTHER = {"M": (Edit.FEMALE, "female"), "F": (Edit.MALE, "male")}


def check_sex(case: Case) -> Iterator[Finding]:
    """A finding for each diagnosis or procedure that the edition of the day keeps for the other sex."""
    sex = case.encounter.patient.sex
    if sex is None:
        return
    edit, other = _OTHER[sex]
    flags = case.store.edits.on(case.day)
    for line in (*case.diagnoses, *case.procedures):
        if line.row >= 0 and int(flags[line.row]) & edit:
            yield RULES["conflict"].finding(
                f"{line.code} is for {other} patients; the patient's sex is {sex}",
                [line.code],
                "check the patient's sex and the code",
            )

"""Uncertain diagnoses: never outside a hospital stay, and not even there for some diseases."""

from __future__ import annotations

from collections.abc import Iterator

from codeassist.result import Finding
from codeassist.rules.case import Case, Line
from codeassist.rules.family import read_rules
from codeassist.rules.tables import read_table

RULES = read_rules("uncertain")
CONFIRMED = [
    (tuple(prefixes.split("|")), name, reference, instead)
    for prefixes, name, reference, instead in read_table("confirmed", 4)
]
_ON_ADMISSION = frozenset({"admission_diagnosis", "chief_complaint", "hpi", "indication", "preoperative_diagnosis"})
"""Kinds of section that are written before the stay ends."""


def check_uncertain(case: Case) -> Iterator[Finding]:
    """An error for a diagnosis that the note calls only possible, where the setting or the disease does not allow it,
    and for one that it rules out. Codes without evidence are passed over."""
    for line in case.diagnoses:
        evidence = line.coded.evidence
        if not evidence:
            continue
        statuses = {e.assertion.status for e in evidence}
        if statuses == {"negated"}:
            yield RULES["ruled-out"].finding(
                f"{line.code} is coded, and the note says that it is absent{_words(line)}",
                [line.code],
                f"remove {line.code}, and code the sign or symptom that led to the visit",
            )
        elif "possible" in statuses and statuses <= {"possible", "negated", "hypothetical"}:
            yield from _possible(case, line)


def _possible(case: Case, line: Line) -> Iterator[Finding]:
    for prefixes, name, reference, instead in CONFIRMED:
        if line.key.startswith(prefixes):
            yield RULES["confirmed-only"].finding(
                f"{line.code} stands for {name}, which is coded only when confirmed{_words(line)}",
                [line.code],
                f"code {instead}",
                f"ICD-10-CM guidelines {reference}",
            )
            return
    if not case.inpatient:
        yield RULES["outpatient"].finding(
            f"{line.code} is only a possibility in the note{_words(line)}, and this is no hospital stay",
            [line.code],
            f"code the sign, symptom or abnormal result in place of {line.code}",
        )
    elif {e.section for e in line.coded.evidence} <= _ON_ADMISSION:
        yield RULES["not-at-discharge"].finding(
            f"{line.code} is a possibility on admission, and nothing at discharge names it{_words(line)}",
            [line.code],
            f"code {line.code} only if it is still uncertain at discharge, else what was found",
        )


def _words(line: Line) -> str:
    """The cue and the words of the first place that has one."""
    for evidence in line.coded.evidence:
        if evidence.assertion.cue is not None:
            return f' ("{evidence.assertion.cue.text}": "{evidence.text}")'
    return ""

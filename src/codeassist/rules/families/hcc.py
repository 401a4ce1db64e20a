"""The risk-adjustment categories of the diagnoses (CMS-HCC V28), for information: nothing is ranked by them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from codeassist.result import Finding
from codeassist.rules.case import Case
from codeassist.rules.family import read_rules
from codeassist.terminology.hcc import HccTable

RULES = read_rules("hcc")


def hcc_editions(case: Case) -> Mapping[str, str]:
    """The payment year whose categories are used."""
    return {"cms-hcc": f"V28 {case.store.hcc.payment_year(case.day)}"} if case.diagnoses else {}


def check_hcc(case: Case) -> Iterator[Finding]:
    """One finding with the category of each diagnosis that has one; a category that a higher one drops says so."""
    lines = list({line.key: line for line in case.diagnoses if line.valid}.values())
    if not lines:
        return
    table, patient = case.store.hcc, case.encounter.patient
    year = table.payment_year(case.day)
    found = table.categories([line.row for line in lines], year, patient.age, patient.sex)
    present = {category for categories in found for category in categories}
    if not present:
        return
    why = _dropped(table, present)
    said = [
        f"{line.code} HCC {category} {table.label(category)}{why.get(category, '')}"
        for line, categories in zip(lines, found, strict=True)
        for category in categories
    ]
    newer = [line.code for line in lines if case.store.first[line.row] > table.complete_until]
    if newer:
        said.append(f"newer than the table: {', '.join(newer)}")
    yield RULES["category"].finding(
        f"CMS-HCC V28, payment year {year}: {'; '.join(said)}",
        [line.code for line, categories in zip(lines, found, strict=True) if categories],
    )


def _dropped(table: HccTable, present: Collection[int]) -> dict[int, str]:
    """Why a category that is present does not count."""
    counting = table.counting(present)
    why = dict.fromkeys(set(present) - counting, " (counts only beside a category of heart failure)")
    for other in sorted(counting, reverse=True):
        for category in table.below(other) & counting:
            why[category] = f" (dropped: HCC {other} stands above it)"
    return why

"""The MS-DRG of a hospital stay, for information: nothing is ranked or ordered by it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from codeassist.result import Finding
from codeassist.rules.case import Case, Line
from codeassist.rules.family import read_rules
from codeassist.rules.grouping import Complication, Grouping, group, stay_of, version_of

RULES = read_rules("drg")
_POA = frozenset("YNUW")
_PRESENT = "Y"
_LAST_PRE_MDC = 19
"""MS-DRGs 001 to 019 go before the MDCs: transplants, ECMO, tracheostomies."""
_REASONS = {
    "INVALID_PDX": "{code} is no valid diagnosis of {version}",
    "DX_CANNOT_BE_PDX": "{code} cannot be a principal diagnosis",
    "INVALID_SEX": "{code} groups by the patient's sex, which is not given",
    "UNGROUPABLE": "no MS-DRG takes these codes together",
}
_FIXES = {
    "INVALID_PDX": "put a diagnosis first that is valid on the day of discharge",
    "DX_CANNOT_BE_PDX": "put the condition that occasioned the admission first",
    "INVALID_SEX": "give the patient's sex",
}


def drg_editions(case: Case) -> Mapping[str, str]:
    """The version of MS-DRG that a hospital stay is grouped by."""
    return {"ms-drg": _version(case)[1:]} if case.inpatient and case.diagnoses else {}


def check_drg(case: Case) -> Iterator[Finding]:
    """The MS-DRG with what sets it, or why there is none; and what counts as CC or MCC."""
    if not case.inpatient or not case.diagnoses:
        return
    principal = case.diagnoses[0]
    if principal.row < 0:
        yield _ungroupable(case, principal, "INVALID_PDX")
        return
    patient = case.encounter.patient
    found = group(
        stay_of(
            case.day,
            [(line.key, _poa(line)) for line in case.diagnoses if line.row >= 0],
            [line.key for line in case.procedures if line.valid],
            patient.age,
            patient.sex,
        )
    )
    if found.reason != "OK":
        yield _ungroupable(case, principal, found.reason)
        return
    written = {line.key: line for line in (*case.procedures, *case.diagnoses)}
    codes = [principal.code, *(written[key].code for key in found.alone)]
    kind = "surgical" if case.store.drg_surgical[found.drg] else "medical"
    place = "pre-MDC" if found.drg <= _LAST_PRE_MDC else f"MDC {found.mdc} {found.mdc_title}"
    yield RULES["group"].finding(
        f"MS-DRG {found.drg:03d} {found.title} ({_version(case)}, {kind}, {place}){_set_by(found, written)}; "
        f"assumed: {', '.join(_assumptions(case, found, written))}",
        codes,
    )
    if found.complications:
        yield RULES["cc"].finding(
            _complications(found, principal, written), [written[c.key].code for c in found.complications]
        )


def _ungroupable(case: Case, principal: Line, reason: str) -> Finding:
    words = _REASONS.get(reason, "the grouper answers " + reason.replace("_", " ").lower())
    return RULES["ungroupable"].finding(
        f"no MS-DRG ({_version(case)}): {words.format(code=principal.code, version=_version(case))}",
        [principal.code],
        _FIXES.get(reason),
    )


def _version(case: Case) -> str:
    version = version_of(case.day)
    return f"V{version // 10}.{version % 10}"


def _poa(line: Line) -> str:
    """The present-on-admission indicator; a diagnosis without one, or exempt from it, counts as present."""
    return line.coded.poa if line.coded.poa in _POA else _PRESENT


def _set_by(found: Grouping, written: Mapping[str, Line]) -> str:
    severity = {c.key: c.severity for c in found.complications}
    said = [f"; {written[key].code} is the {severity[key]} that sets it" for key in found.alone if key in severity]
    procedures = [written[key].code for key in found.alone if key not in severity]
    if procedures:
        are = "is the procedure that sets it" if len(procedures) == 1 else "are the procedures that set it"
        said.append(f"; {' and '.join(procedures)} {are}")
    if found.either:
        codes = ", ".join(f"{written[key].code} ({severity[key]})" for key in found.either)
        said.append(f"; any one of {codes} is enough for it")
    return "".join(said)


def _assumptions(case: Case, found: Grouping, written: Mapping[str, Line]) -> list[str]:
    patient = case.encounter.patient
    present = [written[key].code for key in sorted(found.hac_listed) if written[key].coded.poa not in _POA]
    return [
        "discharged home",
        *(["an adult"] if patient.age is None else []),
        *(["sex not known"] if patient.sex is None else []),
        *([f"{', '.join(present)} present on admission"] if present else []),
    ]


def _complications(found: Grouping, principal: Line, written: Mapping[str, Line]) -> str:
    parts = []
    for severity in ("MCC", "CC"):
        codes = [written[c.key].code for c in found.counted if c.severity == severity]
        if codes:
            parts.append(f"{severity}: {', '.join(codes)}")
    dropped = [_dropped(c, principal, written[c.key].code) for c in found.complications if c.dropped]
    if dropped:
        parts.append(f"not counted: {', '.join(dropped)}")
    return "; ".join(parts)


def _dropped(complication: Complication, principal: Line, code: str) -> str:
    why = {
        "principal": f"excluded by the principal diagnosis {principal.code}",
        "drg": "left out by the logic of the DRG",
        "died": "counts only for a patient discharged alive",
        "hac": f"hospital-acquired condition {complication.hac:02d}, not present on admission",
    }[complication.dropped]
    return f"{code} ({complication.severity}, {why})"

"""Whether a CPT or HCPCS code that the catalogue lacks at least has the form of one."""

from __future__ import annotations

import re

from codeassist.rules.case import Case, Line
from codeassist.rules.diagnosis_form import Fault

_FORM = {"cpt": re.compile(r"\d{5}|\d{4}[FTUMA]"), "hcpcs": re.compile(r"[A-CEGHJ-MP-V]\d{4}")}
_DENTAL = re.compile(r"D\d{4}")
_WORDS = {
    "cpt": "five digits, or four digits and F, T, U, M or A",
    "hcpcs": "a letter from A to V and four digits",
}
_TITLES = {"cpt": "CPT", "hcpcs": "HCPCS"}
_STARTER = "starter"


def service_fault(case: Case, line: Line) -> Fault:
    """What is wrong with a code of ``cpt`` or ``hcpcs`` that is not in the catalogue held here."""
    code, system = line.code, line.system
    other = "hcpcs" if system == "cpt" else "cpt"
    if _FORM[system].fullmatch(line.key):
        edition = case.store.releases.get(system, "")
        if not edition.startswith(_STARTER):
            return Fault("unknown", f"{code} is not in the {_TITLES[system]} of {edition} held here")
        return Fault(
            "not-held",
            f"{code} is not in the catalogue held here, which is a part of {_TITLES[system]}",
            f"check it in the current {_TITLES[system]}, or import the whole file",
        )
    if _FORM[other].fullmatch(line.key):
        return Fault(
            "format",
            f"{code} has the form of {_TITLES[other]}, not of {_TITLES[system]}",
            f"give it as a code of {_TITLES[other]}",
        )
    if system == "hcpcs" and _DENTAL.fullmatch(line.key):
        return Fault(
            "not-held", f"{code} is a dental code (CDT), which is not held here", "check it in the current CDT"
        )
    return Fault("format", f"{code} is no {_TITLES[system]} code", f"{_TITLES[system]} codes are {_WORDS[system]}")

"""The final codes of a review as values of an ASC X12N 837 claim, version 005010: HI, SV1 and SV2 segments.

What the professional claim (X222A1) takes: twelve diagnoses, fifty service lines with four modifiers and four pointers
each. What the institutional claim (X223A3) takes: a principal and twenty-four other diagnoses, twelve external causes,
three reasons for the visit, a principal and twenty-four other procedures; an outpatient's has up to 999 service lines,
each with a revenue code, four modifiers and no pointers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from api.reviews.coding import Line

Form = Literal["professional", "institutional"]
Qualifier = Literal["ABK", "ABF", "ABJ", "APR", "ABN", "BBR", "BBQ"]
PROFESSIONAL_DIAGNOSES = 12
OTHERS = 24
"""Other diagnoses, and other procedures, of an institutional claim."""
EXTERNAL_CAUSES = 12
REASONS = 3
COMPOSITES = 12
"""Composites of one HI segment."""
LINES: dict[Form, int] = {"professional": 50, "institutional": 999}
"""Service lines of a claim."""
MODIFIERS = 4
POINTERS = 4
EXEMPT = "1"
"""Exempt from reporting present on admission: version 5010 leaves the element empty."""


@dataclass(frozen=True, slots=True)
class HealthCode:
    """One composite of an HI segment."""

    qualifier: Qualifier
    code: str
    poa: str | None = None

    @property
    def composite(self) -> str:
        """C022: the qualifier, the code without its dot, and at the ninth place the POA indicator.

        >>> HealthCode("ABK", "E119", "Y").composite
        'ABK:E119:::::::Y'
        """
        start = f"{self.qualifier}:{self.code}"
        return start if self.poa is None else f"{start}:::::::{self.poa}"


@dataclass(frozen=True, slots=True)
class Service:
    """The values of one service line: SV1 of a professional claim, SV2 of an institutional one.

    The charge (SV102, SV203), the place of service (SV105) and the revenue code (SV201) are the billing system's.
    """

    number: int
    code: str
    modifiers: tuple[str, ...]
    units: int
    pointers: tuple[int, ...] = ()

    @property
    def procedure(self) -> str:
        """SV101, or SV202: the qualifier, the code and the modifiers."""
        return ":".join(("HC", self.code, *self.modifiers))

    def segment(self, form: Form) -> str:
        """The segment without its terminator; what the billing system adds is empty.

        >>> Service(1, "99284", ("25",), 1).segment("institutional")
        'SV2**HC:99284:25**UN*1'
        """
        if form == "institutional":
            return f"SV2**{self.procedure}**UN*{self.units}"
        return f"SV1*{self.procedure}**UN*{self.units}***{':'.join(map(str, self.pointers))}"


@dataclass(frozen=True, slots=True)
class Claim:
    """The values of a claim, and what could not be put into it or has to be filled in."""

    form: Form
    hi: tuple[HealthCode, ...]
    services: tuple[Service, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def segments(self) -> list[str]:
        """The HI segments, each kind in its own with twelve composites at most, then the service lines."""
        out = []
        for group in _GROUPS[self.form]:
            found = [code.composite for code in self.hi if code.qualifier in group]
            out += ["*".join(("HI", *found[i : i + COMPOSITES])) for i in range(0, len(found), COMPOSITES)]
        return out + [service.segment(self.form) for service in self.services]


@dataclass(slots=True)
class _Draft:
    hi: list[HealthCode] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def add(self, qualifier: Qualifier, lines: Sequence[Line], most: int, what: str, poa: bool = False) -> None:
        """Add the first ``most`` of the codes, and name the others."""
        for line in lines[:most]:
            self.hi.append(HealthCode(qualifier, _plain(line.code), _poa(line) if poa else None))
        if lines[most:]:
            left = ", ".join(line.code for line in lines[most:])
            self.warnings.append(f"The claim takes {most} {what}: {left} did not fit.")


def claim(lines: Sequence[Line], form: Form, inpatient: bool, admitting: str | None, reasons: Sequence[str]) -> Claim:
    """The claim of codes in their order; ``admitting`` and ``reasons`` are codes that the coding does not hold."""
    return _FORMS[form](lines, inpatient, admitting, reasons)


def _professional(lines: Sequence[Line], inpatient: bool, admitting: str | None, reasons: Sequence[str]) -> Claim:
    draft = _Draft()
    diagnoses = _of(lines, "icd-10-cm")
    _warn_of_order(draft, diagnoses)
    draft.add("ABK", diagnoses[:1], 1, "principal diagnosis")
    kept = diagnoses[:PROFESSIONAL_DIAGNOSES]
    draft.add("ABF", kept[1:], PROFESSIONAL_DIAGNOSES, "diagnoses")
    if diagnoses[PROFESSIONAL_DIAGNOSES:]:
        left = ", ".join(line.code for line in diagnoses[PROFESSIONAL_DIAGNOSES:])
        draft.warnings.append(f"A professional claim takes {PROFESSIONAL_DIAGNOSES} diagnoses: {left} did not fit.")
    _not_here(draft, _of(lines, "icd-10-pcs"), "ICD-10-PCS codes stand on an inpatient's institutional claim only")
    if admitting or reasons:
        draft.warnings.append("The admitting diagnosis and the reasons for the visit are not on a professional claim.")
    numbers = {line.code: number for number, line in enumerate(kept, 1)}
    made = tuple(
        _service(draft, number, line, _pointers(draft, line, numbers))
        for number, line in enumerate(_services(draft, lines, "professional"), 1)
    )
    return Claim("professional", tuple(draft.hi), made, tuple(draft.warnings))


def _services(draft: _Draft, lines: Sequence[Line], form: Form) -> list[Line]:
    services = [line for line in lines if line.system in ("cpt", "hcpcs")]
    _not_here(draft, services[LINES[form] :], f"A claim of this form takes {LINES[form]} service lines")
    return services[: LINES[form]]


def _service(draft: _Draft, number: int, line: Line, pointers: tuple[int, ...] = ()) -> Service:
    if line.modifiers[MODIFIERS:]:
        left = ", ".join(line.modifiers[MODIFIERS:])
        draft.warnings.append(f"{line.code}: a line takes {MODIFIERS} modifiers: {left} did not fit.")
    units = line.units if line.units is not None else 1
    return Service(number, line.code, line.modifiers[:MODIFIERS], units, pointers)


def _pointers(draft: _Draft, line: Line, numbers: dict[str, int]) -> tuple[int, ...]:
    lost = [code for code in line.diagnoses if code not in numbers]
    if lost:
        draft.warnings.append(f"{line.code}: linked to {', '.join(lost)}, which is not among the diagnoses.")
    pointers = [numbers[code] for code in line.diagnoses if code in numbers]
    if pointers[POINTERS:]:
        draft.warnings.append(f"{line.code}: a line points to {POINTERS} diagnoses at most; the first are kept.")
    if not pointers and numbers:
        pointers = [1]
        draft.warnings.append(f"{line.code} is linked to no diagnosis: it points to the first.")
    return tuple(pointers[:POINTERS])


def _institutional(lines: Sequence[Line], inpatient: bool, admitting: str | None, reasons: Sequence[str]) -> Claim:
    draft = _Draft()
    diagnoses = _of(lines, "icd-10-cm")
    _warn_of_order(draft, diagnoses)
    causes = [line for line in diagnoses if _external(line.code)]
    others = [line for line in diagnoses if not _external(line.code)]
    draft.add("ABK", others[:1], 1, "principal diagnosis", inpatient)
    if inpatient:
        _admitting(draft, admitting, others)
    elif reasons or others:
        codes = [_plain(code) for code in reasons[:REASONS]] or [_plain(others[0].code)]
        draft.hi += [HealthCode("APR", code) for code in codes]
        if not reasons:
            draft.warnings.append("The reason for the visit was not given: the first diagnosis stands in its place.")
    draft.add("ABN", causes, EXTERNAL_CAUSES, "external causes", inpatient)
    draft.add("ABF", others[1:], OTHERS, "other diagnoses", inpatient)
    procedures = _of(lines, "icd-10-pcs")
    made: tuple[Service, ...] = ()
    if inpatient:
        draft.add("BBR", procedures[:1], 1, "principal procedure")
        draft.add("BBQ", procedures[1:], OTHERS, "other procedures")
        if procedures:
            draft.warnings.append("The dates of the procedures are not known here: add each as D8.")
        services = [line for line in lines if line.system in ("cpt", "hcpcs")]
        _not_here(draft, services, "CPT and HCPCS codes are not on an inpatient's institutional claim")
    else:
        _not_here(draft, procedures, "ICD-10-PCS codes are not on an outpatient's claim")
        services = _services(draft, lines, "institutional")
        made = tuple(_service(draft, number, line) for number, line in enumerate(services, 1))
        if made:
            draft.warnings.append("The revenue codes of the service lines (SV201) are not known here: they are empty.")
    return Claim("institutional", tuple(draft.hi), made, tuple(draft.warnings))


def _admitting(draft: _Draft, admitting: str | None, others: Sequence[Line]) -> None:
    code = admitting or (others[0].code if others else None)
    if code is not None:
        draft.hi.append(HealthCode("ABJ", _plain(code)))
    if admitting is None:
        draft.warnings.append("The admitting diagnosis was not given: the principal diagnosis stands in its place.")


def _warn_of_order(draft: _Draft, diagnoses: Sequence[Line]) -> None:
    if not diagnoses:
        draft.warnings.append("There is no diagnosis: a claim needs one.")
    elif _external(diagnoses[0].code):
        draft.warnings.append(f"{diagnoses[0].code} is an external cause and can't be the principal diagnosis.")


def _not_here(draft: _Draft, lines: Sequence[Line], why: str) -> None:
    if lines:
        draft.warnings.append(f"{why}: {', '.join(line.code for line in lines)} did not fit.")


def _of(lines: Sequence[Line], system: str) -> list[Line]:
    return [line for line in lines if line.system == system]


def _external(code: str) -> bool:
    return code[:1] in "VWXY"


def _plain(code: str) -> str:
    return code.replace(".", "")


def _poa(line: Line) -> str | None:
    return None if line.poa == EXEMPT else line.poa


_GROUPS: dict[Form, tuple[tuple[Qualifier, ...], ...]] = {
    "professional": (("ABK", "ABF"),),
    "institutional": (("ABK",), ("ABJ",), ("APR",), ("ABN",), ("ABF",), ("BBR",), ("BBQ",)),
}
_FORMS: dict[Form, Callable[[Sequence[Line], bool, str | None, Sequence[str]], Claim]] = {
    "professional": _professional,
    "institutional": _institutional,
}

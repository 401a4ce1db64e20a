"""Medical necessity: every service of a professional claim is linked to the diagnoses that it was done for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from codeassist.result import Finding
from codeassist.rules.case import Case, Line
from codeassist.rules.families.laterality import MODIFIER_SIDES
from codeassist.rules.family import read_rules
from codeassist.rules.tables import read_table
from codeassist.terminology.laterality import LEFT, RIGHT

RULES = read_rules("necessity")
MOST_LINKS = 4
MOST_DIAGNOSES = 12
ANY = ("",)
"""Prefixes that every diagnosis has."""
_EXTERNAL = ("V", "W", "X", "Y")
_SHOWN = 8
_WHAT_FOR = ("add the diagnoses that the services were done for", "link each service to the diagnosis it was done for")


def _ranges() -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """First and last code of each range of ``supports.tsv``, with its diagnosis prefixes, the narrowest range first."""
    out = []
    for services, diagnoses, _ in read_table("supports", 3):
        for span in services.split():
            first, _, last = span.partition("-")
            out.append((first, last or first, ANY if diagnoses == "*" else tuple(diagnoses.split("|"))))
    return tuple(sorted(out, key=lambda r: int(r[1][1:]) - int(r[0][1:]) if r[0][0] == r[1][0] else 99999))


_RANGES = _ranges()


@lru_cache(maxsize=32768)
def supporting(service: str) -> tuple[str, ...]:
    """Prefixes of the diagnoses that usually support a CPT or HCPCS code; none where the table does not know it."""
    return next((prefixes for first, last, prefixes in _RANGES if first <= service <= last), ())


def propose_links(case: Case) -> dict[int, tuple[str, ...]]:
    """For each service without a linked diagnosis, by its place: the claim's diagnoses that usually support it, four at
    most, in the claim's order. A claim of one diagnosis links every service to it."""
    diagnoses = _reasons(case)
    out = {}
    for line in case.services:
        if not line.coded.diagnoses:
            codes = _fitting(case, line, diagnoses)
            if codes:
                out[line.place] = codes
    return out


def _reasons(case: Case) -> tuple[Line, ...]:
    """The diagnoses that can be the reason for a service: no external causes."""
    return tuple(line for line in case.diagnoses if not line.key.startswith(_EXTERNAL))


def _fitting(case: Case, service: Line, diagnoses: tuple[Line, ...]) -> tuple[str, ...]:
    if len(diagnoses) == 1:
        return (diagnoses[0].code,)
    prefixes = supporting(service.key)
    fits = [line for line in diagnoses if prefixes and line.key.startswith(prefixes)]
    sides = {MODIFIER_SIDES[m] for m in service.coded.modifiers if m in MODIFIER_SIDES}
    if len(sides) == 1:
        wrong = LEFT + RIGHT - sides.pop()
        side = case.store.sides.side
        fits = [line for line in fits if line.row < 0 or side[line.row] != wrong]
    return tuple(dict.fromkeys(line.code for line in fits))[:MOST_LINKS]


def check_necessity(case: Case) -> Iterator[Finding]:
    """Findings on the links of services to diagnoses on outpatient and emergency claims."""
    if case.inpatient or not case.services:
        return
    yield from _diagnoses(case)
    on_claim = {line.code for line in case.diagnoses}
    open_lines = [line for line in case.services if not line.coded.diagnoses]
    if len(open_lines) == len(case.services):
        yield _no_links(case, propose_links(case))
        return
    proposed = propose_links(case) if open_lines else {}
    for line in case.services:
        if line.coded.diagnoses:
            yield from _linked(case, line, on_claim)
        else:
            fits = proposed.get(line.place)
            yield RULES["unlinked"].finding(
                f"{line.code} is linked to no diagnosis",
                [line.code],
                f"link {line.code} to {' and '.join(fits)}"
                if fits
                else f"link {line.code} to the diagnosis that it was done for, or add that diagnosis",
            )


def _diagnoses(case: Case) -> Iterator[Finding]:
    codes = list(dict.fromkeys(line.code for line in case.diagnoses))
    if len(codes) > MOST_DIAGNOSES:
        yield RULES["too-many-diagnoses"].finding(
            f"{len(codes)} diagnoses stand on the claim, and a professional claim takes {MOST_DIAGNOSES}",
            codes[MOST_DIAGNOSES:],
            f"keep the {MOST_DIAGNOSES} that the services were done for, or split the claim",
        )


def _no_links(case: Case, proposed: Mapping[int, tuple[str, ...]]) -> Finding:
    links = [f"{line.code} to {' and '.join(proposed[line.place])}" for line in case.services if line.place in proposed]
    more = f" and {len(links) - _SHOWN} more" if len(links) > _SHOWN else ""
    return RULES["no-links"].finding(
        "no service of this claim is linked to a diagnosis yet",
        [line.code for line in case.services],
        f"link {', '.join(links[:_SHOWN])}{more}" if links else _WHAT_FOR[bool(case.diagnoses)],
    )


def _linked(case: Case, line: Line, on_claim: set[str]) -> Iterator[Finding]:
    linked = line.coded.diagnoses
    missing = [code for code in linked if code not in on_claim]
    if missing:
        yield RULES["link-unknown"].finding(
            f"{line.code} is linked to {' and '.join(missing)}, which the claim does not have",
            [line.code, *missing],
            f"add {' and '.join(missing)} to the claim, or link {line.code} to a diagnosis on it",
        )
    if len(linked) > MOST_LINKS:
        yield RULES["too-many"].finding(
            f"{line.code} is linked to {len(linked)} diagnoses, and a service takes {MOST_LINKS}",
            [line.code],
            f"keep the links to {', '.join(linked[:MOST_LINKS])}, or those that matter most",
        )
    prefixes = supporting(line.key)
    if prefixes and not missing and not any(code.replace(".", "").startswith(prefixes) for code in linked):
        fits = _fitting(case, line, _reasons(case))
        other = [code for code in fits if code not in linked]
        yield RULES["unusual-link"].finding(
            f"{' and '.join(linked)} does not usually support {line.code}",
            [line.code, *linked],
            f"link {line.code} to {' and '.join(other)} if it was done for that"
            if other
            else f"check what {line.code} was done for, and that the payer covers it",
        )

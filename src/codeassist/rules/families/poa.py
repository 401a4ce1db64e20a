"""Present-on-admission indicators of a hospital stay (ICD-10-CM guidelines, Appendix I)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from codeassist.result import Finding
from codeassist.rules.case import Case, Line
from codeassist.rules.family import read_rules
from codeassist.rules.tables import read_table
from codeassist.terminology.store import normal_key

RULES = read_rules("poa")
INDICATORS = frozenset("YNUW")
EXEMPT = {normal_key(beginning): characters for beginning, characters in read_table("poa_exempt", 2)}
"""Beginning of a code to the 7th characters with which it is exempt, or ``*``."""
CHRONIC = {normal_key(code): what for code, what in read_table("poa_chronic", 2)}
_OLD_EXEMPT = "1"
"""What the electronic claim of before 2012 (4010) had for an exempt diagnosis; since then the field stays empty."""
_DURING_STAY = "O"
"""Obstetrics: the complication that a delivery is named for may arise after admission (I.C.15.b.4)."""
_MOST_NAMED = 12


@lru_cache(maxsize=16384)
def is_exempt(key: str) -> bool:
    """Whether a diagnosis without its dot is exempt from POA reporting (CMS's list of FY2026)."""
    for n in range(2, len(key) + 1):
        characters = EXEMPT.get(key[:n])
        if characters is not None and (characters == "*" or (len(key) == 7 and key[6] in characters)):
            return True
    return False


def chronic(key: str) -> str | None:
    """What chronic condition a diagnosis without its dot is, or ``None``."""
    return next((CHRONIC[key[:n]] for n in range(len(key), 0, -1) if key[:n] in CHRONIC), None)


def check_poa(case: Case) -> Iterator[Finding]:
    """Findings on the POA indicators of a stay, and one on those of another encounter."""
    with_indicator = [line for line in case.diagnoses if line.coded.poa]
    if not case.inpatient:
        if with_indicator:
            yield RULES["not-needed"].finding(
                f"POA is reported for inpatient admissions only; it stands on {_named(with_indicator)}",
                [line.code for line in with_indicator],
                "remove the POA indicators, or set the encounter to inpatient",
            )
        return
    missing = []
    for place, line in enumerate(case.diagnoses):
        if line.row < 0:
            continue
        exempt, poa = is_exempt(line.key), line.coded.poa
        if poa is None:
            if not exempt:
                missing.append(line)
        elif exempt and poa in (*INDICATORS, _OLD_EXEMPT):
            yield _exempt(line, poa)
        elif poa not in INDICATORS:
            yield _wrong(line, poa)
        elif poa == "N":
            yield from _arisen(line, first=place == 0)
    if missing:
        yield _missing(missing, none=not with_indicator)


def _missing(lines: Sequence[Line], none: bool) -> Finding:
    codes = [line.code for line in lines]
    if none:
        return RULES["none-entered"].finding(
            f"no diagnosis has a POA indicator yet; {len(codes)} of them {'needs' if len(codes) == 1 else 'need'} one",
            codes,
            "enter Y, N, U or W for each diagnosis that is not exempt",
        )
    return RULES["missing"].finding(
        f"{_named(lines)} {'has' if len(codes) == 1 else 'have'} no POA indicator",
        codes,
        "enter Y (present on admission), N (not present), U (not documented) or W (cannot be determined clinically)",
    )


def _exempt(line: Line, poa: str) -> Finding:
    old = "; 1 stood for exempt on claims before 2012" if poa == _OLD_EXEMPT else ""
    return RULES["exempt-with-indicator"].finding(
        f"{line.code} is exempt from POA reporting but has {poa}{old}", [line.code], f"leave POA empty on {line.code}"
    )


def _wrong(line: Line, poa: str) -> Finding:
    if poa == _OLD_EXEMPT:
        message = f"{line.code} has POA 1 (exempt) but is not exempt"
    else:
        message = f"{poa!r} on {line.code} is no POA indicator"
    return RULES["wrong-value"].finding(message, [line.code], f"enter Y, N, U or W on {line.code}")


def _arisen(line: Line, first: bool) -> Iterator[Finding]:
    what = chronic(line.key)
    if what is not None:
        yield RULES["chronic"].finding(
            f"{line.code} has POA N, but {what} does not arise during a stay",
            [line.code],
            f"enter Y on {line.code} unless the record says otherwise",
        )
    elif first and not line.key.startswith(_DURING_STAY):
        yield RULES["principal"].finding(
            f"{line.code} is the principal diagnosis, for which the patient was admitted, but has POA N",
            [line.code],
            "check the indicator, or put the condition that led to the admission first",
        )


def _named(lines: Sequence[Line]) -> str:
    codes = [line.code for line in lines]
    more = len(codes) - _MOST_NAMED
    return ", ".join(codes[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")

"""The National Correct Coding Initiative: pairs, unit limits, add-on codes and modifiers of CPT and HCPCS lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from codeassist.result import Finding
from codeassist.rules.case import Case, Line
from codeassist.rules.family import read_rules
from codeassist.rules.modifiers import BYPASS, CONFLICTS, MEANING, PROCEDURE_ONLY, VISIT_ONLY, visit_kind
from codeassist.terminology.ncci.layout import code_number, code_text
from codeassist.terminology.ncci.tables import AddOn, Limit, PairTable, UnitTable

RULES = read_rules("ncci")
_BY_LINE, _ABSOLUTE = 1, 2
_SUPPLIES = frozenset("ABEKLQV")
"""First letters of HCPCS codes that suppliers of equipment and drugs report."""
_MOST_NAMED = 6
_KIND = {"visit": "a visit", "procedure": "not one"}


def check_ncci(case: Case) -> Iterator[Finding]:
    """Findings of NCCI's edits in force on the date of service, of the table that the setting calls for."""
    if not case.services:
        return
    lines: dict[int, list[Line]] = defaultdict(list)
    for line in case.services:
        lines[code_number(line.key)].append(line)
        yield from _modifiers(line, code_number(line.key))
    lines.pop(-1, None)
    yield from _pairs(lines, _pair_table(case), _day(case))
    yield from _add_ons(case, lines)
    yield from _units(case, lines)


def ncci_editions(case: Case) -> Mapping[str, str]:
    """The editions of the tables that a case's services were checked against."""
    if not case.services:
        return {}
    names = {"ncci-pairs": _pair_table(case).name, "ncci-add-ons": case.store.ncci.add_ons.name}
    tables = [t for t in _unit_tables(case) if t is not None]
    return names | ({"ncci-mue": ", ".join(t.name for t in tables)} if tables else {})


def _day(case: Case) -> int:
    """The date of service as yyyymmdd; NCCI's tables have days of their own, which the other editions do not bound."""
    on = case.encounter.date_of_service
    return on.year * 10000 + on.month * 100 + on.day


def _professional(case: Case) -> bool:
    return case.encounter.setting == "outpatient" and case.store.ncci.practitioner is not None


def _pair_table(case: Case) -> PairTable:
    """Practitioner pairs for an office visit, where they were imported; else those of hospital outpatients."""
    ncci = case.store.ncci
    return ncci.practitioner if _professional(case) and ncci.practitioner is not None else ncci.hospital


def _pairs(lines: Mapping[int, list[Line]], table: PairTable, day: int) -> Iterator[Finding]:
    for first, second, indicator in table.among(lines, day):
        if indicator and (_all_pass(lines[first]) or _all_pass(lines[second])):
            continue
        one, two = lines[first][0].code, lines[second][0].code
        if indicator:
            says = "and stands beside it only with a modifier"
            fix = _bypass(one, first, two, second)
        else:
            says = "and no modifier lets both stand"
            fix = f"remove {two}"
        yield RULES["pair"].finding(
            f"{two} (column 2) is not paid beside {one} (column 1), {says} (modifier indicator {indicator})",
            [one, two],
            fix,
            f"NCCI procedure-to-procedure edits, {table.name}",
        )


def _all_pass(lines: list[Line]) -> bool:
    """Whether each line of a code has a modifier that lets a pair pass."""
    return all(not BYPASS.isdisjoint(line.coded.modifiers) for line in lines)


def _bypass(one: str, first: int, two: str, second: int) -> str:
    for code, number in ((two, second), (one, first)):
        if visit_kind(number) == "visit":
            return (
                f"remove {two}, or put 25 on {code} where the visit was separate and significant "
                "(57 where it decided a major operation)"
            )
    return (
        f"remove {two}, or where it was a separate service put 59 (or XE, XS, XP, XU) on {two}, "
        "or the side, finger, toe, eyelid or artery on both"
    )


def _add_ons(case: Case, lines: Mapping[int, list[Line]]) -> Iterator[Finding]:
    table = case.store.ncci.add_ons
    found = table.among(lines, _day(case))
    others = lines.keys() - found.keys()
    for number, add_on in found.items():
        if add_on.primaries.isdisjoint(lines) and not (add_on.kind > 1 and others):
            code = lines[number][0].code
            yield RULES["add-on"].finding(
                f"{code} is an add-on code and stands without a service that it adds to",
                [code],
                _primaries(add_on, code),
                f"NCCI add-on code edits, {table.name}, type {'I' * add_on.kind}",
            )


def _primaries(add_on: AddOn, code: str) -> str:
    named = [code_text(p) for p in sorted(add_on.primaries)]
    if not named:
        return f"add the service that {code} adds to, or remove {code}"
    more = f" or another of its {len(named)} primary codes" if len(named) > _MOST_NAMED else ""
    return f"add {', '.join(named[:_MOST_NAMED])}{more}, or remove {code}"


def _unit_tables(case: Case) -> tuple[UnitTable | None, UnitTable | None]:
    """The unit limits of the setting, and those of suppliers."""
    ncci, day = case.store.ncci, _day(case)
    office = ncci.units("practitioner", day) if case.encounter.setting == "outpatient" else None
    return office or ncci.units("hospital", day), ncci.units("supplier", day)


def _units(case: Case, lines: Mapping[int, list[Line]]) -> Iterator[Finding]:
    main, supplier = _unit_tables(case)
    for number, mine in lines.items():
        code = mine[0].code
        table, limit = main, main.limit(number) if main else None
        if limit is None and supplier is not None and code[0] in _SUPPLIES:
            table, limit = supplier, supplier.limit(number)
        if table is None or limit is None:
            continue
        units = [line.coded.units or 1 for line in mine]
        most = max(units) if limit.indicator == _BY_LINE else sum(units)
        if most > limit.units:
            where = "on a line" if limit.indicator == _BY_LINE else "on the day"
            yield RULES["mue"].finding(
                f"{code} has {most} unit{'s' * (most > 1)} {where}, and the most that is likely is {limit.units} "
                f"(adjudication indicator {limit.indicator})",
                [code],
                _fewer(code, limit),
                f"NCCI medically unlikely edits, {table.name}",
            )


def _fewer(code: str, limit: Limit) -> str:
    if limit.indicator == _BY_LINE:
        return f"correct the units, or report what was repeated on lines of their own with 76, 77, 91 or 59 on {code}"
    if limit.indicator == _ABSOLUTE:
        return f"correct the units of {code} to {limit.units} at most: this limit has no exception"
    return f"correct the units of {code}, or keep the record that shows why more than {limit.units} were needed"


def _modifiers(line: Line, number: int) -> Iterator[Finding]:
    """What is wrong with the modifiers of one line."""
    given = frozenset(line.coded.modifiers)
    if not given:
        return
    code, rule = line.code, RULES["modifier"]
    for modifier in sorted(given):
        if not (len(modifier) == 2 and modifier.isascii() and modifier.isalnum()):
            yield rule.finding(
                f"{modifier!r} on {code} is no modifier: it has not two letters or digits", [code], "correct it"
            )
    for pair, why in CONFLICTS:
        if pair <= given:
            one, two = sorted(pair)
            yield rule.finding(f"{one} and {two} may not stand together on {code}", [code], why)
    units = line.coded.units or 1
    if "50" in given and units > 1:
        yield rule.finding(
            f"{code} has modifier 50, which means both sides, and {units} units",
            [code],
            "report one unit with 50, or a line with LT and a line with RT",
        )
    kind = visit_kind(number)
    wrong = VISIT_ONLY if kind == "procedure" else PROCEDURE_ONLY if kind == "visit" else frozenset()
    for modifier in sorted(given & wrong):
        where = "visits (evaluation and management)" if modifier in VISIT_ONLY else "procedures, not on visits"
        yield rule.finding(
            f"{modifier} ({MEANING[modifier]}) belongs on {where}, and {code} is {_KIND[kind]}",
            [code],
            f"move {modifier} to the line that it belongs to, or remove it",
        )

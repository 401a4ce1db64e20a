"""Whether each code exists in its form, is billable and in force on the date of service, and stands once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date

from codeassist.result import Finding
from codeassist.rules.case import Case, Line
from codeassist.rules.diagnosis_form import Fault, category_fault, children_of, code_list, diagnosis_fault
from codeassist.rules.family import read_rules
from codeassist.rules.procedure_form import procedure_fault
from codeassist.rules.service_form import service_fault
from codeassist.terminology.codes import UNTITLED

RULES = read_rules("validity")


def check_validity(case: Case) -> Iterator[Finding]:
    """An error for a code that does not exist, is a category or was not in force, with the code that is meant where it
    can be told; a note on a code that the catalogue lacks; a warning on a repeated one."""
    for line in case.lines:
        if not line.valid:
            fault = _fault(case, line)
            yield RULES[fault.rule].finding(fault.message, [line.code], fault.fix)
    yield from _repeated("repeated", case.diagnoses)
    yield from _repeated("repeated-procedure", case.procedures)


def _fault(case: Case, line: Line) -> Fault:
    if line.row < 0 and line.system == "icd-10-cm":
        return diagnosis_fault(case, line)
    if line.row < 0 and line.system == "icd-10-pcs":
        return procedure_fault(case, line.key)
    if line.row < 0:
        return service_fault(case, line)
    if not case.store.billable[line.row]:
        return category_fault(case, line.row)
    return _not_in_force(case, line)


def _not_in_force(case: Case, line: Line) -> Fault:
    """A code of another day: since when or until when it counts, and what counts on this day."""
    store, row = case.store, line.row
    first, last = int(store.first[row]), int(store.last[row])
    day = case.encounter.date_of_service.isoformat()
    if first > case.day:
        message = f"{line.code} is in force from {_written(first)} only, not on {day}"
        instead, what = store.predecessors(row, case.day), "until then"
    else:
        message = f"{line.code} ended on {_written(last)} and was not in force on {day}"
        instead, what = store.successors(row, case.day), "in its place"
    if len(instead) == 1:
        title = store.title(instead[0])
        meaning = f" ({title})" if title != UNTITLED else ""
        return Fault("not-in-force", message, f"{what}: {store.code(instead[0])}{meaning}")
    if instead:
        return Fault("not-in-force", message, f"{what} one of: {code_list(store, instead)}")
    parent = int(store.parent[row])
    beside = children_of(case, parent) if parent >= 0 else []
    near = f"in force on that day below {store.code(parent)}: {code_list(store, beside)}" if beside else None
    return Fault("not-in-force", message, near or "check the date of service")


def _written(day: int) -> str:
    return date(day // 10000, day // 100 % 100, day % 100).isoformat()


def _repeated(rule: str, lines: Sequence[Line]) -> Iterator[Finding]:
    counts = Counter(line.code for line in lines)
    for code, number in counts.items():
        if number > 1:
            fix = f"remove {code} where it repeats"
            if rule == "repeated-procedure":
                fix += ", unless it was done on separate sites or more than once (B3.2)"
            yield RULES[rule].finding(f"{code} stands {number} times", [code], fix)

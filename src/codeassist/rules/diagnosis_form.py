"""What is wrong with the form of an ICD-10-CM code: its length, its 7th character, its placeholders."""

from __future__ import annotations

from dataclasses import dataclass, replace

from codeassist.rules.case import Case, Line
from codeassist.terminology.store import Store

SYSTEM = "icd-10-cm"
LENGTH = 7
_FIRST = 3
_MOST = 6
_TO_LETTER = str.maketrans("01", "OI")
_TO_DIGIT = str.maketrans("OI", "01")


@dataclass(frozen=True, slots=True)
class Fault:
    """The rule that a code breaks, what is wrong, and how to mend it."""

    rule: str
    message: str
    fix: str | None = None


def seventh_characters(case: Case, row: int) -> dict[str, int]:
    """The 7th characters that the code of ``row`` takes on the day, each with the row of the code that it makes."""
    store, valid = case.store, case.store.valid(case.day)
    keys = {r: store.key[r].decode() for r in store.children(row) if valid[r]}
    return {key[-1]: r for r, key in keys.items() if len(key) == LENGTH}


def category_fault(case: Case, row: int) -> Fault:
    """What is wrong with a code that has codes below it: its 7th character, or more, is missing."""
    store = case.store
    code = store.code(row)
    seventh = seventh_characters(case, row)
    if seventh:
        return Fault(
            "seventh-character",
            _lacks_seventh(code, seventh),
            f"choose one: {_meanings(store, row, seventh)}",
        )
    children = children_of(case, row)
    return Fault(
        "not-billable",
        f"{code} is a category, not a billable code",
        f"choose one below it: {code_list(store, children)}" if children else None,
    )


def _lacks_seventh(code: str, seventh: dict[str, int]) -> str:
    return f"{code} needs a 7th character: {', '.join(seventh)}"


def diagnosis_fault(case: Case, line: Line) -> Fault:
    """What is wrong with a diagnosis code that is in no release."""
    return (
        _beginning(case, line)
        or _placeholder(case, line)
        or _seventh(case, line)
        or _misread(case, line)
        or _nearest(case, line)
    )


def _beginning(case: Case, line: Line) -> Fault | None:
    """The beginning of codes: placeholders without their 7th character, or a category that came after the tabular list
    held here, of which only the codes are known."""
    store = case.store
    if len(line.key) < _FIRST:
        return None
    rows = [r for r in store.prefix(SYSTEM, line.key) if store.valid(case.day)[r]]
    if not rows:
        return None
    stem = store.row(SYSTEM, line.key.rstrip("X"))
    if stem is not None and seventh_characters(case, stem):
        return replace(category_fault(case, stem), message=_lacks_seventh(line.code, seventh_characters(case, stem)))
    return Fault(
        "not-billable",
        f"{line.code} is a category, not a billable code",
        f"choose one below it: {code_list(store, rows)}",
    )


def _placeholder(case: Case, line: Line) -> Fault | None:
    """The code that placeholders X make of it, a whole one before a category."""
    store, valid, key = case.store, case.store.valid(case.day), line.key
    category = None
    for missing in range(LENGTH - len(key), 0, -1):
        for at in range(_FIRST, len(key)):
            row = store.row(SYSTEM, f"{key[:at]}{'X' * missing}{key[at:]}")
            if row is not None and valid[row]:
                code = store.code(row)
                return Fault("placeholder", f"{line.code} lacks the placeholder X: {code}", f"write {code}")
            if row is not None and category is None:
                category = row
    if category is None:
        return None
    code, seventh = store.code(category), seventh_characters(case, category)
    more = f", with a 7th character: {_meanings(store, category, seventh)}" if seventh else ""
    return Fault("placeholder", f"{line.code} lacks the placeholder X: {code}", f"write {code}{more}")


def _seventh(case: Case, line: Line) -> Fault | None:
    """A 7th character on a code that takes others, or none."""
    if len(line.key) != LENGTH:
        return None
    store, stem = case.store, line.key[:-1]
    row = store.row(SYSTEM, stem)
    while row is None and stem.endswith("X") and len(stem) > _FIRST:
        stem = stem[:-1]
        row = store.row(SYSTEM, stem)
    if row is None:
        return None
    code = store.code(row)
    seventh = seventh_characters(case, row)
    if seventh:
        return Fault(
            "seventh-character",
            f"{line.code}: {code} does not take the 7th character {line.key[-1]}; it takes {', '.join(seventh)}",
            f"choose one: {_meanings(store, row, seventh)}",
        )
    if store.valid(case.day)[row]:
        return Fault("seventh-character", f"{line.code}: {code} takes no 7th character", f"write {code}")
    return None


def _misread(case: Case, line: Line) -> Fault | None:
    """The letters O and I in place of the digits, or the digits in place of the first letter."""
    meant = line.key[:1].translate(_TO_LETTER) + line.key[1:].translate(_TO_DIGIT)
    row = case.store.row(SYSTEM, meant) if meant != line.key else None
    if row is None:
        return None
    code = case.store.code(row)
    return Fault("unknown", f"{line.code} is in no release held here; {code} is", f"write {code} if it is meant")


def _nearest(case: Case, line: Line) -> Fault:
    """The longest beginning of the code that there is, and what is below it."""
    store, key = case.store, line.key
    message = f"{line.code} is in no release of ICD-10-CM held here"
    for n in range(len(key) - 1, _FIRST - 1, -1):
        row = store.row(SYSTEM, key[:n])
        if row is None:
            continue
        code = store.code(row)
        if store.valid(case.day)[row]:
            return Fault("unknown", message, f"write {code}: it is a whole code and takes no more characters")
        children = children_of(case, row)
        return Fault("unknown", message, f"below {code} there are: {code_list(store, children)}" if children else None)
    return Fault("unknown", message)


def children_of(case: Case, row: int) -> list[int]:
    """The rows one step below that are billable on the day, or lead to a code that is."""
    valid = case.store.valid(case.day)
    steps = ((r, case.store.subtree(r)) for r in case.store.children(row))
    return [r for r, below in steps if valid[below.start : below.stop].any()]


def code_list(store: Store, rows: list[int]) -> str:
    """The first codes of a list, and how many more there are."""
    more = len(rows) - _MOST
    return ", ".join(store.code(r) for r in rows[:_MOST]) + (f" and {more} more" if more > 0 else "")


def _meanings(store: Store, row: int, seventh: dict[str, int]) -> str:
    """``S52.501A (initial encounter for closed fracture)`` and so on, from the titles."""
    title = f"{store.title(row)}, "
    named = [f"{store.code(r)} ({store.title(r).removeprefix(title)})" for r in list(seventh.values())[:_MOST]]
    more = len(seventh) - _MOST
    return ", ".join(named) + (f" and {more} more" if more > 0 else "")

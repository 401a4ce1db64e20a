"""Codes against the editions of their systems."""

from __future__ import annotations

from collections.abc import Iterator

from codeassist.terminology.store import Store
from training.data_report.problems import Problem, written
from training.data_report.reading import Placed

_MOST_SUCCESSORS = 5
_STARTERS = ("cpt", "hcpcs")
"""Systems of which a starter catalogue is held: a code that is not in it may well be right."""


def check_codes(placed: Placed, store: Store) -> Iterator[Problem]:
    """What is wrong with the codes of one note on its date."""
    note = placed.audited.note
    if not any(d.text.strip() for d in note.parts):
        yield placed.problem("empty", "the note has no text")
    if not placed.audited.codes:
        yield placed.problem("no-codes", "the note has no codes")
    elif not store.covers(note.date_of_service):
        yield placed.problem("not-covered", f"no edition of {note.date_of_service} is held")
    day = store.day(note.date_of_service)
    seen = set()
    for j, code in enumerate(placed.audited.codes):
        if (code.system, code.key) in seen:
            yield placed.problem("repeated-code", f"{written(code.system, code.key)} stands there more than once", j)
        seen.add((code.system, code.key))
        row = store.row(code.system, code.key)
        if row is None:
            kind = "not-held" if code.system in _STARTERS else "unknown-code"
            yield placed.problem(kind, f"{written(code.system, code.key)} is in no edition held", j)
        elif not store.valid(day)[row]:
            yield _not_valid(placed, j, row, day, store)


def _not_valid(placed: Placed, j: int, row: int, day: int, store: Store) -> Problem:
    code = placed.audited.codes[j]
    name = f"{code.system} {store.code(row)}"
    on = placed.audited.note.date_of_service
    if not store.billable[row]:
        below = [r for r in store.subtree(row) if store.valid(day)[r]]
        return placed.problem("category", f"{name} is a category: one of its {len(below)} codes is meant", j)
    if day < store.first[row]:
        began = f"{store.first[row]:08d}"
        return placed.problem("invalid-date", f"{name} is not valid yet on {on}: it began on {_date(began)}", j)
    successors = [store.code(r) for r in store.successors(row, day)]
    told = ", ".join(successors[:_MOST_SUCCESSORS]) + (" …" if len(successors) > _MOST_SUCCESSORS else "")
    became = f"; it became {told}" if told else "; no successor is known"
    return placed.problem(
        "invalid-date", f"{name} is not valid on {on}: it ended on {_date(store.last[row])}{became}", j
    )


def _date(day: object) -> str:
    text = f"{int(str(day)):08d}"
    return f"{text[:4]}-{text[4:6]}-{text[6:]}"

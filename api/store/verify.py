"""Walks the audit trail and names every record that is not as it was written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.store.audit import NOTHING_BEFORE, AuditHead, AuditRow, digest

FETCHED = 500
"""Records held at a time."""
NEAR = 16
"""How far around its place the number of a moved record is looked for, beside the place that its hash points to."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A record (or the first of those missing) that breaks the chain."""

    kind: Literal["changed", "missing", "reordered"]
    number: int
    message: str


def end_of(session: Session) -> tuple[int, str]:
    """The number and the hash of the last record."""
    head = session.scalars(select(AuditHead)).one()
    return head.number, head.hash


def verify(session: Session) -> Iterator[Fault]:
    """Every fault of the trail, in the order of the records; nothing when it is whole.

    Memory does not grow with the trail. A trail that was cut short together with its head can't be told from a shorter
    one: keep the hash that ``codeassist audit verify`` prints in another place to see that too.
    """
    head = session.scalars(select(AuditHead)).one()
    last, expected, trusted = 0, NOTHING_BEFORE, True
    rows = session.scalars(
        select(AuditRow).order_by(AuditRow.number).execution_options(yield_per=FETCHED, populate_existing=True)
    )
    for row in rows:
        if row.number != last + 1:
            yield _missing(last + 1, row.number - 1)
            trusted = False
        if digest(row) != row.hash:
            written = _written_as(session, row)
            yield (
                Fault("changed", row.number, f"record {row.number} was changed")
                if written is None
                else Fault("reordered", row.number, f"record {row.number} was written as record {written}")
            )
            trusted = False
        else:
            if row.previous != expected and trusted:
                yield Fault("changed", last, f"record {last} was changed: record {row.number} followed another one")
            trusted = True
        last, expected = row.number, row.hash
    if last < head.number:
        yield _missing(last + 1, head.number)
    elif (last, expected) != (head.number, head.hash) and trusted:
        yield Fault("changed", last, f"record {last} was changed or added: the trail ended with another one")


def _missing(first: int, last: int) -> Fault:
    names = f"record {first} is" if first == last else f"records {first} to {last} are"
    return Fault("missing", first, f"{names} missing")


def _written_as(session: Session, row: AuditRow) -> int | None:
    """The number under which a record's hash holds: it was written there, and moved."""
    before = session.scalars(select(AuditRow.number).where(AuditRow.hash == row.previous)).all()
    around = range(row.number - NEAR, row.number + NEAR + 1)
    return next((n for n in (1, *(b + 1 for b in before), *around) if digest(row, n) == row.hash), None)

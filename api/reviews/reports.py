"""Reports over submitted reviews and second looks: tables of figures, computed by the database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, Executable, Integer, Select, case, cast, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from api.reviews.agreement import kappa, ratio, scores
from api.store.audits import SecondLookCodeRow, SecondLookRow
from api.store.outcomes import OutcomeRow
from api.store.reviews import ReviewRow

ReportName = Literal[
    "acceptance-by-code",
    "acceptance-by-coder",
    "acceptance-by-week",
    "never-accepted",
    "always-added",
    "time-per-note",
    "agreement-by-coder",
    "agreement-by-code",
]
REPORTS: tuple[ReportName, ...] = get_args(ReportName)
COUNTED = ("suggested", "accepted", "replaced", "rejected", "ignored", "candidates", "added")
AGREED = ("agreed", "missed", "extra")
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Span:
    """What a report is about: the days of submission (the first and the last included; of the auditor's submission for
    agreement), a coder, a setting, a specialty; and how many rows it has at most."""

    date_from: date | None = None
    date_to: date | None = None
    coder: str | None = None
    setting: str | None = None
    specialty: str | None = None
    limit: int = 1000


@dataclass(frozen=True, slots=True)
class Report:
    """A table: the names of its columns, and its rows by these names. A figure that can't be given is None."""

    columns: tuple[str, ...]
    rows: list[Row]


def report(session: Session, name: ReportName, span: Span) -> Report:
    """The report of this name."""
    columns, make = _REPORTS[name]
    return Report(columns, make(session, span))


def _outcomes(span: Span) -> list[ColumnElement[bool]]:
    return _meant(span, OutcomeRow.submitted_on, OutcomeRow.coder, OutcomeRow.setting, OutcomeRow.specialty)


def _meant(
    span: Span,
    day: InstrumentedAttribute[Any],
    coder: InstrumentedAttribute[Any],
    setting: InstrumentedAttribute[Any],
    specialty: InstrumentedAttribute[Any],
) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [day.is_not(None)]
    if span.date_from is not None:
        found.append(day >= span.date_from)
    if span.date_to is not None:
        found.append(day <= span.date_to)
    for column, value in ((coder, span.coder), (setting, span.setting), (specialty, span.specialty)):
        if value is not None:
            found.append(column == value)
    return found


def _sum(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return cast(func.sum(case((condition, 1), else_=0)), Integer)


def _counts() -> dict[str, ColumnElement[int]]:
    proposed, outcome = OutcomeRow.suggested.is_(True), OutcomeRow.outcome
    counts = {name: _sum(proposed & (outcome == name)) for name in ("accepted", "replaced", "rejected", "ignored")}
    return {
        "suggested": _sum(proposed),
        **counts,
        "candidates": _sum(OutcomeRow.suggested.is_(False) & (outcome == "accepted")),
        "added": _sum(outcome == "added"),
        "notes": _sum(OutcomeRow.number == 1),
    }


def _by(*keys: InstrumentedAttribute[Any]) -> Callable[[Span], Select[Any]]:
    """The counts of outcomes for each value of the keys."""

    def query(span: Span) -> Select[Any]:
        counted = [column.label(name) for name, column in _counts().items()]
        return select(*keys, *counted).where(*_outcomes(span)).group_by(*keys)

    return query


def _rows(session: Session, query: Executable) -> list[Row]:
    return [dict(row) for row in session.execute(query).mappings()]


def _with_acceptance(rows: Iterable[Row]) -> list[Row]:
    return [{**row, "acceptance": ratio(row["accepted"], row["suggested"])} for row in rows]


_by_code, _by_coder, _by_day = (
    _by(OutcomeRow.system, OutcomeRow.code),
    _by(OutcomeRow.coder),
    _by(OutcomeRow.submitted_on),
)


def _acceptance_by_code(session: Session, span: Span) -> list[Row]:
    most = _counts()["suggested"].desc(), OutcomeRow.system, OutcomeRow.code
    return _with_acceptance(_rows(session, _by_code(span).order_by(*most).limit(span.limit)))


def _acceptance_by_coder(session: Session, span: Span) -> list[Row]:
    return _with_acceptance(_rows(session, _by_coder(span).order_by(OutcomeRow.coder).limit(span.limit)))


def _acceptance_by_week(session: Session, span: Span) -> list[Row]:
    weeks: dict[date, Row] = defaultdict(lambda: dict.fromkeys((*COUNTED, "notes"), 0))
    for row in _rows(session, _by_day(span).order_by(OutcomeRow.submitted_on)):
        day: date = row["submitted_on"]
        week = weeks[day - timedelta(days=day.weekday())]
        for name in week:
            week[name] += row[name]
    found = [{"week": monday.isoformat(), **row} for monday, row in weeks.items()]
    return _with_acceptance(found[-span.limit :])


def _never_accepted(session: Session, span: Span) -> list[Row]:
    counts = _counts()
    query = _by_code(span).having(counts["suggested"] > 0, counts["accepted"] == 0)
    return _rows(session, query.order_by(counts["suggested"].desc(), OutcomeRow.code).limit(span.limit))


def _always_added(session: Session, span: Span) -> list[Row]:
    counts = _counts()
    query = _by_code(span).having(counts["added"] > 0, counts["suggested"] == 0, counts["candidates"] == 0)
    return _rows(session, query.order_by(counts["added"].desc(), OutcomeRow.code).limit(span.limit))


def _time_per_note(session: Session, span: Span) -> list[Row]:
    """Mean, median and sum; the median is that of the one or two values in the middle."""
    group = ReviewRow.submitted_by, ReviewRow.setting
    meant = _meant(span, ReviewRow.submitted_on, ReviewRow.submitted_by, ReviewRow.setting, ReviewRow.specialty)
    place = func.row_number().over(partition_by=group, order_by=ReviewRow.seconds).label("place")
    size = func.count().over(partition_by=group).label("size")
    ranked = select(*group, ReviewRow.seconds, place, size).where(*meant).subquery()
    c = ranked.c
    middle = or_(2 * c.place == c.size, 2 * c.place == c.size + 1, 2 * c.place == c.size + 2)
    median = func.avg(case((middle & (2 * c.place >= c.size), c.seconds))).label("median")
    query = select(c.submitted_by, c.setting, func.count().label("notes"), func.sum(c.seconds).label("total"), median)
    grouped = query.group_by(c.submitted_by, c.setting).order_by(c.submitted_by, c.setting).limit(span.limit)
    return [
        {
            "coder": row["submitted_by"],
            "setting": row["setting"],
            "notes": row["notes"],
            "mean_seconds": round(row["total"] / row["notes"], 1),
            "median_seconds": round(row["median"], 1),
            "total_hours": round(row["total"] / 3600, 2),
        }
        for row in _rows(session, grouped)
    ]


def _looks(span: Span) -> list[ColumnElement[bool]]:
    return _meant(span, SecondLookRow.submitted_on, SecondLookRow.coder, ReviewRow.setting, ReviewRow.specialty)


def _agreement_by_coder(session: Session, span: Span) -> list[Row]:
    look = SecondLookRow
    sums = [cast(func.sum(getattr(look, name)), Integer).label(name) for name in (*AGREED, "neither")]
    with_principal = _sum(look.principal_agreed.is_not(None)).label("principals")
    exact, principal = _sum(look.exact.is_(True)), _sum(look.principal_agreed.is_(True))
    query = select(
        look.coder,
        func.count().label("audits"),
        exact.label("exact"),
        principal.label("principal"),
        with_principal,
        *sums,
    ).join(look.review)
    found = []
    for row in _rows(session, query.where(*_looks(span)).group_by(look.coder).order_by(look.coder).limit(span.limit)):
        agreed, missed, extra = (row[name] for name in AGREED)
        found.append(
            {
                **row,
                "exact": ratio(row["exact"], row["audits"]),
                "principal": ratio(row["principal"], row["principals"]),
                **scores(agreed, missed, extra),
                "kappa": kappa(agreed, extra, missed, row["neither"]),
            }
        )
    return found


def _agreement_by_code(session: Session, span: Span) -> list[Row]:
    code = SecondLookCodeRow
    total = session.scalars(select(func.count(SecondLookRow.id)).join(SecondLookRow.review).where(*_looks(span))).one()
    coder, auditor = code.by_coder.is_(True), code.by_auditor.is_(True)
    counts = {"agreed": _sum(coder & auditor), "missed": _sum(~coder & auditor), "extra": _sum(coder & ~auditor)}
    query = (
        select(code.system, code.code, func.count().label("audits"), *(c.label(n) for n, c in counts.items()))
        .join(SecondLookRow, SecondLookRow.id == code.second_look_id)
        .join(SecondLookRow.review)
        .where(*_looks(span))
        .group_by(code.system, code.code)
        .order_by((counts["missed"] + counts["extra"]).desc(), code.system, code.code)
        .limit(span.limit)
    )
    found = []
    for row in _rows(session, query):
        agreed, missed, extra = (row[name] for name in AGREED)
        neither = total - agreed - missed - extra
        found.append({**row, **scores(agreed, missed, extra), "kappa": kappa(agreed, extra, missed, neither)})
    return found


_CODE = ("system", "code", "display")
_SCORED = (*AGREED, "precision", "recall", "f1", "kappa")
_REPORTS: Mapping[ReportName, tuple[tuple[str, ...], Callable[[Session, Span], list[Row]]]] = {
    "acceptance-by-code": ((*_CODE, *COUNTED, "acceptance"), _acceptance_by_code),
    "acceptance-by-coder": (("coder", "notes", *COUNTED, "acceptance"), _acceptance_by_coder),
    "acceptance-by-week": (("week", "notes", *COUNTED, "acceptance"), _acceptance_by_week),
    "never-accepted": ((*_CODE, "suggested", "rejected", "replaced", "ignored"), _never_accepted),
    "always-added": ((*_CODE, "added"), _always_added),
    "time-per-note": (
        ("coder", "setting", "notes", "mean_seconds", "median_seconds", "total_hours"),
        _time_per_note,
    ),
    "agreement-by-coder": (("coder", "audits", "exact", "principal", *_SCORED), _agreement_by_coder),
    "agreement-by-code": ((*_CODE, "audits", *_SCORED), _agreement_by_code),
}

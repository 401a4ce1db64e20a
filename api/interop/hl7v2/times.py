"""Dates and times of HL7: YYYY[MM[DD[HH[MM[SS[.S…]]]]]][+/-ZZZZ]."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone

from api.interop.hl7v2.errors import Location, Refused

_TIME = re.compile(
    r"(?P<year>\d{4})(?:(?P<month>\d\d)(?:(?P<day>\d\d)(?:(?P<hour>\d\d)(?:(?P<minute>\d\d)"
    r"(?:(?P<second>\d\d)(?:\.\d{1,4})?)?)?)?)?)?(?P<zone>[+-]\d{4})?"
)


def read_time(value: str, location: Location) -> datetime | None:
    """The moment, ``None`` when none is given; without a zone it is taken as UTC. Raises :class:`Refused`.

    >>> read_time("20260302101500-0500", Location("TXA", 1, 6)).isoformat()
    '2026-03-02T10:15:00-05:00'
    """
    if not value:
        return None
    found = _TIME.fullmatch(value)
    try:
        if found is None:
            raise ValueError
        parts = {name: int(found[name] or default) for name, default in _DEFAULTS}
        return datetime(**parts, tzinfo=_zone(found["zone"]))
    except ValueError:
        name = f"{location.segment}-{location.field}"
        raise Refused("102", f"{name} is no date and time such as 20260302101500", location) from None


def read_date(value: str, location: Location) -> date | None:
    """The day, as the sender's calendar has it. Raises :class:`Refused`."""
    moment = read_time(value, location)
    return None if moment is None else moment.date()


def write_time(moment: datetime) -> str:
    """A moment as HL7 writes it.

    >>> write_time(datetime(2026, 3, 2, 9, 30, tzinfo=UTC))
    '20260302093000+0000'
    """
    return moment.strftime("%Y%m%d%H%M%S%z")


_DEFAULTS = (("year", 0), ("month", 1), ("day", 1), ("hour", 0), ("minute", 0), ("second", 0))


def _zone(written: str | None) -> timezone:
    if written is None:
        return UTC
    offset = timedelta(hours=int(written[1:3]), minutes=int(written[3:]))
    return timezone(-offset if written[0] == "-" else offset)

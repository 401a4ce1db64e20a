"""Failed sign-ins: how many may come from an address and under a name, and when an account is locked."""

from __future__ import annotations

import hashlib
import ipaddress
import math
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from api.auth.settings import AuthSettings
from api.errors import Problem
from api.store.accounts import AttemptRow, UserRow
from api.store.base import now


def begin(session: Session, settings: AuthSettings, name: str, address: str) -> AttemptRow:
    """Note an attempt before the password is looked at, so that many at once can't outrun the count.

    Raises the problem ``too-many-attempts`` with ``Retry-After`` when there were enough of them; the attempt that is
    refused does not count.
    """
    moment, window = now(), timedelta(minutes=settings.attempts_window_minutes)
    session.execute(delete(AttemptRow).where(AttemptRow.time < moment - window))
    row = AttemptRow(time=moment, address=_address(address), name_part=_part(name))
    for column, value, most in (
        (AttemptRow.address, row.address, settings.attempts_per_address),
        (AttemptRow.name_part, row.name_part, settings.attempts_per_name),
    ):
        number, oldest = _counted(session, column == value)
        if number >= most and oldest is not None:
            seconds = max(1, math.ceil((oldest + window - moment).total_seconds()))
            detail = f"Too many sign-ins failed. Try again in {seconds} seconds."
            raise Problem("too-many-attempts", detail, headers={"Retry-After": str(seconds)})
    session.add(row)
    session.flush()
    return row


def count_failure(settings: AuthSettings, user: UserRow) -> bool:
    """Take the attempt for a failure until it has succeeded; gives whether its password may be looked at.

    An account that has failed too often is locked: not even the right password opens it.
    """
    moment = now()
    if user.locked_until is not None and user.locked_until > moment:
        return False
    if user.locked_until is not None:
        user.failures, user.locked_until = 0, None
    user.failures += 1
    if user.failures >= settings.failures_before_lock:
        user.locked_until = moment + timedelta(minutes=settings.account_lock_minutes)
    return True


def forget(session: Session, attempt: int) -> None:
    """An attempt has succeeded: it no longer counts."""
    session.execute(delete(AttemptRow).where(AttemptRow.id == attempt))


def _counted(session: Session, which: ColumnElement[bool]) -> tuple[int, datetime | None]:
    found: Any = session.execute(select(func.count(), func.min(AttemptRow.time)).where(which)).one()
    return found[0], found[1]


def _address(text: str) -> str:
    """The address, or the network of 64 bits of an IPv6 address, which one household has whole."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text[:64]
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def _part(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:4]

"""Sessions of browsers: a random token in a cookie, of which only the hash is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from api.auth.secrets import new_secret, stored
from api.auth.settings import AuthSettings
from api.store.accounts import SessionRow, UserRow
from api.store.audit import NO_RELEASES, append
from api.store.base import now

TOUCHED_AFTER = timedelta(seconds=20)
"""How old the time of last use may grow before it is written again: not every request writes to the database."""


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long sessions last: without a request, and in any case."""

    idle: timedelta
    longest: timedelta

    @classmethod
    def of(cls, settings: AuthSettings) -> Lifetime:
        """As the settings say."""
        return cls(timedelta(minutes=settings.idle_minutes), timedelta(hours=settings.session_hours))

    def ends(self, row: SessionRow) -> datetime:
        """When the session ends unless a request comes before."""
        return min(row.last_used + self.idle, row.created + self.longest)


def start(session: Session, user: UserRow, method: str, lifetime: Lifetime) -> str:
    """Sign a user in; gives the token for the cookie. Sessions that are over are swept away by the way."""
    moment = now()
    over = or_(SessionRow.last_used < moment - lifetime.idle, SessionRow.created < moment - lifetime.longest)
    session.execute(delete(SessionRow).where(SessionRow.user_id == user.id, over))
    token = new_secret()
    row = SessionRow(token_hash=stored(token), user_id=user.id, method=method, created=moment, last_used=moment)
    session.add(row)
    user.last_signed_in = moment
    append(session, user.name, "login", f"user/{user.name}", NO_RELEASES, {"by": method})
    return token


def find(session: Session, token: str) -> SessionRow | None:
    """The session of a token, over or not, with its user; ``None`` when there is none or the user is disabled."""
    row = session.scalars(select(SessionRow).where(SessionRow.token_hash == stored(token))).one_or_none()
    return None if row is None or row.user.disabled else row


def end(session: Session, row: SessionRow, everywhere: bool) -> None:
    """Sign out here, or everywhere."""
    which = SessionRow.user_id == row.user_id if everywhere else SessionRow.id == row.id
    session.execute(delete(SessionRow).where(which))
    details = {"everywhere": everywhere}
    append(session, row.user.name, "logout", f"user/{row.user.name}", NO_RELEASES, details)


def end_by_token(session: Session, token: str) -> None:
    """Sign out the browser that has this token, where there is such a session."""
    row = find(session, token)
    if row is not None:
        end(session, row, everywhere=False)

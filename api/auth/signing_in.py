"""Sign-in by name and password."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.auth import accounts, attempts, sessions
from api.auth.passwords import LONGEST, Passwords, check_password
from api.auth.settings import AuthSettings
from api.errors import Problem
from api.store.accounts import UserRow
from api.store.audit import NO_RELEASES, append
from api.store.database import Database
from api.users import User

UNKNOWN = "(unknown)"
"""What the audit trail has in place of a name that no user has: it may be a password in the wrong field."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A user, and the token for the cookie."""

    user: User
    token: str


@dataclass(frozen=True, slots=True)
class _Attempt:
    id: int
    user_id: int | None
    kept: str | None
    locks: bool = False


def sign_in(
    database: Database, settings: AuthSettings, passwords: Passwords, name: str, password: str, address: str
) -> SignedIn:
    """Sign a user in. Raises the problems ``sign-in-failed`` and ``too-many-attempts``.

    The answer and its time are the same for a wrong password, an unknown name, and a locked or disabled account.
    """
    attempt = _begin(database, settings, name, address)
    right = passwords.verify(attempt.kept, password)
    if not right or attempt.user_id is None:
        raise _failed(database, settings, attempt)
    with database.writing() as session:
        user = session.scalars(select(UserRow).where(UserRow.id == attempt.user_id).with_for_update()).one()
        if user.disabled or user.password != attempt.kept:
            raise _refusal(settings)  # disabled, or given another password, in this very moment
        _succeed(session, passwords, user, password, attempt)
        token = sessions.start(session, user, "password", sessions.Lifetime.of(settings))
        return SignedIn(accounts.user_of(user, "password"), token)


def change_own_password(
    database: Database, settings: AuthSettings, passwords: Passwords, session_id: int, name: str, old: str, new: str,
    address: str,
) -> None:  # fmt: skip
    """Give oneself another password, which ends one's other sessions. Raises as :func:`sign_in` does, and
    :class:`AccountError` for a password that breaks a rule."""
    check_password(new, name)
    attempt = _begin(database, settings, name, address)
    if not passwords.verify(attempt.kept, old):
        raise _failed(database, settings, attempt)
    hashed = passwords.hash(new)
    with database.writing() as session:
        attempts.forget(session, attempt.id)
        accounts.set_password(session, name, accounts.find(session, name), hashed, keep=session_id)


def _begin(database: Database, settings: AuthSettings, name: str, address: str) -> _Attempt:
    """Count first, then look at the password: requests that come at once can't try more than the limit allows."""
    wanted = name.strip().lower()[:LONGEST]
    with database.writing() as session:
        attempt = attempts.begin(session, settings, wanted, address)
        user = session.scalars(select(UserRow).where(UserRow.name == wanted).with_for_update()).one_or_none()
        if user is None or user.password is None or user.disabled:
            return _Attempt(attempt.id, None if user is None else user.id, None)
        open_ = attempts.count_failure(settings, user)
        last = open_ and user.failures == settings.failures_before_lock
        return _Attempt(attempt.id, user.id, user.password if open_ else None, last)


def _failed(database: Database, settings: AuthSettings, attempt: _Attempt) -> Problem:
    with database.writing() as session:
        user = session.get(UserRow, attempt.user_id) if attempt.user_id is not None else None
        name = UNKNOWN if user is None else user.name
        append(session, name, "login-failed", f"user/{name}", NO_RELEASES, {"by": "password"})
        if attempt.locks:
            minutes = settings.account_lock_minutes
            append(session, name, "lock", f"user/{name}", NO_RELEASES, {"minutes": minutes})
    return _refusal(settings)


def _refusal(settings: AuthSettings) -> Problem:
    return Problem(
        "sign-in-failed",
        f"Name or password is wrong, or the account is locked: {settings.failures_before_lock} wrong passwords lock it "
        f"for {settings.account_lock_minutes} minutes, unless an administrator unlocks it.",
        headers={"WWW-Authenticate": 'Bearer realm="codeassist"'},
    )


def _succeed(session: Session, passwords: Passwords, user: UserRow, password: str, attempt: _Attempt) -> None:
    user.failures, user.locked_until = 0, None
    attempts.forget(session, attempt.id)
    if user.password is not None and passwords.outdated(user.password):
        user.password = passwords.hash(password)

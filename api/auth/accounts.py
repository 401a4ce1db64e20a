"""Users: made, changed, disabled and unlocked, each with its record in the audit trail, in the caller's transaction."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from api.auth.errors import AccountError, AccountExists, LastAdministrator, UnknownAccount
from api.store.accounts import SessionRow, UserRow
from api.store.audit import NO_RELEASES, append
from api.store.base import now
from api.users import LOCAL, ROLES, Role, User, scopes_of

_NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,89}")
ADMINISTRATOR: Role = "administrator"


def name_of(text: str) -> str:
    """A user's name in its one form, lower case. Raises :class:`AccountError`.

    >>> name_of(" Anne.Baker ")
    'anne.baker'
    """
    name = text.strip().lower()
    if not _NAME.fullmatch(name) or name == LOCAL.name:
        raise AccountError(f"a name has 1 to 90 letters of a to z, digits and . _ @ + -, and is not {LOCAL.name!r}")
    return name


def roles_of(names: Iterable[str]) -> list[Role]:
    """Roles in their order, each once. Raises :class:`AccountError` for one that is none, and for none at all."""
    asked = set(names)
    unknown = sorted(asked - set(ROLES))
    if unknown or not asked:
        raise AccountError(f"a role is {', '.join(ROLES)}" + (f", not {unknown[0][:40]!r}" if unknown else ""))
    return [role for role in ROLES if role in asked]


def user_of(row: UserRow, method: str) -> User:
    """The user as the routes see it: with what the roles allow now."""
    roles = tuple(role for role in ROLES if role in row.roles)
    return User(row.name, scopes_of(roles), roles, "oidc" if method == "oidc" else "password")


def find(session: Session, name: str) -> UserRow:
    """The user of this name, for a change. Raises :class:`UnknownAccount`.

    All users are locked, in one order: two administrators can neither shut each other out nor wait for each other.
    """
    wanted = name.strip().lower()
    rows = session.scalars(select(UserRow).order_by(UserRow.id).with_for_update()).all()
    row = next((row for row in rows if row.name == wanted), None)
    if row is None:
        raise UnknownAccount("no user has this name")
    return row


def everybody(session: Session) -> list[UserRow]:
    """All users, by name."""
    return list(session.scalars(select(UserRow).order_by(UserRow.name)))


def any_user(session: Session) -> bool:
    """Whether a user was ever made: from then on nobody works without signing in."""
    return session.scalars(select(UserRow.id).limit(1)).first() is not None


def any_password(session: Session) -> bool:
    """Whether somebody signs in with a password here."""
    return session.scalars(select(UserRow.id).where(UserRow.password.is_not(None)).limit(1)).first() is not None


def can_administer(row: UserRow) -> bool:
    """Whether this user can sign in with a password and administer."""
    return row.password is not None and not row.disabled and ADMINISTRATOR in row.roles


def any_administrator(session: Session) -> bool:
    """Whether a local account could administer the service."""
    return any(map(can_administer, everybody(session)))


def add(session: Session, by: str, name: str, password_hash: str, roles: Collection[str]) -> UserRow:
    """Make a local user. Raises :class:`AccountError`, :class:`AccountExists`."""
    row = new_row(name_of(name), roles_of(roles))
    row.password = password_hash
    if session.scalars(select(UserRow.id).where(UserRow.name == row.name)).first() is not None:
        raise AccountExists(f"there is a user {row.name} already")
    session.add(row)
    append(session, by, "user-created", f"user/{row.name}", NO_RELEASES, {"roles": row.roles})
    return row


def new_row(name: str, roles: Collection[str]) -> UserRow:
    """A user that is not in the database yet, and can't sign in."""
    return UserRow(name=name, roles=list(roles), disabled=False, failures=0, created=now())


def set_password(session: Session, by: str, row: UserRow, password_hash: str, keep: int | None = None) -> None:
    """Give a local user another password, and end the sessions but ``keep``. Raises :class:`AccountError`."""
    if row.password is None:
        raise AccountError(f"{row.name} signs in at the provider and has no password here")
    row.password, row.failures, row.locked_until = password_hash, 0, None
    end_sessions(session, row, keep)
    append(session, by, "password-changed", f"user/{row.name}", NO_RELEASES, {})


def set_roles(session: Session, by: str, row: UserRow, roles: Collection[str]) -> None:
    """Give a local user other roles; they hold from the next request on. Raises :class:`AccountError`,
    :class:`LastAdministrator`."""
    if row.password is None:
        raise AccountError(f"the provider says which roles {row.name} has")
    named = roles_of(roles)
    if ADMINISTRATOR not in named:
        _keep_one(session, row)
    row.roles = list(named)
    append(session, by, "user-changed", f"user/{row.name}", NO_RELEASES, {"roles": row.roles})


def set_disabled(session: Session, by: str, row: UserRow, disabled: bool) -> None:
    """Shut a user out, whose sessions end, or let the user in again. Raises :class:`LastAdministrator`."""
    if disabled:
        _keep_one(session, row)
        end_sessions(session, row)
    row.disabled = disabled
    append(session, by, "user-changed", f"user/{row.name}", NO_RELEASES, {"disabled": disabled})


def unlock(session: Session, by: str, row: UserRow) -> None:
    """Let a user try again who has failed too often."""
    row.failures, row.locked_until = 0, None
    append(session, by, "unlock", f"user/{row.name}", NO_RELEASES, {})


def end_sessions(session: Session, row: UserRow, keep: int | None = None) -> None:
    """Sign a user out everywhere, but in the session ``keep``."""
    session.execute(delete(SessionRow).where(SessionRow.user_id == row.id, SessionRow.id != (keep or 0)))


def _keep_one(session: Session, row: UserRow) -> None:
    others = (other for other in everybody(session) if other.id != row.id)
    if can_administer(row) and not any(map(can_administer, others)):
        raise LastAdministrator(f"{row.name} is the last administrator: make another one first")

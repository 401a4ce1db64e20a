"""Keys of programs: ``ca_ID_SECRET``, shown once and stored hashed."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import anyio.to_thread
from fastapi import Request
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.auth import accounts
from api.auth.errors import AccountError, AccountExists, UnknownAccount
from api.auth.secrets import matches, new_secret, stored
from api.store.accounts import ApiKeyRow
from api.store.audit import NO_RELEASES, append
from api.store.base import now, stamp
from api.store.database import Database
from api.users import ROLES, SCOPES, Role, Scope, User, scopes_of

PREFIX = "ca_"
SERVICE: tuple[Role, ...] = ("service",)
TOUCHED_AFTER = timedelta(minutes=1)
"""How old the time of last use may grow before it is written again."""
_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,79}")
_KEY = re.compile(r"ca_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made. ``text`` is shown now and never again."""

    row: ApiKeyRow
    text: str


def create(
    session: Session, by: str, name: str, scopes: Iterable[str], owner: str | None = None,
    expires: datetime | None = None,
) -> NewKey:  # fmt: skip
    """Make a key. Raises :class:`AccountError` for scopes beyond those of its owner, or of the role service where it
    has none; :class:`AccountExists`, :class:`UnknownAccount`."""
    if not _NAME.fullmatch(name):
        raise AccountError("a key's name has 1 to 80 letters of a to z, digits and . _ @ -")
    owned = accounts.find(session, owner) if owner is not None else None
    granted = _granted(scopes, scopes_of(SERVICE if owned is None else owned.roles))
    if expires is not None and expires <= now():
        raise AccountError("the key would have expired already")
    if session.scalars(select(ApiKeyRow.id).where(ApiKeyRow.name == name)).first() is not None:
        raise AccountExists(f"there is a key {name} already")
    secret = new_secret()
    row = ApiKeyRow(
        id=secrets.token_hex(6), name=name, secret_hash=stored(secret), scopes=list(granted), created=now(),
        expires=expires, owner=owned,
    )  # fmt: skip
    session.add(row)
    details = {"scopes": row.scopes, "owner": owned and owned.name, "expires": expires and stamp(expires)}
    append(session, by, "key-created", f"key/{row.name}", NO_RELEASES, details)
    return NewKey(row, f"{PREFIX}{row.id}_{secret}")


def listed(session: Session) -> list[ApiKeyRow]:
    """All keys, by name, those that are revoked as well."""
    return list(session.scalars(select(ApiKeyRow).order_by(ApiKeyRow.name)))


def revoke(session: Session, by: str, id_or_name: str) -> ApiKeyRow:
    """End a key for good. Raises :class:`UnknownAccount`."""
    which = (ApiKeyRow.id == id_or_name) | (ApiKeyRow.name == id_or_name)
    row = session.scalars(select(ApiKeyRow).where(which).with_for_update(of=ApiKeyRow)).first()
    if row is None:
        raise UnknownAccount("no key has this id or name")
    if row.revoked is None:
        row.revoked = now()
        append(session, by, "key-revoked", f"key/{row.name}", NO_RELEASES, {})
    return row


def user_of(row: ApiKeyRow) -> User:
    """The program as the routes see it: with what both the key and its owner may do now."""
    roles = SERVICE if row.owner is None else tuple(role for role in ROLES if role in row.owner.roles)
    return User(f"key:{row.name}", scopes_of(roles) & frozenset[str](row.scopes), roles, "key")


async def authenticate(request: Request, token: str) -> User | None:
    """The program whose key this is (a bearer authenticator, see :mod:`api.auth.bearer`)."""
    parts = _KEY.fullmatch(token)
    if parts is None:
        return None
    database: Database = request.app.state.database
    return await anyio.to_thread.run_sync(_checked, database, parts[1], parts[2])


def _checked(database: Database, key: str, secret: str) -> User | None:
    with database.reading() as session:
        row = session.get(ApiKeyRow, key)
        if row is None or not matches(secret, row.secret_hash) or not _alive(row):
            return None
        user = user_of(row)
        used = row.last_used
    if used is None or now() - used > TOUCHED_AFTER:
        with database.writing() as session:
            session.get_one(ApiKeyRow, key).last_used = now()
    return user


def _alive(row: ApiKeyRow) -> bool:
    expired = row.expires is not None and row.expires <= now()
    return row.revoked is None and not expired and not (row.owner is not None and row.owner.disabled)


def _granted(asked: Iterable[str], allowed: frozenset[Scope]) -> list[Scope]:
    wanted = set(asked)
    unknown = sorted(wanted - set(SCOPES))
    if unknown or not wanted:
        raise AccountError(f"a scope is {', '.join(SCOPES)}" + (f", not {unknown[0][:40]!r}" if unknown else ""))
    beyond = [scope for scope in SCOPES if scope in wanted and scope not in allowed]
    if beyond:
        raise AccountError(f"the key's owner, or the role service where it has none, lacks {', '.join(beyond)}")
    return [scope for scope in SCOPES if scope in wanted]

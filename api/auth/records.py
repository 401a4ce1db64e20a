"""Users, keys and sessions as records of the API and the command line."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from api.auth.identity import CurrentSession
from api.store.accounts import ApiKeyRow, UserRow
from api.store.base import now, stamp
from api.users import SCOPES, User


def session_record(user: User, session: CurrentSession | None) -> dict[str, Any]:
    """Who asks, and how many minutes are left unless a request comes."""
    return {
        "name": user.name,
        "roles": list(user.roles),
        "scopes": [scope for scope in SCOPES if scope in user.scopes],
        "signed_in_by": user.signed_in_by,
        "minutes_left": None if session is None else round(session.seconds_left / 60, 2),
    }


def user_record(row: UserRow) -> dict[str, Any]:
    """A user; of a lock only one that still holds."""
    locked = row.locked_until is not None and row.locked_until > now()
    return {
        "name": row.name,
        "roles": row.roles,
        "source": "oidc" if row.issuer else "local",
        "disabled": row.disabled,
        "locked_until": _moment(row.locked_until) if locked else None,
        "created": stamp(row.created),
        "last_signed_in": _moment(row.last_signed_in),
    }


def key_record(row: ApiKeyRow) -> dict[str, Any]:
    """A key without its secret."""
    return {
        "id": row.id,
        "name": row.name,
        "owner": row.owner.name if row.owner else None,
        "scopes": row.scopes,
        "created": stamp(row.created),
        "expires": _moment(row.expires),
        "last_used": _moment(row.last_used),
        "revoked": _moment(row.revoked),
    }


def _moment(value: datetime | None) -> str | None:
    return None if value is None else stamp(value)

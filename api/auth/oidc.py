"""Sign-in at the provider: the way there, what is kept meanwhile, and who came back."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from api.auth import accounts, sessions
from api.auth.errors import AccountError
from api.auth.secrets import new_secret, stored
from api.auth.settings import AuthSettings
from api.auth.signing_in import UNKNOWN, SignedIn
from api.store.accounts import OidcFlowRow, UserRow
from api.store.audit import NO_RELEASES, append
from api.store.base import now
from api.store.database import Database
from api.users import ROLES, Role

FLOW_LASTS = timedelta(minutes=10)
"""How long somebody may take at the provider."""
LONGEST_SUBJECT = 255
"""Characters of the claim ``sub`` (OpenID Connect Core 1.0, section 2)."""


@dataclass(frozen=True, slots=True)
class Flow:
    """A sign-in under way. ``token`` goes into a cookie, so that the answer counts in this browser alone."""

    token: str
    state: str
    nonce: str
    verifier: str
    next_path: str


class RefusedError(Exception):
    """The answer does not belong to a sign-in of this browser, or the user may not come in. The message is shown."""


def begin(database: Database, next_path: str) -> Flow:
    """Keep what the answer will be checked against."""
    flow = Flow(new_secret(), new_secret(), new_secret(), new_secret() + new_secret(), next_path)
    with database.writing() as session:
        session.execute(delete(OidcFlowRow).where(OidcFlowRow.created < now() - FLOW_LASTS))
        session.add(
            OidcFlowRow(
                token_hash=stored(flow.token),
                state=flow.state,
                nonce=flow.nonce,
                verifier=flow.verifier,
                next_path=next_path,
                created=now(),
            )
        )
    return flow


def take(database: Database, token: str | None, state: str | None) -> Flow:
    """The sign-in that an answer belongs to; it can be taken once. Raises :class:`RefusedError`."""
    refused = RefusedError("This sign-in was not begun here, or took too long. Try again.")
    if token is None or state is None:
        raise refused
    with database.writing() as session:
        row = session.get(OidcFlowRow, stored(token), with_for_update=True)
        if row is None:
            raise refused
        flow = Flow(token, row.state, row.nonce, row.verifier, row.next_path)
        late = row.created < now() - FLOW_LASTS
        session.delete(row)
    if late or not hmac.compare_digest(flow.state.encode(), state.encode("utf-8", "surrogatepass")):
        raise refused
    return flow


def finish(database: Database, settings: AuthSettings, claims: Mapping[str, Any]) -> SignedIn:
    """Sign in the user of an ID token that was checked. Raises :class:`RefusedError`.

    A name belongs to the first who comes with it: another subject, or a local account, of the same name is no reason
    to be let in.
    """
    name, roles, subject = _name(settings, claims), roles_in(settings, claims), claims.get("sub")
    if not isinstance(subject, str) or not 1 <= len(subject) <= LONGEST_SUBJECT:
        raise RefusedError("The provider's answer does not say who you are.")
    if not roles:
        raise RefusedError("Your organisation has given you no role here. Ask its administrator for one.")
    with database.writing() as session:
        row = _row(session, settings.oidc_issuer, subject, name)
        if row is None or row.disabled:
            raise RefusedError(f"The name {name} is another user's here, or disabled. Ask an administrator.")
        row.roles = list(roles)
        token = sessions.start(session, row, "oidc", sessions.Lifetime.of(settings))
        return SignedIn(accounts.user_of(row, "oidc"), token)


def record_failure(database: Database, reason: str) -> None:
    """Note in the audit trail that a sign-in at the provider came to nothing."""
    with database.writing() as session:
        append(session, UNKNOWN, "login-failed", f"user/{UNKNOWN}", NO_RELEASES, {"by": "oidc", "reason": reason})


def roles_in(settings: AuthSettings, claims: Mapping[str, Any]) -> list[Role]:
    """The roles that the claim gives by the table of the settings; it holds a text or a list of them."""
    value: Any = claims
    for part in settings.oidc_roles_claim.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    values = value if isinstance(value, list) else [value]
    given = {settings.oidc_roles[v] for v in values if isinstance(v, str) and v in settings.oidc_roles}
    return [role for role in ROLES if role in given]


def _name(settings: AuthSettings, claims: Mapping[str, Any]) -> str:
    value = claims.get(settings.oidc_name_claim)
    try:
        return accounts.name_of(value if isinstance(value, str) else "")
    except AccountError:
        raise RefusedError(f"The claim {settings.oidc_name_claim} holds no name that can be used here.") from None


def _row(session: Session, issuer: str, subject: str, name: str) -> UserRow | None:
    """The user of this subject, made where there is none; ``None`` when the name is somebody else's."""
    known = (UserRow.issuer == issuer) & (UserRow.subject == subject)
    row = session.scalars(select(UserRow).where(known).with_for_update()).one_or_none()
    if row is not None:
        return row  # under the name of the first time, whatever the provider calls the user since
    if session.scalars(select(UserRow.id).where(UserRow.name == name)).first() is not None:
        return None
    row = accounts.new_row(name, ())
    row.issuer, row.subject = issuer, subject
    session.add(row)
    session.flush()
    append(session, name, "user-created", f"user/{name}", NO_RELEASES, {"by": "oidc"})
    return row

"""Whose bearer token a request carries: an EHR's that calls a CDS service, or a backend service's.

:func:`authenticate_token` is what a service with accounts of its own asks for the tokens that it does not know itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated

import anyio.to_thread
from fastapi import Depends, Request
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError

from api.errors import Problem
from api.interop.state import base_url, database_of, interop_of
from api.interop.tokens import LEEWAY, TokenRefused, read_unverified, verify
from api.store.base import now
from api.store.database import Database
from api.store.interop import AccessToken, UsedToken
from api.users import LOCAL, CurrentUser, Scope, User

CDS_PATH = "/cds-services"
_CDS_SCOPES: frozenset[Scope] = frozenset({"suggest", "reviews:read", "reviews:write", "integrate"})
_KNOWN = "codeassist.token_user"


async def authenticate_token(request: Request, token: str) -> User | None:
    """The user of a bearer token that this package has given or can verify, or ``None``.

    Raises the problem ``unauthenticated`` with the reason for a JWT that is not taken. A token is looked at once a
    request: whoever asks again gets the same user, because a JWT may be used only once.
    """
    if _KNOWN in request.scope:
        known: User = request.scope[_KNOWN]
        return known
    user = await (_cds_user(request, token) if token.count(".") == 2 else _access_user(request, token))
    if user is not None:
        request.scope[_KNOWN] = user
    return user


async def token_user(request: Request, user: CurrentUser) -> User:
    """The user of the bearer token, or else whoever has signed in.

    Without accounts, everybody on this machine is the local user: then a token that is sent must be right, and one
    must be sent as soon as the site has set who is trusted with one.
    """
    if user is not LOCAL:
        return user
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        known = await authenticate_token(request, token.strip())
        if known is None:
            raise refused("the access token is not known, or has expired")
        return known
    settings = interop_of(request).settings
    trusted = settings.cds_clients if request.url.path.startswith(CDS_PATH) else settings.smart_clients
    if trusted:
        raise refused("send a bearer token")
    return user


TokenUser = Annotated[User, Depends(token_user)]


def token_needs(scope: Scope) -> Callable[[User], User]:
    """As :func:`api.users.needs`, for routes that EHRs call with tokens of their own."""

    def permitted(user: TokenUser) -> User:
        if scope not in user.scopes:
            raise Problem("forbidden", f"This needs the scope {scope}, which {user.name} does not have.")
        return user

    return permitted


TokenSuggester = Annotated[User, Depends(token_needs("suggest"))]
TokenIntegrator = Annotated[User, Depends(token_needs("integrate"))]
TokenReviewWriter = Annotated[User, Depends(token_needs("reviews:write"))]


def refused(reason: str) -> Problem:
    """The problem of a token that is missing or not taken."""
    return Problem("unauthenticated", f"{reason[:1].upper()}{reason[1:]}.", headers={"WWW-Authenticate": "Bearer"})


def token_digest(*parts: str) -> str:
    """The hash under which a token, or what makes one unique, is kept."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


async def use_once(database: Database, issuer: str, jti: str, expires: float) -> None:
    """Remember a token until it has expired. Raises :class:`TokenRefused` when it was used before."""
    until = datetime.fromtimestamp(expires, UTC) + timedelta(seconds=2 * LEEWAY)

    def keep() -> None:
        try:
            with database.writing() as session:
                session.execute(delete(UsedToken).where(UsedToken.expires < now()))
                session.add(UsedToken(digest=token_digest(issuer, jti), expires=until))
        except IntegrityError:
            raise TokenRefused("the token was used before") from None

    await anyio.to_thread.run_sync(keep)


async def _cds_user(request: Request, token: str) -> User | None:
    """The EHR that calls a CDS service, by the JWT that it has signed."""
    interop = interop_of(request)
    try:
        stated = read_unverified(token)
        issuer, jku = stated.claims.get("iss"), stated.header.get("jku")
        client = interop.settings.cds_clients.get(issuer) if isinstance(issuer, str) else None
        if client is None or not request.url.path.startswith(CDS_PATH):
            raise TokenRefused("the issuer of the token is not trusted here")
        assert isinstance(issuer, str)
        if jku is not None and jku != client.jwks_url:
            raise TokenRefused("the token names keys at an address that is not trusted")
        keys = await interop.keys.of(client, stated.header.get("kid"))
        claims = verify(token, keys, [base_url(request) + request.url.path])
        if "iat" not in claims:
            raise TokenRefused("the token has no iat")
        await use_once(database_of(request), issuer, claims["jti"], claims["exp"])
    except TokenRefused as error:
        raise refused(str(error)) from None
    return User(f"cds:{issuer}"[:200], _CDS_SCOPES, (), "token")


async def _access_user(request: Request, token: str) -> User | None:
    """The backend service that an access token was given to."""
    database = database_of(request)

    def find() -> AccessToken | None:
        with database.reading() as session:
            return session.get(AccessToken, token_digest(token))

    row = await anyio.to_thread.run_sync(find)
    if row is None or row.expires <= now() or row.client not in interop_of(request).settings.smart_clients:
        return None
    return User(f"smart:{row.client}"[:200], frozenset(s for s in LOCAL.scopes if s in row.scopes), (), "token")

"""Where other kinds of bearer tokens join in.

``app.state.bearer_authenticators`` is a list of :class:`BearerAuthenticator`. Each is asked in turn about the token of
``Authorization: Bearer TOKEN``, and answers with the user, or with ``None`` for a token that is not of its kind or not
valid; when none knows it, the answer is 401. API keys are the first of them. A module that verifies tokens of its own
adds its authenticator where the application is made::

    async def authenticate(request: Request, token: str) -> User | None:
        if token.count(".") != 2:
            return None
        claims = ...  # verify the signature, the issuer, the audience and the expiry
        return User(claims["sub"], frozenset({"suggest"}), (), "token")

    app.state.bearer_authenticators.append(authenticate)

The user's scopes are the whole of what the token allows: give none that its owner lacks. ``User.name`` goes into the
audit trail, so let it tell who it was, and keep apart from the names of users, which hold no colon. CPU work and
database work belong into a thread. A request with a bearer token needs neither a session nor the check of its origin:
no other site's page can send it.
"""

from __future__ import annotations

from typing import Protocol

from fastapi import Request

from api.users import User


class BearerAuthenticator(Protocol):
    """Knows the user of one kind of token."""

    async def __call__(self, request: Request, token: str, /) -> User | None:
        """The user; ``None`` for a token that is not of this kind, or not valid."""
        ...


def token_of(request: Request) -> str | None:
    """The token of ``Authorization: Bearer TOKEN``; ``None`` without one, and for other schemes."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None

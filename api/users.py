"""Who is asking, and what they may do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Literal, get_args

from fastapi import Depends, Request

from api.errors import Problem

Role = Literal["coder", "auditor", "administrator", "service"]
Scope = Literal["suggest", "reviews:read", "reviews:write", "audits", "reports", "exports", "integrate", "admin"]
SignedInBy = Literal["local-mode", "password", "oidc", "key", "token"]
ROLES: tuple[Role, ...] = get_args(Role)
SCOPES: tuple[Scope, ...] = get_args(Scope)

_CODER: frozenset[Scope] = frozenset({"suggest", "reviews:read", "reviews:write"})
ROLE_SCOPES: dict[Role, frozenset[Scope]] = {
    "coder": _CODER,
    "auditor": _CODER | {"audits", "reports", "exports"},
    "administrator": frozenset(SCOPES),
    "service": frozenset({"suggest", "reviews:read", "reviews:write", "exports", "integrate"}),
}
"""What each role may do. A key or token may have fewer scopes than its role, never more."""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who works with the service; ``name`` stands in the audit trail."""

    name: str
    scopes: frozenset[Scope] = frozenset()
    roles: tuple[Role, ...] = ()
    signed_in_by: SignedInBy = "local-mode"


LOCAL = User("local", frozenset(SCOPES), ROLES)
Identify = Callable[[Request], Awaitable[User]]
"""What ``app.state.identify`` is: the user of a request, or the problem ``unauthenticated``."""


def scopes_of(roles: Iterable[str]) -> frozenset[Scope]:
    """Everything that the roles together may do; a role that is not known gives nothing.

    >>> sorted(scopes_of(["coder"]))
    ['reviews:read', 'reviews:write', 'suggest']
    """
    return frozenset().union(*(ROLE_SCOPES[r] for r in ROLES if r in set(roles)))


async def current_user(request: Request) -> User:
    """Who asks: by a session, a key or a token; without accounts the one local user (see :mod:`api.auth.identity`)."""
    identify: Identify = request.app.state.identify
    user = await identify(request)
    request.state.user = user
    return user


CurrentUser = Annotated[User, Depends(current_user)]


class Needs:
    """A dependency that gives the user, and refuses one who lacks ``scope`` with the problem ``forbidden``."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    async def __call__(self, user: CurrentUser) -> User:
        if self.scope not in user.scopes:
            raise Problem("forbidden", f"This needs the scope {self.scope}, which {user.name} does not have.")
        return user


def needs(scope: Scope) -> Needs:
    """The dependency on ``scope``; for a whole router, ``dependencies=[Depends(needs("suggest"))]``."""
    return Needs(scope)


Suggester = Annotated[User, Depends(needs("suggest"))]
ReviewReader = Annotated[User, Depends(needs("reviews:read"))]
ReviewWriter = Annotated[User, Depends(needs("reviews:write"))]
Auditor = Annotated[User, Depends(needs("audits"))]
ReportReader = Annotated[User, Depends(needs("reports"))]
Exporter = Annotated[User, Depends(needs("exports"))]
Integrator = Annotated[User, Depends(needs("integrate"))]
Administrator = Annotated[User, Depends(needs("admin"))]

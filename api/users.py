"""Who is asking, and what they may do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal, get_args

from fastapi import Depends

from api.errors import Problem

Role = Literal["coder", "auditor", "administrator", "service"]
Scope = Literal["suggest", "reviews:read", "reviews:write", "audits", "reports", "exports", "integrate", "admin"]
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


LOCAL = User("local", frozenset(SCOPES))


async def current_user() -> User:
    """The one local user; where users sign in, this dependency is replaced by the one that knows them."""
    return LOCAL


CurrentUser = Annotated[User, Depends(current_user)]


def needs(scope: Scope) -> Callable[[User], User]:
    """A dependency that gives the user, and refuses one who lacks ``scope`` with the problem ``forbidden``."""

    def allowed(user: CurrentUser) -> User:
        if scope not in user.scopes:
            raise Problem("forbidden", f"This needs the scope {scope}, which {user.name} does not have.")
        return user

    return allowed


Suggester = Annotated[User, Depends(needs("suggest"))]
ReviewReader = Annotated[User, Depends(needs("reviews:read"))]
ReviewWriter = Annotated[User, Depends(needs("reviews:write"))]
Auditor = Annotated[User, Depends(needs("audits"))]
ReportReader = Annotated[User, Depends(needs("reports"))]
Exporter = Annotated[User, Depends(needs("exports"))]
Integrator = Annotated[User, Depends(needs("integrate"))]
Administrator = Annotated[User, Depends(needs("admin"))]

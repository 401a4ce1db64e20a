"""Who is asking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who works with the service; ``name`` stands in the audit trail."""

    name: str


LOCAL = User("local")


async def current_user() -> User:
    """The one local user; where users sign in, this dependency is replaced by the one that knows them."""
    return LOCAL


CurrentUser = Annotated[User, Depends(current_user)]

"""What the routes of sessions, users and keys read, and the shapes of their answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field, SecretStr

from api.auth.passwords import LONGEST
from api.schemas import Strict
from api.users import Role, Scope, SignedInBy

Password = Annotated[SecretStr, Field(min_length=1, max_length=LONGEST)]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Roles = Annotated[list[Role], Field(min_length=1, max_length=10)]


class SignInIn(Strict):
    """Name and password of a local account."""

    name: Annotated[str, Field(max_length=LONGEST)]
    password: Password


class PasswordIn(Strict):
    """One's password now, and the new one."""

    current: Password
    new: Password


class UserIn(Strict):
    """A new local account."""

    name: Name
    password: Password
    roles: Roles


class UserChangeIn(Strict):
    """What is to change; what is left out stays."""

    roles: Roles | None = None
    disabled: bool | None = None
    unlock: bool = Field(False, description="Lets a user try again who has failed too often.")
    password: Password | None = Field(None, description="A new password; the user's sessions end.")


class KeyIn(Strict):
    """A new key."""

    name: Name
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=20)]
    owner: Name | None = Field(None, description="The user whose rights bound it; without one the role service does.")
    expires: AwareDatetime | None = Field(None, description="When it stops; never, unless given.")


class SessionOut(BaseModel):
    """Who asks."""

    name: str
    roles: list[Role]
    scopes: list[Scope]
    signed_in_by: SignedInBy
    minutes_left: float | None = Field(description="Until the session ends unless a request comes; null without one.")


class UserOut(BaseModel):
    """A user."""

    name: str
    roles: list[Role]
    source: str = Field(description="local, or oidc for one whom the provider answers for")
    disabled: bool
    locked_until: datetime | None
    created: datetime
    last_signed_in: datetime | None


class KeyOut(BaseModel):
    """A key, without its secret."""

    id: str
    name: str
    owner: str | None
    scopes: list[Scope]
    created: datetime
    expires: datetime | None
    last_used: datetime | None
    revoked: datetime | None


class NewKeyOut(KeyOut):
    """A key that was just made."""

    key: str = Field(
        default_factory=str,
        description="`ca_…`, shown this once; send it as `Authorization: Bearer ca_…`. It is kept nowhere, and so left "
        "out when the answer is given again.",
    )


BODIES = (SignInIn, PasswordIn, UserIn, UserChangeIn, KeyIn)

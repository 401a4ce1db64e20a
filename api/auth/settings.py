"""What a site may set of sign-in."""

from __future__ import annotations

from typing import Self

from pydantic import Field, NonNegativeInt, PositiveInt, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from api.users import Role
from codeassist.settings import Settings


class AuthSettings(Settings):
    """Sign-in; each can be set as ``CODEASSIST_<NAME>`` or in the TOML file."""

    allowed_hosts: frozenset[str] = frozenset()
    """Names, without port, by which requests may address the service, beside those of this machine itself. Without
    sign-in these alone are answered; with sign-in an empty list lets every name pass."""
    idle_minutes: PositiveInt = 30
    """After how many minutes without a request a session ends."""
    session_hours: PositiveInt = 12
    """After how many hours a session ends in any case."""
    failures_before_lock: PositiveInt = 5
    """How many wrong passwords in a row lock an account."""
    account_lock_minutes: PositiveInt = 15
    """How long an account stays locked; an administrator can unlock it before."""
    attempts_window_minutes: PositiveInt = 5
    """The minutes over which failed sign-ins are counted."""
    attempts_per_address: PositiveInt = 30
    """Failed sign-ins from one address in that time, after which more are answered with 429."""
    attempts_per_name: PositiveInt = 10
    """Failed sign-ins under one name in that time, after which more are answered with 429."""
    argon2_passes: PositiveInt = 3
    """Argon2id: passes over the memory. A stored password is hashed anew at the next sign-in after a change."""
    argon2_memory_kib: PositiveInt = Field(65_536, ge=64)
    """Argon2id: memory of one hash, in KiB."""
    oidc_issuer: str = ""
    """The OpenID Connect provider, as its tokens name it; its discovery document is read from there."""
    oidc_client_id: str = ""
    """This service's client id at the provider."""
    oidc_client_secret: SecretStr = SecretStr("")
    """Its secret; empty for a public client."""
    oidc_redirect_url: str = ""
    """The callback as registered, ``https://HOST/sign-in/oidc/callback``; from the request when empty."""
    oidc_scopes: str = "openid profile email"
    """The scopes that are asked for."""
    oidc_name_claim: str = "preferred_username"
    """The claim of the ID token that holds the user's name."""
    oidc_roles_claim: str = "roles"
    """The claim that holds groups or roles; dots lead into nested claims, as in ``realm_access.roles``."""
    oidc_roles: dict[str, Role] = Field({})
    """Which value of that claim gives which role; values that are not named give none."""
    oidc_label: str = "Sign in with your organisation"
    """What stands on the button."""
    oidc_leeway_seconds: NonNegativeInt = 30
    """How far the provider's clock may be off."""

    @model_validator(mode="after")
    def _oidc_is_whole(self) -> Self:
        if bool(self.oidc_issuer) != bool(self.oidc_client_id):
            raise PydanticCustomError("oidc", "oidc_issuer and oidc_client_id are set together or not at all")
        return self

    @property
    def oidc(self) -> bool:
        """Whether an OpenID Connect provider is set up."""
        return bool(self.oidc_issuer)

"""A site's OpenID Connect provider: its discovery document, its keys, and the exchange of a code for an ID token."""

from __future__ import annotations

import ssl
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from api.auth.errors import ProviderError
from api.auth.loopback import is_loopback
from api.auth.settings import AuthSettings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Authlib's advice about its next HTTP library
    from authlib.common.errors import AuthlibBaseError
    from authlib.integrations.httpx_client import AsyncOAuth2Client
    from authlib.oidc.core import CodeIDToken

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures by a key that the provider alone has. ``none`` and those by a shared secret are not among them."""
SECONDS = 10.0
"""How long the provider may take to answer."""
KEPT_SECONDS = 3600.0
"""How long the discovery document is kept."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the discovery document says (OpenID Connect Discovery 1.0, section 3)."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    read: float


class Provider:
    """The provider that the settings name."""

    def __init__(self, settings: AuthSettings) -> None:
        self._settings = settings
        self._metadata: Metadata | None = None
        self._keys: KeySet | None = None
        self._tls = ssl.create_default_context()  # made once, with the machine's authorities: it takes a while

    async def authorization_url(self, redirect_url: str, state: str, nonce: str, verifier: str) -> str:
        """Where the browser goes to sign in: authorisation code flow with PKCE (RFC 7636, S256)."""
        metadata = await self._discover()
        async with self._client(redirect_url) as client:
            url, _ = client.create_authorization_url(
                metadata.authorization_endpoint, state=state, nonce=nonce, code_verifier=verifier
            )
        return str(url)

    async def claims(self, redirect_url: str, code: str, nonce: str, verifier: str) -> Mapping[str, Any]:
        """The claims of the ID token that the code is given for, checked as OpenID Connect Core 1.0, section 3.1.3.7
        asks. Raises :class:`ProviderError`."""
        metadata = await self._discover()
        try:
            async with self._client(redirect_url) as client:
                token = await client.fetch_token(metadata.token_endpoint, code=code, code_verifier=verifier)
        except (httpx.HTTPError, AuthlibBaseError, ValueError) as error:
            raise ProviderError(f"no token was given for the code: {type(error).__name__}") from None
        if not isinstance(token.get("id_token"), str):
            raise ProviderError("the answer has no ID token")
        return await self._checked(token, nonce)

    async def _checked(self, token: Mapping[str, Any], nonce: str) -> Mapping[str, Any]:
        try:
            decoded = await self._decoded(token["id_token"])
            options = {
                "iss": {"essential": True, "value": self._settings.oidc_issuer},
                "aud": {"essential": True, "value": self._settings.oidc_client_id},
            }
            parameters = {
                "nonce": nonce,
                "client_id": self._settings.oidc_client_id,
                "access_token": token.get("access_token"),
            }
            claims = CodeIDToken(decoded.claims, decoded.header, options, parameters)
            claims.validate(leeway=self._settings.oidc_leeway_seconds)
        except (JoseError, AuthlibBaseError, ValueError, TypeError, KeyError) as error:
            raise ProviderError(f"the ID token does not hold: {_said(error)}") from None
        return dict(decoded.claims)

    async def _decoded(self, token: str) -> jwt.Token:
        """The token with its signature checked; keys that are not known yet are fetched once more."""
        known = self._keys
        if known is not None:
            try:
                return jwt.decode(token, known, ALGORITHMS)
            except (JoseError, ValueError):
                pass  # the provider may have changed its keys since
        self._keys = KeySet.import_key_set(await self._get((await self._discover()).jwks_uri))  # type: ignore[arg-type]
        return jwt.decode(token, self._keys, ALGORITHMS)

    async def _discover(self) -> Metadata:
        if self._metadata is None or time.monotonic() - self._metadata.read > KEPT_SECONDS:
            issuer = self._settings.oidc_issuer
            said = await self._get(issuer.rstrip("/") + "/.well-known/openid-configuration")
            if said.get("issuer") != issuer:
                raise ProviderError("the discovery document is of another issuer than the setting oidc_issuer")
            names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            authorization, token, keys = (_secure(said.get(name), name) for name in names)
            self._metadata = Metadata(authorization, token, keys, time.monotonic())
        return self._metadata

    async def _get(self, url: str) -> dict[str, Any]:
        try:
            async with httpx.AsyncClient(timeout=SECONDS, verify=self._tls) as client:
                answer = (await client.get(_secure(url, "oidc_issuer"))).raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise ProviderError(f"{urlsplit(url).path} can't be read: {type(error).__name__}") from None
        if not isinstance(answer, dict):
            raise ProviderError(f"{urlsplit(url).path} is no JSON object")
        return answer

    def _client(self, redirect_url: str) -> AsyncOAuth2Client:
        secret = self._settings.oidc_client_secret.get_secret_value()
        return AsyncOAuth2Client(
            self._settings.oidc_client_id,
            secret or None,
            token_endpoint_auth_method="client_secret_basic" if secret else "none",
            scope=self._settings.oidc_scopes,
            redirect_uri=redirect_url,
            code_challenge_method="S256",
            timeout=SECONDS,
            verify=self._tls,
        )


def _secure(url: object, name: str) -> str:
    """The URL, when it is of HTTPS or of this machine. Raises :class:`ProviderError`."""
    if isinstance(url, str):
        parts = urlsplit(url)
        if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or "")):
            return url
    raise ProviderError(f"{name} is no https:// address")


def _said(error: Exception) -> str:
    """What is wrong with a token: the class of the error and the claim that it names, nothing of the token."""
    claim = getattr(error, "claim", None) or getattr(error, "claim_name", None)
    return f"{type(error).__name__} {claim}" if claim else type(error).__name__

"""SMART Backend Services: a signed assertion in, a short-lived access token out. Only the hash of a token is kept."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import anyio.to_thread
from fastapi import APIRouter, Request
from pydantic import BaseModel
from sqlalchemy import delete
from starlette.responses import Response

from api.body import read_body
from api.errors import Problem
from api.interop.authentication import token_digest, use_once
from api.interop.smart.assertion import ASSERTION_TYPE
from api.interop.smart.scopes import SUPPORTED, allowed_scopes, granted
from api.interop.state import base_url, database_of, interop_of
from api.interop.tokens import ALGORITHMS, TokenRefused, read_unverified, verify
from api.openapi import problems
from api.routes.answers import json_response
from api.store.base import now
from api.store.interop import AccessToken

_FORM = "application/x-www-form-urlencoded"
MAX_FORM = 32_000
router = APIRouter(tags=["smart"])
_FIELDS = {
    "grant_type": {"type": "string", "enum": ["client_credentials"]},
    "scope": {"type": "string", "minLength": 1},
    "client_assertion_type": {"type": "string", "enum": [ASSERTION_TYPE]},
    "client_assertion": {"type": "string", "minLength": 1},
}
_EXAMPLE = {
    "grant_type": "client_credentials",
    "scope": SUPPORTED[3],
    "client_assertion_type": ASSERTION_TYPE,
    "client_assertion": "eyJ…",
}
_SENT = {
    "requestBody": {
        "required": True,
        "content": {
            _FORM: {
                "schema": {"type": "object", "required": list(_FIELDS), "properties": _FIELDS},
                "examples": {"backend service": {"value": _EXAMPLE}},
            }
        },
    }
}
_OAUTH = {
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["error", "error_description"],
                "properties": {"error": {"type": "string"}, "error_description": {"type": "string"}},
            }
        }
    }
}


class TokenOut(BaseModel):
    """An access token."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str


class OAuthError(Exception):
    """An error as RFC 6749 (5.2) answers it."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(error)
        self.record = {"error": error, "error_description": description}
        self.status = status


@router.get(
    "/.well-known/smart-configuration",
    summary="The SMART configuration",
    response_model=dict[str, Any],
    responses=problems("origin-refused"),
)
@router.get(
    "/fhir/.well-known/smart-configuration",
    summary="The SMART configuration, beside the FHIR base",
    response_model=dict[str, Any],
    responses=problems("origin-refused"),
)
def configuration(request: Request) -> Response:
    """What SMART clients need to know."""
    base = base_url(request)
    return json_response(
        {
            "issuer": base,
            "token_endpoint": f"{base}/auth/token",
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
            "grant_types_supported": ["client_credentials"],
            "scopes_supported": list(SUPPORTED),
            "response_types_supported": [],
            "code_challenge_methods_supported": ["S256"],
            "capabilities": ["client-confidential-asymmetric", "permission-v1", "permission-v2"],
        }
    )


@router.post(
    "/auth/token",
    summary="Fetch an access token",
    response_model=TokenOut,
    responses={
        400: {
            "description": "`invalid_request`, `invalid_scope`, `unsupported_grant_type` (RFC 6749)",
            **_OAUTH,
        },
        401: {"description": "`invalid_client`: the assertion is not taken", **_OAUTH},
        **problems("origin-refused"),
    },
    openapi_extra=_SENT,
)
async def token(request: Request) -> Response:
    """Give an access token to a backend service that proves who it is."""
    try:
        form = await _form(request)
        client, scopes = await _client(request, form)
        record = await _give(request, client, scopes)
    except OAuthError as error:
        return json_response(error.record, error.status)
    response = json_response(record)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Pragma"] = "no-cache"
    return response


async def _form(request: Request) -> dict[str, str]:
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != _FORM:
        raise OAuthError("invalid_request", f"Send {_FORM}.")
    try:
        body = await read_body(request, MAX_FORM)
        fields = parse_qs(body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=20)
    except (ValueError, Problem):
        raise OAuthError("invalid_request", "The form can't be read.") from None
    if any(len(values) > 1 for values in fields.values()):
        raise OAuthError("invalid_request", "A parameter is there twice.")
    return {name: values[0] for name, values in fields.items()}


async def _client(request: Request, form: dict[str, str]) -> tuple[str, tuple[str, ...]]:
    """The client that the assertion proves, and the scopes that it is given."""
    if form.get("grant_type") != "client_credentials":
        raise OAuthError("unsupported_grant_type", "The grant type is client_credentials.")
    if form.get("client_assertion_type") != ASSERTION_TYPE or "client_assertion" not in form:
        raise OAuthError("invalid_client", f"Send client_assertion with the type {ASSERTION_TYPE}.", 401)
    if "scope" not in form:
        raise OAuthError("invalid_scope", "Name the scopes.")
    interop = interop_of(request)
    try:
        stated = read_unverified(form["client_assertion"])
        name = stated.claims.get("iss")
        client = interop.settings.smart_clients.get(name) if isinstance(name, str) else None
        if client is None or stated.claims.get("sub") != name or form.get("client_id", name) != name:
            raise TokenRefused("the client is not registered, or iss and sub are not both its id")
        assert isinstance(name, str)
        if stated.header.get("jku", client.jwks_url) != client.jwks_url:
            raise TokenRefused("the assertion names keys at an address that is not registered")
        keys = await interop.keys.of(client, stated.header.get("kid"))
        claims = verify(form["client_assertion"], keys, [f"{base_url(request)}/auth/token"])
        await use_once(database_of(request), name, claims["jti"], claims["exp"])
    except TokenRefused as error:
        raise OAuthError("invalid_client", f"{str(error)[:1].upper()}{str(error)[1:]}.", 401) from None
    scopes = granted(form["scope"].split(), client.scopes)
    if not scopes:
        raise OAuthError("invalid_scope", "The client is registered for none of these scopes.")
    return name, scopes


async def _give(request: Request, client: str, scopes: tuple[str, ...]) -> dict[str, Any]:
    seconds = interop_of(request).settings.token_seconds
    secret = secrets.token_urlsafe(32)

    def keep() -> None:
        with database_of(request).writing() as session:
            session.execute(delete(AccessToken).where(AccessToken.expires < now()))
            row = AccessToken(
                digest=token_digest(secret),
                client=client[:200],
                scopes=list(allowed_scopes(scopes)),
                expires=now() + timedelta(seconds=seconds),
            )
            session.add(row)

    await anyio.to_thread.run_sync(keep)
    return {"access_token": secret, "token_type": "bearer", "expires_in": seconds, "scope": " ".join(scopes)}

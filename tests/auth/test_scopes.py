"""Every route asks for a scope, or stands in a short list; and each role may do what it should and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from account_helpers import ADMIN, signed_in
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from starlette.routing import Mount

from api.app import create_app
from api.auth.openapi import asks_for_user, scopes_needed
from api.settings import ApiSettings
from api.users import ROLE_SCOPES, ROLES, SCOPES

OPEN = {
    "/healthz",
    "/readyz",
    "/metrics",
    "/docs",
    "/openapi.json",
    "/static",
    "/sign-in",
    "/sign-in/oidc",
    "/sign-in/oidc/callback",
    "/sign-out",
    # what tells EHRs how to call, and the token endpoint
    "/cds-services",
    "/auth/token",
    "/.well-known/smart-configuration",
    "/.well-known/jwks.json",
    "/fhir/.well-known/smart-configuration",
    "/fhir/metadata",
    "/fhir/StructureDefinition/{name}",
}
"""Answered without anybody signed in."""
PAGES = ("/", "/new", "/reviews/{number}", "/audits", "/audits/{number}", "/reports")
OF_EHRS = ("/cds-services/", "/launch", "/fhir/DocumentReference/", "/fhir/CodeSystem/", "/fhir/ValueSet/")
"""They ask for scopes of tokens of their own: tests/interop."""
ANYBODY = {("GET", "/v1/session"), ("DELETE", "/v1/session"), ("PUT", "/v1/session/password")}
ANYBODY |= {("GET", page) for page in PAGES}
"""Asks who it is, and lets in everybody who has signed in, whatever the scopes."""
TO_SIGN_IN = {("POST", "/v1/session")}

ASKED: list[tuple[str, str, dict[str, Any], str]] = [
    ("POST", "/v1/suggestions", {"json": {"text": "Gout."}}, "suggest"),
    ("POST", "/v1/suggestions:batch", {"content": b"{}", "headers": {"Content-Type": "application/jsonl"}}, "suggest"),
    ("POST", "/v1/edits", {"json": {"codes": []}}, "suggest"),
    ("POST", "/v1/queries", {"json": {"text": "Gout."}}, "suggest"),
    ("GET", "/v1/codes?q=gout", {}, "suggest"),
    ("GET", "/v1/codes/icd-10-cm/M10.9", {}, "suggest"),
    ("GET", "/v1/reviews", {}, "reviews:read"),
    ("GET", "/v1/reviews/1", {}, "reviews:read"),
    ("POST", "/v1/reviews:next", {"json": {}}, "reviews:write"),
    ("GET", "/v1/exports/codes", {}, "exports"),
    ("GET", "/v1/users", {}, "admin"),
    ("POST", "/v1/users", {"json": {}}, "admin"),
    ("PATCH", "/v1/users/anne", {"json": {}}, "admin"),
    ("GET", "/v1/keys", {}, "admin"),
    ("POST", "/v1/keys", {"json": {}}, "admin"),
    ("DELETE", "/v1/keys/nothing", {}, "admin"),
]
NAMES = {"coder": "anne", "auditor": "ada", "service": "serena", "administrator": ADMIN}


def test_every_route_has_a_scope_or_stands_in_the_list() -> None:
    seen = 0
    for route in iter_route_contexts(create_app(ApiSettings()).routes):
        seen += 1
        if route.path in OPEN:
            continue
        assert not isinstance(route.original_route, Mount), route.path
        for method in route.methods or ():
            where = (method, route.path)
            if where in TO_SIGN_IN:
                continue
            assert asks_for_user(route.dependant), f"{where} asks nobody who it is"
            elsewhere = where in ANYBODY or route.path.startswith(OF_EHRS)
            assert scopes_needed(route.dependant) or elsewhere, f"{where} has no scope"
    assert seen > 30


def test_the_lists_name_routes_that_are_there() -> None:
    routes = list(iter_route_contexts(create_app(ApiSettings()).routes))
    assert {r.path for r in routes} >= OPEN
    assert {(m, r.path) for r in routes for m in r.methods or ()} >= ANYBODY | TO_SIGN_IN


def test_the_roles_have_scopes_that_are_there() -> None:
    assert set(ROLE_SCOPES) == set(ROLES)
    assert all(scopes <= set(SCOPES) for scopes in ROLE_SCOPES.values())


@pytest.mark.parametrize(("method", "path", "options", "scope"), ASKED, ids=lambda v: str(v)[:28])
def test_who_is_not_signed_in_gets_401(
    with_users: TestClient, method: str, path: str, options: dict[str, Any], scope: str
) -> None:
    response = with_users.request(method, path, **options)
    assert response.status_code == 401 and response.json()["code"] == "unauthenticated"


@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_do_what_its_scopes_allow(with_users: TestClient, role: str) -> None:
    signed_in(with_users, NAMES[role])
    for method, path, options, scope in ASKED:
        response = with_users.request(method, path, **options)
        if scope in ROLE_SCOPES[role]:  # type: ignore[index]
            assert response.status_code not in (401, 403), (method, path, response.text)
        else:
            assert response.status_code == 403 and response.json()["code"] == "forbidden", (method, path)
            assert scope in response.json()["detail"]


def test_the_description_says_how_to_sign_in_and_which_scope(with_users: TestClient) -> None:
    described = with_users.get("/openapi.json").json()
    assert described["components"]["securitySchemes"].keys() == {"bearer", "cookie"}
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            if path in OPEN or (method.upper(), path) in TO_SIGN_IN:
                assert "security" not in operation
                continue
            assert {key for row in operation["security"] for key in row} == {"bearer", "cookie"}, path
            assert "401" in operation["responses"], path
            assert ("403" in operation["responses"]) or (method.upper(), path) in ANYBODY
    assert described["paths"]["/v1/exports/codes"]["get"]["security"][0] == {"bearer": ["exports"]}

"""Sign-in in the OpenAPI description: how to, and which scope each route asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from api.auth.cookies import SESSION
from api.auth.pages import page_user
from api.users import Needs, Scope, current_user

SECURITY_SCHEMES: dict[str, Any] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A key (`ca_…`), or another token that the service knows.",
    },
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": SESSION.base,
        "description": "The session that `POST /v1/session` begins; over HTTPS its name begins with `__Host-`.",
    },
}


def scopes_needed(dependant: Dependant) -> set[Scope]:
    """The scopes that a route asks for."""
    return {d.call.scope for d in _walk(dependant) if isinstance(d.call, Needs)}


def asks_for_user(dependant: Dependant) -> bool:
    """Whether a route asks who it is, with a scope or without."""
    return any(d.call in (current_user, page_user) for d in _walk(dependant))


def secure(schema: dict[str, Any], app: FastAPI, problems: Callable[..., dict[int | str, dict[str, Any]]]) -> None:
    """Add to each route that asks for a user how to sign in, and the answers 401 and 403."""
    for route in iter_route_contexts(app.routes):
        methods = schema["paths"].get(route.path_format, {})
        if not methods or not asks_for_user(route.dependant):
            continue
        scopes = sorted(scopes_needed(route.dependant))
        added = problems("unauthenticated", *(["forbidden", "cross-site"] if scopes else []))
        for method in route.methods or ():
            operation = methods[method.lower()]
            operation["security"] = [{"bearer": scopes}, {"cookie": scopes}]
            for status, response in added.items():
                _merge(operation["responses"], str(status), response)


def _merge(responses: dict[str, Any], status: str, added: dict[str, Any]) -> None:
    """Put the examples of ``added`` beside those that the route itself names."""
    kept = responses.setdefault(status, added).setdefault("content", {})
    for media_type, content in added["content"].items():
        own = kept.setdefault(media_type, content)
        own["examples"] = {**content["examples"], **own.get("examples", {})}


def _walk(dependant: Dependant) -> Iterator[Dependant]:
    for inner in dependant.dependencies:
        yield inner
        yield from _walk(inner)

"""What the routes for EHRs share in one application."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from api.interop.keys import Keys
from api.interop.settings import InteropSettings
from api.interop.smart.assertion import SigningKey
from api.store.database import Database

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Interop:
    """The settings, the public keys that were fetched, and the keys of its own by EHR."""

    settings: InteropSettings
    keys: Keys
    signing: Mapping[str, SigningKey]


def interop_of(request: HTTPConnection) -> Interop:
    """What the application of this request shares."""
    interop: Interop = request.app.state.interop
    return interop


def database_of(request: HTTPConnection) -> Database:
    """The database of this application."""
    database: Database = request.app.state.database
    return database


def base_url(request: HTTPConnection) -> str:
    """The address of this service, without a slash at the end: that of the settings, else of the socket that the
    request came in by. The Host header is not asked: a caller who may choose it would choose the audience of tokens."""
    public = interop_of(request).settings.public_url
    if public is not None:
        return public.rstrip("/")
    host, port = request.scope.get("server") or ("127.0.0.1", None)
    shown = f"[{host}]" if ":" in host else host
    scheme = request.url.scheme
    return f"{scheme}://{shown}" if port in (None, _PORTS.get(scheme)) else f"{scheme}://{shown}:{port}"

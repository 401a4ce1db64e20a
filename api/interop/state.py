"""What the routes for EHRs share in one application."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import HTTPConnection

from api.interop.keys import Keys
from api.interop.settings import InteropSettings
from api.store.database import Database


@dataclass(frozen=True, slots=True)
class Interop:
    """The settings, and the public keys that were fetched."""

    settings: InteropSettings
    keys: Keys


def interop_of(request: HTTPConnection) -> Interop:
    """What the application of this request shares."""
    interop: Interop = request.app.state.interop
    return interop


def database_of(request: HTTPConnection) -> Database:
    """The database of this application."""
    database: Database = request.app.state.database
    return database


def base_url(request: HTTPConnection) -> str:
    """The address of this service as its callers write it, without a slash at the end."""
    return (interop_of(request).settings.public_url or str(request.base_url)).rstrip("/")

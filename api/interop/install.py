"""Adds what EHRs speak to the application."""

from __future__ import annotations

from collections.abc import Collection

from fastapi import FastAPI

from api.interop.authentication import authenticate_token
from api.interop.cds import routes as cds
from api.interop.cors import Cors
from api.interop.fhir import final
from api.interop.fhir import outcome as fhir_outcome
from api.interop.fhir import routes as fhir
from api.interop.keys import Keys
from api.interop.settings import InteropSettings
from api.interop.smart import launch, token
from api.interop.smart.assertion import signing_keys
from api.interop.state import Interop
from codeassist.settings import read_settings


def install(app: FastAPI, origins: Collection[str]) -> None:
    """Add the routes, and the answer to pages of other ``origins``. Raises :class:`codeassist.errors.InputError` for
    settings that can't be used."""
    settings = read_settings(InteropSettings)
    app.state.interop = Interop(settings, Keys(settings), signing_keys(settings))
    app.state.problem_answers = {"/fhir": fhir_outcome.refused}
    for module in (cds, token, launch, fhir, final):
        app.include_router(module.router)
    authenticators = getattr(app.state, "bearer_authenticators", None)
    if authenticators is not None:  # a service with accounts asks these about bearer tokens that it does not know
        authenticators.append(authenticate_token)
    app.add_middleware(Cors, origins=origins, public_url=settings.public_url)

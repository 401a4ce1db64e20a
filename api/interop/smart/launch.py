"""The launch of the review page from an EHR: the encounter that is open there is put to review here."""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import quote, urlencode, urlsplit

import anyio.to_thread
from fastapi import APIRouter, Query, Request
from sqlalchemy import delete
from starlette.responses import RedirectResponse, Response

from api.auth.pages import PageCoder
from api.engine import Engine
from api.errors import Problem
from api.interop.authentication import token_digest
from api.interop.charts import fetch_resource, put_to_review, readable, resources_in
from api.interop.fetching import Fetcher, FetchError
from api.interop.fhir.attachments import Source
from api.interop.fhir.reading import Extracted, chart_of
from api.interop.fhir.resources import Collected
from api.interop.settings import Ehr
from api.interop.smart.assertion import published
from api.interop.smart.discovery import Launched, belongs, challenge, discover, exchange
from api.interop.state import base_url, database_of, interop_of
from api.openapi import problems
from api.routes.answers import json_response
from api.settings import ApiSettings
from api.store.base import now
from api.store.interop import LaunchRow
from codeassist.note import note_from_record

COOKIE = "codeassist_launch"
"""Ties the callback to the browser that began: nobody can send somebody else into a launch of their own."""
MINUTES = 10
_LONGEST = 2000
router = APIRouter(tags=["smart"])
_REFUSED = ("launch-refused", "invalid-request", "forbidden")


def _to(where: str) -> dict[int | str, dict[str, Any]]:
    headers = {"Location": {"schema": {"type": "string"}, "description": where}}
    return {303: {"description": f"To {where}; or to sign in, where nobody has.", "headers": headers}}


@router.get(
    "/launch",
    summary="Launch from the EHR",
    status_code=303,
    response_class=Response,
    responses={**_to("the EHR's authorization server"), **problems(*_REFUSED)},
)
async def begin(
    request: Request,
    user: PageCoder,
    iss: Annotated[str, Query(description="The base of the EHR's FHIR server, as the site has registered it.")],
    launch: Annotated[str, Query(description="What the EHR knows the launch by.")],
) -> Response:
    """Send the browser to the EHR's authorization server."""
    issuer, ehr = _ehr(request, iss)
    if not launch or len(launch) > _LONGEST:
        raise _refused("the launch parameter is empty or too long")
    endpoints = await discover(Fetcher(interop_of(request).settings, [issuer]), issuer)
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    redirect_uri = f"{base_url(request)}/launch/callback"
    row = LaunchRow(
        digest=token_digest(state),
        issuer=issuer,
        token_endpoint=endpoints.token,
        redirect_uri=redirect_uri,
        verifier=verifier,
        expires=now() + timedelta(minutes=MINUTES),
    )
    await anyio.to_thread.run_sync(lambda: _keep(request, row))
    query = {
        "response_type": "code",
        "client_id": ehr.client_id,
        "redirect_uri": redirect_uri,
        "launch": launch,
        "scope": ehr.scope,
        "state": state,
        "aud": issuer,
        "code_challenge": challenge(verifier),
        "code_challenge_method": "S256",
    }
    mark = "&" if urlsplit(endpoints.authorization).query else "?"
    response = RedirectResponse(f"{endpoints.authorization}{mark}{urlencode(query, quote_via=quote)}", 303)
    secure = redirect_uri.startswith("https:")
    response.set_cookie(
        COOKIE, state, max_age=60 * MINUTES, path="/launch", httponly=True, secure=secure, samesite="lax"
    )
    return response


@router.get(
    "/launch/callback",
    summary="Come back from the EHR's authorization server",
    status_code=303,
    response_class=Response,
    responses={
        **_to("the review of the encounter"),
        **problems(*_REFUSED, "invalid-input", "note-too-large", "not-ready", "too-busy"),
    },
)
async def finish(request: Request, user: PageCoder, state: str = "", code: str = "", error: str = "") -> Response:
    """Exchange the code, fetch the encounter, and show its review."""
    launch = await _begun(request, state)
    if error or not code or len(code) > _LONGEST:
        raise _refused("the EHR did not let the launch through")
    issuer, ehr = _ehr(request, launch.issuer)
    interop = interop_of(request)
    settings, signing = interop.settings, interop.signing.get(issuer)
    fetcher = Fetcher(settings, [issuer, launch.token_endpoint])
    launched = await exchange(fetcher, ehr, signing, launch.token_endpoint, code, launch.redirect_uri, launch.verifier)
    try:
        number = await _review(request, user.name, Fetcher(settings, [issuer]), issuer, launched)
    except FetchError as failure:
        raise _refused(f"the encounter can't be had: {failure}") from None
    response = RedirectResponse(f"{base_url(request)}/reviews/{number}", 303)
    response.delete_cookie(COOKIE, path="/launch")
    return response


@router.get("/.well-known/jwks.json", summary="The keys that this service signs with", response_model=dict[str, Any])
def keys(request: Request) -> Response:
    """The public keys by which EHRs know the service that asks for the token of a launch."""
    return json_response(published(interop_of(request).signing))


async def _review(request: Request, user: str, fetcher: Fetcher, issuer: str, launched: Launched) -> int:
    """Put the launched encounter to review; the same documents give the same review."""
    engine: Engine = request.app.state.engine
    settings: ApiSettings = request.app.state.settings
    assistant = engine.assistant
    token, patient, encounter = (
        launched.access_token,
        quote(launched.patient, safe=""),
        quote(launched.encounter, safe=""),
    )
    found: list[tuple[str | None, dict[str, object]]] = []
    for query in (f"Patient/{patient}", f"Encounter/{encounter}"):
        found.append((None, await fetch_resource(fetcher, issuer, query, token)))
    search = f"DocumentReference?patient={patient}&encounter={encounter}&status=current"
    documents = resources_in(await fetch_resource(fetcher, issuer, search, token))
    if not all(belongs(r, launched.patient) for r in (found[1][1], *documents)):
        raise _refused("the EHR gave resources of another patient")
    documents = [d for d in documents if d["resourceType"] == "DocumentReference"]
    texts, _ = await readable(documents, Source(fetcher, issuer, token), engine)

    def work() -> int:
        record = _record(Collected((*found, *((None, d) for d in documents))), texts)
        note_from_record(record).check_length(settings.max_characters)
        return put_to_review(database_of(request), user, settings.lock_minutes, record, assistant)[0]

    return await engine.run(work, waits=True)  # the EHR's launch can't be taken up a second time


def _record(found: Collected, texts: list[Extracted]) -> dict[str, object]:
    return chart_of(found, texts).record()


async def _begun(request: Request, state: str) -> LaunchRow:
    """The launch of a state, which is used up by that."""
    cookie = request.cookies.get(COOKIE, "")
    if not state or not hmac.compare_digest(state.encode(), cookie.encode()):
        raise _refused("the launch was not begun in this browser")

    def take() -> LaunchRow | None:
        with database_of(request).writing() as session:
            row = session.get(LaunchRow, token_digest(state), with_for_update=True)
            if row is not None:
                session.delete(row)
            return row

    row = await anyio.to_thread.run_sync(take)
    if row is None or row.expires <= now():
        raise _refused("the launch was used already, or begun too long ago")
    return row


def _keep(request: Request, row: LaunchRow) -> None:
    with database_of(request).writing() as session:
        session.execute(delete(LaunchRow).where(LaunchRow.expires < now()))
        session.add(row)


def _ehr(request: Request, iss: str) -> tuple[str, Ehr]:
    """The EHR of an issuer, as the site has written its address."""
    for issuer, ehr in interop_of(request).settings.smart_ehrs.items():
        if issuer.rstrip("/") == iss.rstrip("/"):
            return issuer, ehr
    raise _refused("the EHR is not registered here")


def _refused(reason: str) -> Problem:
    return Problem("launch-refused", f"{reason[:1].upper()}{reason[1:]}.")

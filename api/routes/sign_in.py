"""The page to sign in, and the way to the provider and back."""

from __future__ import annotations

import logging
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from api.auth import oidc, sessions
from api.auth.accounts import any_password
from api.auth.cookies import OIDC_FLOW, SESSION
from api.auth.desk import Desk, address_of, database_of, desk_of
from api.auth.errors import ProviderError
from api.auth.origin import check_origin
from api.auth.pages import SIGN_IN, local_path
from api.auth.signing_in import SignedIn, sign_in
from api.errors import Problem
from api.routes.pages import page_response
from api.store.database import Database

router = APIRouter(include_in_schema=False)
CALLBACK = f"{SIGN_IN}/oidc/callback"
PROVIDER_FAILED = (
    "The sign-in service of your organisation did not answer as it should. Try again, or tell its operator."
)
log = logging.getLogger("codeassist.api")


@router.get(SIGN_IN)
async def page(request: Request, next: str = "/") -> Response:
    """The form, and the button of the provider; in local mode straight to the workspace."""
    if request.scope["codeassist.local_mode"]:
        return RedirectResponse("/", 303)
    return await _page(request, local_path(next))


@router.post(SIGN_IN)
async def submit(
    request: Request,
    name: Annotated[str, Form(max_length=1024)] = "",
    password: Annotated[str, Form(max_length=1024)] = "",
    next: Annotated[str, Form(max_length=500)] = "/",
) -> Response:
    """The form, sent without the script."""
    check_origin(request, told=True)
    desk, database, address = desk_of(request), database_of(request), address_of(request)
    try:
        signed_in = await desk.run(lambda: sign_in(database, desk.settings, desk.passwords, name, password, address))
    except Problem as problem:
        response = await _page(request, local_path(next), problem.detail, problem.kind.status)
        response.headers.update(problem.headers)
        return response
    return _let_in(request, signed_in, local_path(next))


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """The button in the page's head: a form, so the browser has to say that it is this service's own."""
    check_origin(request, told=True)
    token = SESSION.read(request)
    if token is not None:
        await desk_of(request).change(database_of(request), lambda s: sessions.end_by_token(s, token))
    response = RedirectResponse(SIGN_IN, 303)
    SESSION.remove(request, response)
    return response


@router.get(f"{SIGN_IN}/oidc")
async def to_provider(request: Request, next: str = "/") -> Response:
    """Off to the provider."""
    desk, database = desk_of(request), database_of(request)
    if not desk.settings.oidc:
        raise Problem("not-found", "No provider is set up.")
    flow = await desk.run(lambda: oidc.begin(database, local_path(next)))
    try:
        url = await desk.provider.authorization_url(_callback(request, desk), flow.state, flow.nonce, flow.verifier)
    except ProviderError as error:
        log.error("the provider can't be used: %s", error)
        return await _page(request, local_path(next), PROVIDER_FAILED, 502)
    response = RedirectResponse(url, 303)
    OIDC_FLOW.write(request, response, flow.token, int(oidc.FLOW_LASTS.total_seconds()))
    return response


@router.get(CALLBACK)
async def from_provider(
    request: Request, code: str | None = None, state: str | None = None, iss: str | None = None
) -> Response:
    """Back from the provider, with a code or with its refusal (RFC 6749, section 4.1.2; RFC 9207 for ``iss``)."""
    desk, database = desk_of(request), database_of(request)
    if not desk.settings.oidc:
        raise Problem("not-found", "No provider is set up.")
    try:
        flow, signed_in = await _exchange(request, desk, database, code, state, iss)
    except oidc.RefusedError as error:
        response = await _page(request, "/", str(error), 403)
    except Problem as problem:
        response = await _page(request, "/", problem.detail, problem.kind.status)
    else:
        response = _let_in(request, signed_in, flow.next_path)
    OIDC_FLOW.remove(request, response)
    return response


async def _exchange(
    request: Request, desk: Desk, database: Database, code: str | None, state: str | None, iss: str | None
) -> tuple[oidc.Flow, SignedIn]:
    """The sign-in under way and its user. Raises :class:`api.auth.oidc.RefusedError` and ``provider-failed``; the
    audit trail has both."""
    try:
        flow = await desk.run(lambda: oidc.take(database, OIDC_FLOW.read(request), state))
        if iss is not None and iss != desk.settings.oidc_issuer:
            raise oidc.RefusedError("The answer is another provider's. Try again.")
        if code is None:
            raise oidc.RefusedError("Your organisation's sign-in was not finished.")
        claims = await desk.provider.claims(_callback(request, desk), code, flow.nonce, flow.verifier)
        return flow, await desk.run(lambda: oidc.finish(database, desk.settings, claims))
    except ProviderError as error:
        log.error("sign-in by the provider failed: %s", error)
        await desk.run(lambda: oidc.record_failure(database, "provider"))
        raise Problem("provider-failed", PROVIDER_FAILED) from None
    except oidc.RefusedError:
        await desk.run(lambda: oidc.record_failure(database, "refused"))
        raise


def _let_in(request: Request, signed_in: SignedIn, path: str) -> Response:
    response = RedirectResponse(path, 303)
    SESSION.write(request, response, signed_in.token)
    return response


def _callback(request: Request, desk: Desk) -> str:
    return desk.settings.oidc_redirect_url or str(request.url.replace(path=CALLBACK, query="", fragment=""))


async def _page(request: Request, next_path: str, error: str = "", status: int = 200) -> Response:
    desk, database = desk_of(request), database_of(request)
    context: dict[str, Any] = {
        "next": next_path,
        "error": error,
        "passwords": await desk.change(database, any_password),
        "provider": desk.settings.oidc_label if desk.settings.oidc else "",
        "unsafe": request.url.scheme != "https" and SESSION.name(request) != SESSION.base,
        "idle_minutes": desk.settings.idle_minutes,
    }
    return page_response(request, "sign_in.html", status, **context)

"""Signing in and out over the API, and who one is."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.auth import sessions
from api.auth.cookies import SESSION
from api.auth.desk import address_of, database_of, desk_of, read
from api.auth.identity import CurrentSession
from api.auth.origin import check_origin
from api.auth.records import session_record
from api.auth.schemas import PasswordIn, SessionOut, SignInIn
from api.auth.signing_in import change_own_password, sign_in
from api.errors import Problem
from api.openapi import JSON_BODY, problems, request_body
from api.routes.answers import json_response
from api.store.accounts import SessionRow
from api.users import CurrentUser

router = APIRouter(prefix="/v1/session", tags=["sign-in"])


@router.post(
    "",
    summary="Sign in",
    response_model=SessionOut,
    responses=problems(*JSON_BODY, "sign-in-failed", "too-many-attempts", "cross-site"),
    openapi_extra=request_body("application/json", "SignInIn"),
)
async def start(request: Request) -> Response:
    """Sign in with the name and password of a local account. The answer sets the cookie of the session.

    Programs use a key instead.
    """
    check_origin(request)
    sent, desk, database = await read(request, SignInIn), desk_of(request), database_of(request)
    password, address = sent.password.get_secret_value(), address_of(request)
    signed_in = await desk.run(lambda: sign_in(database, desk.settings, desk.passwords, sent.name, password, address))
    idle = min(desk.settings.idle_minutes, desk.settings.session_hours * 60) * 60.0
    response = json_response(session_record(signed_in.user, CurrentSession(0, idle)))
    SESSION.write(request, response, signed_in.token)
    return response


@router.get("", summary="Who is signed in", response_model=SessionOut, responses=problems("unauthenticated"))
async def show(request: Request, user: CurrentUser) -> Response:
    """Name, roles and scopes of who asks. It does not make the session last longer, so that a page may ask often."""
    return json_response(session_record(user, request.state.session))


@router.delete(
    "", summary="Sign out", status_code=204, responses=problems("unauthenticated", "cross-site", "invalid-request")
)
async def end(
    request: Request,
    user: CurrentUser,
    everywhere: Annotated[bool, Query(description="End the sessions in all other browsers too.")] = False,
) -> Response:
    """End this session, or all of this user."""
    current: CurrentSession | None = request.state.session
    if current is not None:
        session_id = current.id
        work = lambda s: sessions.end(s, s.get_one(SessionRow, session_id), everywhere)  # noqa: E731
        await desk_of(request).change(database_of(request), work)
    response = Response(status_code=204)
    SESSION.remove(request, response)
    return response


@router.put(
    "/password",
    summary="Change one's password",
    status_code=204,
    responses=problems(
        *JSON_BODY, "unauthenticated", "sign-in-failed", "forbidden", "account-refused", "too-many-attempts"
    ),
    openapi_extra=request_body("application/json", "PasswordIn"),
)
async def change_password(request: Request, user: CurrentUser) -> Response:
    """Give oneself another password. One's other sessions end. A wrong current password counts as a failed sign-in."""
    current: CurrentSession | None = request.state.session
    if current is None or user.signed_in_by != "password":
        raise Problem("forbidden", "This needs a session that began with a password.")
    session_id, address = current.id, address_of(request)
    sent, desk, database = await read(request, PasswordIn), desk_of(request), database_of(request)
    old, new = sent.current.get_secret_value(), sent.new.get_secret_value()
    await desk.run(
        lambda: change_own_password(database, desk.settings, desk.passwords, session_id, user.name, old, new, address)
    )
    return Response(status_code=204)

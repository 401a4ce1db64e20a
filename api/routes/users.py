"""Users, for administrators."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from api.auth import accounts
from api.auth.desk import database_of, desk_of, read
from api.auth.passwords import check_password
from api.auth.records import user_record
from api.auth.schemas import UserChangeIn, UserIn, UserOut
from api.errors import Problem
from api.idempotency import PROBLEMS, idempotent_with, keep_answer, with_key
from api.openapi import JSON_BODY, problems, request_body
from api.routes.answers import json_bytes, json_response
from api.store.accounts import UserRow
from api.users import LOCAL, Administrator

router = APIRouter(prefix="/v1/users", tags=["administration"])


async def _slow_digest(request: Request, data: bytes, about: str) -> str:
    """Of a body that holds a password: a fast hash of it would tell the password to whoever tries out many."""
    desk = desk_of(request)
    return await desk.run(lambda: desk.passwords.digest(data, about))


@router.get("", summary="List users", response_model=list[UserOut])
async def list_users(request: Request, user: Administrator) -> Response:
    """All users, by name."""
    rows = await desk_of(request).change(database_of(request), accounts.everybody)
    return json_response([user_record(row) for row in rows])


@router.post(
    "",
    summary="Add a user",
    status_code=201,
    response_model=UserOut,
    responses=problems(*JSON_BODY, *PROBLEMS, "account-exists", "account-refused", "local-mode"),
    openapi_extra=with_key(request_body("application/json", "UserIn")),
)
@idempotent_with(_slow_digest)
async def add(request: Request, user: Administrator) -> Response:
    """Make a local account. The first one, an administrator, is made on the machine: `codeassist users add`."""
    sent, desk = await read(request, UserIn), desk_of(request)
    if user == LOCAL:
        raise Problem("local-mode", "Make the first administrator with `codeassist users add NAME`.")
    name, password = accounts.name_of(sent.name), sent.password.get_secret_value()
    check_password(password, name)
    hashed = await desk.run(lambda: desk.passwords.hash(password))

    def work(session: Session) -> bytes:
        row = accounts.add(session, user.name, name, hashed, sent.roles)
        session.flush()
        answer = json_bytes(user_record(row))
        keep_answer(request, session, 201, answer)
        return answer

    return Response(await desk.change(database_of(request), work), 201, media_type="application/json")


@router.patch(
    "/{name}",
    summary="Change a user",
    response_model=UserOut,
    responses=problems(*JSON_BODY, "account-unknown", "account-refused", "last-administrator"),
    openapi_extra=request_body("application/json", "UserChangeIn"),
)
async def change(request: Request, user: Administrator, name: Annotated[str, Path(max_length=100)]) -> Response:
    """Give roles or a password, disable, enable or unlock. All of it is done, or nothing."""
    sent, desk = await read(request, UserChangeIn), desk_of(request)
    password = sent.password.get_secret_value() if sent.password is not None else None
    if password is not None:
        check_password(password, name.strip().lower())
    hashed = None if password is None else await desk.run(lambda: desk.passwords.hash(password))

    def work(session: Session) -> UserRow:
        row = accounts.find(session, name)
        if sent.roles is not None:
            accounts.set_roles(session, user.name, row, sent.roles)
        if hashed is not None:
            accounts.set_password(session, user.name, row, hashed)
        if sent.disabled is not None:
            accounts.set_disabled(session, user.name, row, sent.disabled)
        if sent.unlock:
            accounts.unlock(session, user.name, row)
        return row

    return json_response(user_record(await desk.change(database_of(request), work)))

"""Keys of programs, for administrators."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from api.auth import keys
from api.auth.desk import database_of, desk_of, read
from api.auth.errors import AccountError
from api.auth.records import key_record
from api.auth.schemas import KeyIn, KeyOut, NewKeyOut
from api.idempotency import PROBLEMS, idempotent, keep_answer, with_key
from api.openapi import JSON_BODY, problems, request_body
from api.routes.answers import json_bytes, json_response
from api.users import Administrator

router = APIRouter(prefix="/v1/keys", tags=["administration"])


@router.get("", summary="List keys", response_model=list[KeyOut])
async def list_keys(request: Request, user: Administrator) -> Response:
    """All keys, by name, without their secrets; those that are revoked as well."""
    return json_response(
        await desk_of(request).change(database_of(request), lambda s: [key_record(row) for row in keys.listed(s)])
    )


@router.post(
    "",
    summary="Make a key",
    status_code=201,
    response_model=NewKeyOut,
    responses=problems(*JSON_BODY, *PROBLEMS, "account-exists", "account-refused", "account-unknown"),
    openapi_extra=with_key(request_body("application/json", "KeyIn")),
)
@idempotent
async def create(request: Request, user: Administrator) -> Response:
    """Make a key. Its text is in this answer and nowhere else: sent again under its `Idempotency-Key`, the request is
    answered without it, and who has lost the text revokes the key and makes another."""
    sent = await read(request, KeyIn)
    if not set(sent.scopes) <= user.scopes:
        raise AccountError("a key can't be given more than you may do yourself")

    def work(session: Session) -> dict[str, Any]:
        new = keys.create(session, user.name, sent.name, sent.scopes, sent.owner, sent.expires)
        session.flush()
        record = key_record(new.row)
        keep_answer(request, session, 201, json_bytes(record))  # the text of a key is kept nowhere
        return {**record, "key": new.text}

    return json_response(await desk_of(request).change(database_of(request), work), 201)


@router.delete(
    "/{id}", summary="Revoke a key", status_code=204, responses=problems("account-unknown", "invalid-request")
)
async def revoke(request: Request, user: Administrator, id: Annotated[str, Path(max_length=100)]) -> Response:
    """End a key, by its id or name, for good. It stays in the list."""
    await desk_of(request).change(database_of(request), lambda s: keys.revoke(s, user.name, id))
    return Response(status_code=204)

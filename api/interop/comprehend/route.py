"""``POST /compat/comprehendmedical``: the AWS JSON 1.1 protocol for one operation, InferICD10CM.

Errors are those of the service's model, so that a client raises the exceptions that its program catches.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from api.body import read_body
from api.engine import Engine
from api.errors import Problem, problem_of
from api.interop.comprehend.entities import entities
from api.interop.comprehend.sigv4 import SignatureRefused, Signed, verify
from api.middleware import place_of
from api.routes.answers import json_bytes
from api.settings import ApiSettings
from api.users import needs
from codeassist.note import Note

PATH = "/compat/comprehendmedical"
TARGET = "ComprehendMedical_20181030.InferICD10CM"
MEDIA_TYPE = "application/x-amz-json-1.1"
MOST_CHARACTERS = 10_000
MOST_BYTES = 400_000
"""Ten thousand characters escaped in JSON, and room beside them."""
log = logging.getLogger("codeassist.api")
_ERROR = {"content": {MEDIA_TYPE: {"schema": {"type": "object", "required": ["__type", "Message"]}}}}
_DESCRIPTION: dict[str, Any] = {
    "parameters": [
        {"name": "X-Amz-Target", "in": "header", "required": True, "schema": {"type": "string", "enum": [TARGET]}}
    ],
    "requestBody": {
        "required": True,
        "content": {
            MEDIA_TYPE: {
                "schema": {
                    "type": "object",
                    "required": ["Text"],
                    "properties": {"Text": {"type": "string", "minLength": 1, "maxLength": MOST_CHARACTERS}},
                },
                "examples": {"note": {"value": {"Text": "Type 2 diabetes mellitus. Denies chest pain."}}},
            }
        },
    },
}


class AwsError(Exception):
    """An error by the name that the client knows."""

    def __init__(self, name: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.name = name
        self.message = message
        self.status = status


class _AwsRoute(APIRoute):
    """Answers every error as the protocol has it, those of signing in too."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        handle = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                return await handle(request)
            except Exception as error:  # whatever it is, the client can read only this protocol
                return _answer(request, error)

        return answered


def make_router(settings: ApiSettings) -> APIRouter:
    """The route. With ``comprehend_keys`` set, signatures are verified; without, the caller is who the API knows."""
    user = _signed if settings.comprehend_keys else needs("suggest")
    router = APIRouter(tags=["migration"], route_class=_AwsRoute)
    router.add_api_route(
        PATH,
        infer,
        methods=["POST"],
        summary="InferICD10CM",
        response_class=Response,
        dependencies=[Depends(user)],
        responses={
            200: {"content": {MEDIA_TYPE: {"schema": {"type": "object", "required": ["Entities", "ModelVersion"]}}}},
            **{
                status: {"description": "As the service's model has it.", **_ERROR}
                for status in (400, 403, 413, 500, 503)
            },
        },
        openapi_extra=_DESCRIPTION,
    )
    return router


async def infer(request: Request) -> Response:
    """Entities with their ICD-10-CM concepts, as Amazon Comprehend Medical answers. AWS clients work unchanged with
    this address as their `endpoint_url`. Codes are those valid today for outpatients."""
    engine: Engine = request.app.state.engine
    if request.headers.get("x-amz-target") != TARGET:
        raise AwsError("UnknownOperationException", "Only InferICD10CM is answered here.")
    sent = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if sent not in (MEDIA_TYPE, "application/json"):
        raise AwsError("InvalidRequestException", f"Send Content-Type: {MEDIA_TYPE}.")
    text = _text(await _body(request))
    assistant = engine.assistant

    def work() -> bytes:
        result = assistant.suggest(Note(text=text)) if text.strip() else None
        found = [] if result is None else entities(text, result, assistant.terminology)
        return json_bytes({"Entities": found, "ModelVersion": assistant.model.version})

    return Response(await engine.run(work), headers=_headers(request))


async def _signed(request: Request) -> None:
    settings: ApiSettings = request.app.state.settings
    secrets = {key: secret.get_secret_value() for key, secret in settings.comprehend_keys.items()}
    raw = request.scope["raw_path"].decode("ascii").split("?")[0]
    url = request.url.replace(path=raw)
    try:
        verify(Signed(request.method, url, request.headers, await _body(request)), secrets)
    except SignatureRefused as error:
        raise AwsError(error.code, str(error), 403 if error.code != "IncompleteSignatureException" else 400) from None


async def _body(request: Request) -> bytes:
    """The body, read once: for the signature and for the operation."""
    if "codeassist.body" not in request.scope:
        request.scope["codeassist.body"] = await read_body(request, MOST_BYTES)
    body: bytes = request.scope["codeassist.body"]
    return body


def _text(body: bytes) -> str:
    try:
        record = json.loads(body.decode("utf-8"))
    except UnicodeDecodeError:
        raise AwsError("InvalidEncodingException", "The body is not UTF-8.") from None
    except (ValueError, RecursionError):
        raise AwsError("SerializationException", "The body is not JSON.") from None
    text = record.get("Text") if isinstance(record, dict) else None
    if not isinstance(text, str):
        raise AwsError("ValidationException", "Text is missing, or not a string.")
    if not text:
        raise AwsError("ValidationException", "Text has at least 1 character.")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise AwsError("InvalidEncodingException", "Text has half of a surrogate pair.") from None
    if len(text) > MOST_CHARACTERS:
        raise AwsError("TextSizeLimitExceededException", f"Text has more than {MOST_CHARACTERS:,} characters.")
    return text


_NAMES = {
    "body-too-large": ("TextSizeLimitExceededException", 400),
    "unauthenticated": ("UnrecognizedClientException", 403),
    "forbidden": ("AccessDeniedException", 403),
    "too-many-requests": ("TooManyRequestsException", 429),
    "not-ready": ("ServiceUnavailableException", 503),
    "model-unusable": ("ServiceUnavailableException", 503),
    "terminology-unusable": ("ServiceUnavailableException", 503),
}


def _answer(request: Request, error: Exception) -> Response:
    if not isinstance(error, AwsError):
        problem: Problem = problem_of(error)
        if problem.kind.status >= 500 and problem.kind.code not in _NAMES:
            log.error("%s %s", request.scope.get("codeassist.request_id"), place_of(error))
        name, status = _NAMES.get(
            problem.kind.code,
            ("InternalServerException", 500) if problem.kind.status >= 500 else ("InvalidRequestException", 400),
        )
        error = AwsError(name, problem.detail, status)
    content = json_bytes({"__type": error.name, "Message": error.message, "message": error.message})
    return Response(content, error.status, headers={**_headers(request), "x-amzn-ErrorType": error.name})


def _headers(request: Request) -> dict[str, str]:
    return {"Content-Type": MEDIA_TYPE, "x-amzn-RequestId": str(request.scope.get("codeassist.request_id", ""))}

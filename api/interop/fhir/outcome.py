"""Every answer of the FHIR routes is a resource, and every error an OperationOutcome."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from api.errors import FieldError, Problem, invalid, problem_of
from api.middleware import place_of
from api.routes.answers import json_bytes
from codeassist.errors import CodeassistError

FHIR_JSON = "application/fhir+json"
ISSUE_TYPES: Mapping[int, str] = {
    400: "structure",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    409: "conflict",
    413: "too-long",
    415: "not-supported",
    422: "processing",
    429: "throttled",
    500: "exception",
    503: "transient",
}
"""IssueType by status: the HTTP API chapter of FHIR R4, section "Status Codes"."""
log = logging.getLogger("codeassist.api")


def resource_response(
    resource: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """The answer that carries a resource."""
    kept = dict(headers or {})
    return Response(json_bytes(resource), status, headers=kept, media_type=f"{FHIR_JSON}; charset=utf-8")


def outcome(problem: Problem) -> dict[str, Any]:
    """A problem as an OperationOutcome: one issue for each field that is wrong, or one for the whole."""
    kind = ISSUE_TYPES.get(problem.kind.status, "processing")
    issues = [_field_issue(error, kind) for error in problem.errors] or [
        {
            "severity": "error",
            "code": kind,
            "details": {"text": problem.kind.title, "coding": [{"code": problem.kind.code}]},
            "diagnostics": problem.detail,
        }
    ]
    return {"resourceType": "OperationOutcome", "issue": issues}


def _field_issue(error: FieldError, kind: str) -> dict[str, Any]:
    code = {"missing": "required", "value-error": "invalid"}.get(
        error.code, "structure" if kind == "processing" else kind
    )
    return {
        "severity": "error",
        "code": code,
        "diagnostics": f"{error.field}: {error.detail}" if error.field else error.detail,
        **({"expression": [error.field]} if error.field else {}),
    }


class FhirRoute(APIRoute):
    """A route whose errors are OperationOutcomes."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as error:
                return _refused(invalid(error.errors()))
            except (Problem, CodeassistError, HTTPException) as error:
                return _refused(problem_of(error))
            except ClientDisconnect:
                raise
            except (
                Exception
            ) as error:  # nobody foresaw it: its place goes into the log, and nothing of it to the caller
                log.error("%s %s", request.scope.get("codeassist.request_id"), place_of(error))
                return _refused(problem_of(error))

        return handled


def _refused(problem: Problem) -> Response:
    return resource_response(outcome(problem), problem.kind.status, problem.headers)

"""Every answer of the FHIR routes is a resource, and every error an OperationOutcome."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from api.errors import FieldError, Problem
from api.routes.answers import json_bytes

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


def refused(problem: Problem) -> Response:
    """The answer to whatever is wrong under ``/fhir``: :func:`api.errors.response_of` asks for it."""
    return resource_response(outcome(problem), problem.kind.status, problem.headers)

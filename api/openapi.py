"""The OpenAPI description: what the routes read themselves, their examples, and one shape for all errors."""

from __future__ import annotations

import json
from collections import defaultdict
from importlib import resources
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from api.audit_schemas import BODIES as AUDIT_BODIES
from api.auth.openapi import SECURITY_SCHEMES, secure
from api.auth.schemas import BODIES as AUTH_BODIES
from api.errors import KINDS, MEDIA_TYPE, Problem
from api.interop.cds.schemas import BODIES as CDS_BODIES
from api.message_schemas import MESSAGE_BODIES
from api.review_schemas import BODIES as REVIEW_BODIES
from api.schemas import EditsIn, NoteIn, NoteLine, ProblemOut

REF = "#/components/schemas/{model}"
JSON_BODY = ("malformed-json", "not-utf-8", "body-too-large", "unsupported-media-type", "invalid-request")
"""Problems of every route that reads a JSON body."""
BODY = (*JSON_BODY, "not-ready", "too-busy")
"""Problems of every route that reads a JSON body and codes."""
_EXAMPLES = {
    "NoteIn": {"note": "note.json", "encounter": "encounter.json"},
    "NoteLine": {"batch": "batch.ndjson"},
    "EditsIn": {"claim": "claim.json"},
    "NextIn": {"outpatient": "next.json"},
    "OpenIn": {"take over": "open.json"},
    "DecisionIn": {
        "accept": "accepted.json",
        "reject": "rejected.json",
        "replace": "replaced.json",
        "add": "added.json",
        "link": "linked.json",
    },
    "VersionIn": {"version": "version.json"},
    "HoldIn": {"hold": "hold.json"},
    "SubmitIn": {"override": "submit.json"},
    "AssignIn": {"assign": "assign.json"},
    "KeepIn": {"keep": "empty.json"},
    "AuditIn": {"blind": "audit.json"},
    "AuditNextIn": {"a share of each coder's": "audit-next.json"},
    "MarkIn": {"mark": "mark.json"},
    "AnswerIn": {"rebut": "answer.json"},
    "CloseIn": {"close": "version.json"},
    "SignInIn": {"sign in": "sign-in.json"},
    "PasswordIn": {"password": "password.json"},
    "UserIn": {"coder": "user.json"},
    "UserChangeIn": {"roles": "user-change.json"},
    "KeyIn": {"interface": "key.json"},
    "WebhookIn": {"webhook": "webhook.json"},
    "WebhookChange": {"switch off": "webhook-change.json"},
    "HookRequest": {"a view of a chart": "cds-call.json"},
    "FeedbackRequest": {"overridden": "cds-feedback.json"},
}


def example_text(name: str) -> str:
    """A request or result that the description shows, as its file has it."""
    return resources.files("api.examples").joinpath("openapi", name).read_text("utf-8")


def request_body(media_type: str, model: str) -> dict[str, Any]:
    """The request body of a route that reads its body itself."""
    texts = {name: example_text(file) for name, file in _EXAMPLES[model].items()}
    values = {name: text if "ndjson" in media_type else json.loads(text) for name, text in texts.items()}
    return {
        "requestBody": {
            "required": True,
            "content": {
                media_type: {
                    "schema": {"$ref": REF.format(model=model)},
                    "examples": {name: {"value": value} for name, value in values.items()},
                }
            },
        }
    }


def problems(*codes: str) -> dict[int | str, dict[str, Any]]:
    """The error responses of a route, by status."""
    by_status: dict[int, list[str]] = defaultdict(list)
    for code in codes:
        by_status[KINDS[code].status].append(code)
    return {
        status: {
            "description": "; ".join(KINDS[code].title for code in group),
            "content": {
                MEDIA_TYPE: {
                    "schema": {"$ref": REF.format(model="ProblemOut")},
                    "examples": {code: {"value": Problem(code, KINDS[code].meaning).as_record()} for code in group},
                }
            },
        }
        for status, group in sorted(by_status.items())
    }


def describe(app: FastAPI) -> dict[str, Any]:
    """The description of ``app``, made once."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes, tags=app.openapi_tags
        )
        _, own = models_json_schema(
            [(m, "validation") for m in (NoteIn, NoteLine, EditsIn)]
            + [(m, "validation") for m in (*REVIEW_BODIES, *AUDIT_BODIES, *AUTH_BODIES, *MESSAGE_BODIES, *CDS_BODIES)]
            + [(ProblemOut, "serialization")],
            ref_template=REF,
        )
        schema["components"]["schemas"].update(own["$defs"])
        for path, example in (("/v1/suggestions", "result.json"), ("/v1/edits", "edits.json")):
            answer = schema["paths"][path]["post"]["responses"]["200"]["content"]["application/json"]
            answer["example"] = json.loads(example_text(example))
        schema["components"]["securitySchemes"] = SECURITY_SCHEMES
        secure(schema, app, problems)
        _answer_otherwise(schema, app)
        app.openapi_schema = schema
    return app.openapi_schema


def _answer_otherwise(schema: dict[str, Any], app: FastAPI) -> None:
    """Under the prefixes whose errors are no problem documents, show the errors as they are."""
    for prefix, answer in app.state.problem_answers.items():
        for path in (p for p in schema["paths"] if p.startswith(f"{prefix}/")):
            for response in (r for o in schema["paths"][path].values() for r in o["responses"].values()):
                shown = response.get("content", {}).pop(MEDIA_TYPE, None)
                if shown is None:
                    continue
                answers = {code: answer(Problem(code, KINDS[code].meaning)) for code in shown["examples"]}
                media_type = next(iter(answers.values())).headers["content-type"].split(";")[0]
                values = {code: {"value": json.loads(bytes(made.body))} for code, made in answers.items()}
                response["content"][media_type] = {"schema": {"type": "object"}, "examples": values}

"""What OpenAPI says of the FHIR routes: resources as JSON objects, the parameters of the operations, examples."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from api.interop.fhir.outcome import FHIR_JSON
from api.interop.fhir.terminology import DATE, MOST_EXPANDED
from api.openapi import JSON_BODY, example_text, problems

READ = ("origin-refused", "not-acceptable", "invalid-request")
"""Problems of every FHIR route."""
ASKED = (*READ, "forbidden", "cross-site", "not-ready", "too-busy", "unknown-code")
"""Problems of every operation on the code systems."""


def _between(most: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": 0, "maximum": most}


_TEXT = {"type": "string", "maxLength": 2000}
_FORMAT = ("_format", False, {"type": "string"}, "`json`, or another name of JSON; in place of `Accept`.")
_DAY = ("date", False, {"type": "string", "pattern": DATE}, "The day that is meant, today when left out.")
_CODE = ("code", True, {"type": "string", "minLength": 1}, "A code, with or without its dot.")
_WHERE = "The address of the code system."
PARAMETERS: Mapping[str, list[tuple[str, bool, dict[str, Any], str]]] = {
    "lookup": [("system", True, _TEXT, _WHERE), _CODE, _DAY, _FORMAT],
    "validate-code": [
        ("url", True, _TEXT, _WHERE),
        _CODE,
        ("display", False, {"type": "string"}, "Is compared with the code's title."),
        _DAY,
        _FORMAT,
    ],
    "expand": [
        ("url", True, _TEXT, f"{_WHERE} `?fhir_vs` may follow."),
        ("filter", False, {"type": "string"}, "Words of the title, or the beginning of a code."),
        _DAY,
        ("count", False, _between(MOST_EXPANDED), "How many codes to give, 100 when left out."),
        ("offset", False, _between(10_000_000), "How many to pass over."),
        _FORMAT,
    ],
}


def given(description: str) -> dict[int | str, dict[str, Any]]:
    """The answer 200 that carries a resource."""
    return {200: {"description": description, "content": {FHIR_JSON: {"schema": _resource()}}}}


def query(operation: str) -> dict[str, Any]:
    """``openapi_extra`` of an operation that is asked by GET."""
    return {
        "parameters": [
            {"name": name, "in": "query", "required": required, "schema": schema, "description": text}
            for name, required, schema, text in PARAMETERS[operation]
        ]
    }


def body(types: tuple[str, ...], **examples: str) -> dict[str, Any]:
    """``openapi_extra`` of a route that takes a resource of one of ``types``; the examples are files by their names."""
    shown = {name.replace("_", " "): {"value": json.loads(example_text(file))} for name, file in examples.items()}
    return {"requestBody": {"required": True, "content": {FHIR_JSON: {"schema": _resource(types), "examples": shown}}}}


def operation_problems(posted: bool) -> dict[int | str, dict[str, Any]]:
    """The errors of an operation on the code systems."""
    return problems(*dict.fromkeys((*ASKED, *(JSON_BODY if posted else ()))))


def _resource(types: tuple[str, ...] = ()) -> dict[str, Any]:
    kind = {"type": "string", **({"enum": list(types)} if types else {})}
    return {"type": "object", "required": ["resourceType"], "properties": {"resourceType": kind}}

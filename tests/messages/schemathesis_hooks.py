"""What schemathesis does not know by itself: the media types of HL7 messages, of lines of JSON, and of AWS's protocol;
and that the key which lets it in must not be revoked. Its command loads this module (``SCHEMATHESIS_HOOKS``)."""

from __future__ import annotations

import json
import os
from typing import Any

import schemathesis


@schemathesis.serializer("application/hl7-v2")
def as_text(context: Any, value: Any) -> bytes:
    return str(value).encode("utf-8", "replace")


@schemathesis.serializer("application/x-ndjson", "application/x-amz-json-1.1")
def as_json(context: Any, value: Any) -> bytes:
    return json.dumps(value).encode()


@schemathesis.deserializer("application/x-amz-json-1.1")
def from_json(context: Any, response: Any) -> Any:
    return json.loads(response.content)


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """It finds the key in the list of keys, and would be refused everything from then on: revoke another."""
    if case.path == "/v1/keys/{id}" and case.path_parameters.get("id") in os.environ["OWN_KEY"].split():
        case.path_parameters["id"] = "another"

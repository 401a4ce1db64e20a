"""schemathesis over every endpoint of the OpenAPI document, against the running service.

Checks left out, and why:

- ``unsupported_method``: `TRACE` and other methods of a path are answered with 405 and Allow by the framework for each
  path on its own; where `/v1/codes/{system}/{code}` and the like overlap with nothing, there is nothing more to see.
- ``positive_data_acceptance``: what a record means is not in a schema: a note of blanks, a review that is open at
  somebody else's, a code that no release has. These have tests of their own.
- ``negative_data_rejection`` on `/v1/edits`, and on lines of a batch: they ignore unknown fields by contract, so that a
  claim may be sent whole; and where every text is acceptable (HL7 messages, answered with AE; the AWS route).
- ``response_schema_conformance`` stays on for every route.
"""

from __future__ import annotations

import json
import os
from typing import Any

import hypothesis
import pytest
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    use_after_free,
)

Running = Any
CHECKS = [
    not_a_server_error,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    use_after_free,
    negative_data_rejection,
]
LENIENT = frozenset(
    {"/v1/edits", "/v1/suggestions:batch", "/v1/hl7v2", "/compat/comprehendmedical", "/readyz", "/healthz"}
)
FEW, MANY = 4, 30


@schemathesis.serializer("application/hl7-v2")
def as_text(context: Any, value: Any) -> bytes:
    return str(value).encode("utf-8", "replace")


@schemathesis.serializer("application/x-ndjson", "application/x-amz-json-1.1")
def as_json(context: Any, value: Any) -> bytes:
    return json.dumps(value).encode()


def check_all(running: Running, examples: int) -> tuple[int, int]:
    """Every operation with generated requests; gives the numbers of operations and requests."""
    sent, operations, failures = 0, 0, []
    with running(webhook_hosts={"127.0.0.1"}, webhook_attempts=1) as service:
        schema = schemathesis.openapi.from_url(f"{service.address}/openapi.json")
        for found in schema.get_all_operations():
            operation = found.ok()
            operations += 1
            checks = [c for c in CHECKS if c is not negative_data_rejection or operation.path not in LENIENT]
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                tried, failed = try_out(operation, mode, checks, examples)
                sent += tried
                failures += failed
    assert not failures, "\n\n".join(failures)[:20_000]
    return operations, sent


def try_out(operation: Any, mode: GenerationMode, checks: list[Any], examples: int) -> tuple[int, list[str]]:
    """The number of requests, and the failure if there is one."""
    sent = 0

    @hypothesis.settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate],
    )
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def run(case: Any) -> None:
        nonlocal sent
        sent += 1
        case.call_and_validate(checks=checks, timeout=60)

    try:
        run()
    except hypothesis.errors.Unsatisfiable:  # an operation without parameters has no wrong requests
        pass
    except Exception as error:  # gathered, so that one run names all
        return sent, [f"{operation.method.upper()} {operation.path} ({mode.value}): {error}"]
    return sent, []


def test_every_endpoint_keeps_to_its_description(running: Running) -> None:
    """A fraction: 4 requests of each kind for each operation, of the 30 of the bar."""
    examples = int(os.environ.get("CODEASSIST_TEST_EXAMPLES", FEW))
    operations, sent = check_all(running, examples)
    assert operations >= 30 and sent >= operations * 2


@pytest.mark.bars
def test_every_endpoint_keeps_to_its_description_at_length(running: Running) -> None:
    operations, sent = check_all(running, MANY)
    print(f"{operations} operations, {sent} requests, no failure")

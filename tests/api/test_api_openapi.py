"""The description of the API: complete, with examples that work as they stand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient
from pydantic import TypeAdapter

from api.errors import KINDS
from api.openapi import example_text
from api.schemas import EditsOut
from codeassist.result import CodingResult

if TYPE_CHECKING:
    from codeassist.assistant import CodeAssistant


@pytest.fixture(scope="module")
def api(client: TestClient) -> dict[str, Any]:
    response = client.get("/openapi.json")
    assert response.status_code == 200
    description: dict[str, Any] = response.json()
    return description


def test_every_route_of_the_contract_is_described(api: dict[str, Any]) -> None:
    routes = {(method.upper(), path) for path, methods in api["paths"].items() for method in methods}
    assert routes == {
        ("POST", "/v1/suggestions"),
        ("POST", "/v1/suggestions:batch"),
        ("POST", "/v1/edits"),
        ("POST", "/v1/queries"),
        ("POST", "/v1/sections"),
        ("GET", "/v1/reviews"),
        ("POST", "/v1/reviews"),
        ("POST", "/v1/reviews:next"),
        ("GET", "/v1/reviews/{number}"),
        ("GET", "/v1/reviews/{number}/fhir"),
        *(
            ("POST", f"/v1/reviews/{{number}}/{action}")
            for action in "open decisions undo redo hold release submit keep assign".split()
        ),
        ("GET", "/v1/reviews/{number}/claim"),
        ("GET", "/v1/audits"),
        ("POST", "/v1/audits"),
        ("POST", "/v1/audits:next"),
        ("GET", "/v1/audits:reasons"),
        ("GET", "/v1/audits/{number}"),
        *(
            ("POST", f"/v1/audits/{{number}}/{action}")
            for action in "abandon decisions undo redo submit marks answers close".split()
        ),
        ("GET", "/v1/reports/{name}"),
        ("GET", "/v1/exports/audited"),
        ("POST", "/v1/hl7v2"),
        ("GET", "/v1/hl7v2/messages"),
        ("GET", "/v1/hl7v2/messages/{number}"),
        ("POST", "/v1/hl7v2/messages/{number}/retry"),
        ("GET", "/v1/reviews/{number}/dft"),
        ("GET", "/v1/webhooks"),
        ("POST", "/v1/webhooks"),
        *((method, "/v1/webhooks/{number}") for method in ("GET", "PATCH", "DELETE")),
        ("GET", "/v1/webhooks/{number}/deliveries"),
        ("POST", "/v1/webhooks/{number}/deliveries/{delivery}/redeliver"),
        ("POST", "/compat/comprehendmedical"),
        ("GET", "/v1/exports/codes"),
        ("GET", "/v1/reports/drift"),
        ("GET", "/v1/reports/shadow"),
        ("GET", "/v1/codes"),
        ("GET", "/v1/codes/{system}/{code}"),
        *((method, "/v1/session") for method in ("GET", "POST", "DELETE")),
        ("PUT", "/v1/session/password"),
        *((method, path) for method in ("GET", "POST") for path in ("/v1/users", "/v1/keys")),
        ("PATCH", "/v1/users/{name}"),
        ("DELETE", "/v1/keys/{id}"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/cds-services"),
        ("POST", "/cds-services/{service_id}"),
        ("POST", "/cds-services/{service_id}/feedback"),
        ("GET", "/fhir/metadata"),
        ("GET", "/fhir/StructureDefinition/{name}"),
        ("POST", "/fhir/DocumentReference/$suggest-codes"),
        *(
            (method, f"/fhir/{operation}")
            for method in ("GET", "POST")
            for operation in ("CodeSystem/$lookup", "CodeSystem/$validate-code", "ValueSet/$expand")
        ),
        ("GET", "/.well-known/smart-configuration"),
        ("GET", "/fhir/.well-known/smart-configuration"),
        ("GET", "/.well-known/jwks.json"),
        ("POST", "/auth/token"),
        ("GET", "/launch"),
        ("GET", "/launch/callback"),
    }


OF_ACCOUNTS = ("/v1/session", "/v1/users", "/v1/keys")
"""Their examples need users: tests/auth."""
OF_PROGRAMS = "/auth/token"
"""Its example needs an assertion of the moment: docs/integration.md."""


def test_every_post_has_examples_that_work(
    api: dict[str, Any], assistant: CodeAssistant, serving: Any, tmp_path: Path
) -> None:
    settings = {"webhook_hosts": {"ehr.hospital.example"}, "database_url": f"sqlite:///{tmp_path / 'examples.sqlite3'}"}
    with serving(assistant, **settings) as client:
        check_examples(api, client)


def check_examples(api: dict[str, Any], client: TestClient) -> None:
    tried = 0
    for path, methods in api["paths"].items():
        if path in OF_ACCOUNTS or path == OF_PROGRAMS:
            continue
        if "post" not in methods or "{" in path or "audits" in path:  # they depend on a review: test_reviews_api.py
            continue
        for media_type, content in methods["post"]["requestBody"]["content"].items():
            assert content["examples"], path
            for example in content["examples"].values():
                value = example["value"]
                body = value if isinstance(value, str) else json.dumps(value)
                fixed = {
                    p["name"]: p["schema"]["enum"][0] for p in methods["post"].get("parameters", ()) if p["required"]
                }
                response = client.post(path, content=body.encode(), headers={"Content-Type": media_type, **fixed})
                assert response.is_success and '"error":' not in response.text, response.text
                tried += 1
    assert tried == 19


def test_the_example_of_a_result_has_its_shape_and_quotes_its_note() -> None:
    result, note = json.loads(example_text("result.json")), json.loads(example_text("note.json"))
    TypeAdapter(CodingResult).validate_python(result)
    evidence = [e for s in (*result["suggestions"], *result["discarded"]) for e in s["evidence"]]
    for span in (*evidence, *(e["assertion"]["cue"] for e in evidence if "cue" in e["assertion"])):
        assert note["text"][span["start"] : span["end"]] == span["text"]


def test_the_example_of_a_review_is_what_the_example_of_a_claim_gets(client: TestClient) -> None:
    example = json.loads(example_text("edits.json"))
    TypeAdapter(EditsOut).validate_python(example)
    claim, headers = example_text("claim.json"), {"Content-Type": "application/json"}
    assert client.post("/v1/edits", content=claim.encode(), headers=headers).json() == example


def test_every_error_is_a_problem_document_with_an_example(api: dict[str, Any]) -> None:
    for path, methods in api["paths"].items():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                # those answer as what they stand in for, and as OAuth 2.0 has it
                if (
                    status.startswith(("2", "3"))
                    or path.startswith("/compat/")
                    or (path, status[0]) == (OF_PROGRAMS, "4")
                ):
                    continue
                if path.startswith("/fhir/"):
                    shown = response["content"]["application/fhir+json"]["examples"].values()
                    assert all(e["value"]["resourceType"] == "OperationOutcome" for e in shown), path
                    continue
                content = response["content"]["application/problem+json"]
                assert content["schema"]["$ref"].endswith("/ProblemOut"), path
                assert all(e["value"]["status"] == int(status) for e in content["examples"].values())


def test_every_reference_leads_somewhere(api: dict[str, Any]) -> None:
    text = json.dumps(api)
    names = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= api["components"]["schemas"].keys()


def test_the_docs_page_describes_every_route_and_error_and_fetches_nothing(
    api: dict[str, Any], client: TestClient
) -> None:
    page = client.get("/docs").text
    assert all(f"<code>{path}</code>" in page for path in api["paths"])
    assert all(f'id="{code}"' in page for code in KINDS)
    assert 'src="http' not in page and 'href="http' not in page and "<script" not in page

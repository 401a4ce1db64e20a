"""The description of the API: complete, with examples that work as they stand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import TypeAdapter

from api.errors import KINDS
from api.openapi import example_text
from api.schemas import EditsOut
from codeassist.result import CodingResult


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
        ("GET", "/v1/reviews"),
        ("POST", "/v1/reviews"),
        ("POST", "/v1/reviews:next"),
        ("GET", "/v1/reviews/{number}"),
        *(
            ("POST", f"/v1/reviews/{{number}}/{action}")
            for action in "open decisions undo redo hold release submit".split()
        ),
        ("GET", "/v1/exports/audited"),
        ("GET", "/v1/exports/codes"),
        ("GET", "/v1/reports/drift"),
        ("GET", "/v1/reports/shadow"),
        ("GET", "/v1/codes"),
        ("GET", "/v1/codes/{system}/{code}"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
    }


def test_every_post_has_examples_that_work(api: dict[str, Any], client: TestClient) -> None:
    tried = 0
    for path, methods in api["paths"].items():
        if "post" not in methods or "{" in path:  # what is done with a review depends on it: test_reviews_api.py
            continue
        for media_type, content in methods["post"]["requestBody"]["content"].items():
            assert content["examples"], path
            for example in content["examples"].values():
                value = example["value"]
                body = value if isinstance(value, str) else json.dumps(value)
                response = client.post(path, content=body.encode(), headers={"Content-Type": media_type})
                assert response.is_success and '"error":' not in response.text, response.text
                tried += 1
    assert tried == 9


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
                if status.startswith("2"):
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

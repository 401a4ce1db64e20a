"""Each bad input gets its status and its code, and never the note back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

SECRET = "Zebedee has gout"

RECORDS: dict[str, tuple[Any, int, str]] = {
    "empty note": ({"text": ""}, 422, "invalid-input"),
    "white space": ({"text": " \r\n\t\u00a0 "}, 422, "invalid-input"),
    "empty documents": ({"documents": [{"id": "a", "text": " "}]}, 422, "invalid-input"),
    "no documents": ({"documents": []}, 422, "invalid-request"),
    "documents with one id": (
        {"documents": [{"id": "a", "text": SECRET}, {"id": "a", "text": SECRET}]},
        422,
        "invalid-input",
    ),
    "neither text nor documents": ({"id": "a"}, 422, "invalid-request"),
    "both text and documents": ({"text": SECRET, "documents": [{"text": SECRET}]}, 422, "invalid-request"),
    "unknown setting": ({"text": SECRET, "setting": "hospice"}, 422, "invalid-request"),
    "unknown field": ({"text": SECRET, "settting": "inpatient"}, 422, "invalid-request"),
    "unknown field of the patient": ({"text": SECRET, "patient": {"name": SECRET}}, 422, "invalid-request"),
    "unknown field of a document": ({"documents": [{"text": SECRET, "x": 1}]}, 422, "invalid-request"),
    "text that is a number": ({"text": 5}, 422, "invalid-request"),
    "text that is null": ({"text": None}, 422, "invalid-request"),
    "age that is text": ({"text": SECRET, "patient": {"age": "61"}}, 422, "invalid-request"),
    "age below zero": ({"text": SECRET, "patient": {"age": -1}}, 422, "invalid-request"),
    "sex": ({"text": SECRET, "patient": {"sex": SECRET}}, 422, "invalid-request"),
    "date that is not one": ({"text": SECRET, "date_of_service": "2026-02-30"}, 422, "invalid-request"),
    "date with a time": ({"text": SECRET, "date_of_service": "2026-02-03T10:00:00"}, 422, "invalid-request"),
    "note in the date": ({"text": SECRET, "date_of_service": SECRET}, 422, "invalid-request"),
    "a list": ([SECRET], 422, "invalid-request"),
}

BODIES: dict[str, tuple[bytes, int, str]] = {
    "nothing": (b"", 400, "malformed-json"),
    "cut short": (b'{"text": "Zebedee has go', 400, "malformed-json"),
    "not JSON": (b"Zebedee has gout", 400, "malformed-json"),
    "Latin-1": ('{"text": "Zebedee has gout, café"}'.encode("latin-1"), 400, "not-utf-8"),
    "UTF-16": ('{"text": "Zebedee has gout"}'.encode("utf-16"), 400, "not-utf-8"),
    "half a surrogate pair": (b'{"text": "Zebedee has gout \\ud83d"}', 400, "malformed-json"),
    "deep nesting": (b'{"text":' + b"[" * 100_000, 400, "malformed-json"),
}


def check(response: Any, status: int, code: str) -> dict[str, Any]:
    assert (response.status_code, response.json()["code"]) == (status, code), response.text
    assert "Zebedee" not in response.text
    problem: dict[str, Any] = response.json()
    return problem


@pytest.mark.parametrize("name", RECORDS)
def test_record(client: TestClient, name: str) -> None:
    record, status, code = RECORDS[name]
    check(client.post("/v1/suggestions", json=record), status, code)


@pytest.mark.parametrize("name", BODIES)
def test_body(client: TestClient, name: str) -> None:
    body, status, code = BODIES[name]
    headers = {"Content-Type": "application/json"}
    check(client.post("/v1/suggestions", content=body, headers=headers), status, code)


@pytest.mark.parametrize(
    "sent", [None, "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1"]
)
def test_media_type(client: TestClient, sent: str | None) -> None:
    headers = {"Content-Type": sent} if sent else {}
    check(client.post("/v1/suggestions", content=b'{"text": "Gout."}', headers=headers), 415, "unsupported-media-type")


def test_an_unknown_field_and_an_unknown_setting_are_named(client: TestClient) -> None:
    problem = client.post("/v1/suggestions", json={"text": SECRET, "settting": "x", "setting": "hospice"}).json()
    assert {e["field"]: e["code"] for e in problem["errors"]} == {
        "settting": "extra-forbidden",
        "setting": "literal-error",
    }
    assert "'inpatient'" in next(e["detail"] for e in problem["errors"] if e["field"] == "setting")


def test_a_body_over_the_limit_is_refused_with_the_limit(serving: Any, assistant: Any) -> None:
    with serving(assistant, max_body_bytes=100) as client:
        whole = json.dumps({"text": "x" * 88}).encode()
        assert len(whole) == 100
        headers = {"Content-Type": "application/json"}
        assert client.post("/v1/suggestions", content=whole, headers=headers).status_code == 200
        problem = check(client.post("/v1/suggestions", content=whole + b" ", headers=headers), 413, "body-too-large")
        assert "100 bytes" in problem["detail"]
        undeclared = (b" " * 60 for _ in range(3))  # without a Content-Length
        check(client.post("/v1/suggestions", content=undeclared, headers=headers), 413, "body-too-large")


def test_a_note_over_the_limit_is_refused_with_the_limit(serving: Any, assistant: Any) -> None:
    with serving(assistant, max_characters=20) as client:
        assert client.post("/v1/suggestions", json={"text": "Gout. 🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉"}).status_code == 200
        problem = check(
            client.post("/v1/suggestions", json={"text": SECRET + " again and again"}), 413, "note-too-large"
        )
        assert "limit is 20" in problem["detail"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/codes", 422, "invalid-request"),
        ("/v1/codes?q=", 422, "invalid-request"),
        ("/v1/codes?q=%20%20", 422, "invalid-request"),
        ("/v1/codes?q=gout&system=icd-9", 422, "invalid-request"),
        ("/v1/codes?q=gout&date_of_service=yesterday", 422, "invalid-request"),
        ("/v1/codes?q=gout&limit=0", 422, "invalid-request"),
        ("/v1/codes?q=gout&limit=101", 422, "invalid-request"),
        ("/v1/codes?q=gout&sytem=cpt", 422, "invalid-request"),
        ("/v1/codes?q=" + "x" * 201, 422, "invalid-request"),
        ("/v1/codes/icd-9/250.00", 422, "invalid-request"),
        ("/v1/codes/icd-10-cm/Q99.99", 404, "unknown-code"),
        ("/v1/codes/icd-10-cm/%00", 404, "unknown-code"),
        ("/new?example=none", 404, "not-found"),
    ],
)
def test_query(client: TestClient, path: str, status: int, code: str) -> None:
    check(client.get(path), status, code)


@pytest.mark.parametrize("text", ["%00", "%ff", "🎉", "a%00b", "(((", '"', "%25", "x" * 200])
def test_a_strange_search_finds_what_it_finds(client: TestClient, text: str) -> None:
    response = client.get(f"/v1/codes?q={text}")
    assert response.status_code == 200, response.text
    assert isinstance(response.json(), list)

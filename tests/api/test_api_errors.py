"""One shape for every error."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

import codeassist
from api.app import create_app
from api.errors import KINDS
from api.settings import ApiSettings
from codeassist.note import Note
from codeassist.result import ModelId

JSON = {"Content-Type": "application/json"}
KEYS = ["type", "title", "status", "detail", "code", "instance"]

REQUESTS: list[tuple[str, str, dict[str, Any], str]] = [
    ("POST", "/v1/suggestions", {"content": b"{", "headers": JSON}, "malformed-json"),
    ("POST", "/v1/suggestions", {"content": b"\xff", "headers": JSON}, "not-utf-8"),
    ("GET", "/nowhere", {}, "not-found"),
    ("GET", "/v1/suggestions/", {}, "not-found"),
    ("GET", "/static/nothing.js", {}, "not-found"),
    ("GET", "/static/../app.py", {}, "not-found"),
    ("GET", "/v1/codes/cpt/00000", {}, "unknown-code"),
    ("GET", "/v1/suggestions", {}, "method-not-allowed"),
    ("DELETE", "/", {}, "method-not-allowed"),
    ("POST", "/static/icon.svg", {}, "method-not-allowed"),
    ("POST", "/v1/suggestions", {"content": b" " * 200, "headers": JSON}, "body-too-large"),
    ("POST", "/v1/suggestions", {"json": {"text": "x" * 60}}, "note-too-large"),
    ("POST", "/v1/suggestions", {"content": b"{}"}, "unsupported-media-type"),
    ("POST", "/v1/suggestions", {"json": {"txt": ""}}, "invalid-request"),
    ("GET", "/v1/codes", {}, "invalid-request"),
    ("POST", "/v1/suggestions", {"json": {"text": ""}}, "invalid-input"),
]


class Faulty:
    """An assistant with a fault that nobody foresaw, whose message quotes the note."""

    model = ModelId("faulty", "1", "0" * 64)
    releases: Mapping[str, str] = {}

    def suggest(self, note: Note) -> None:
        raise ValueError(f"can't read {note.text!r}")


def check_shape(response: Any, code: str) -> dict[str, Any]:
    problem: dict[str, Any] = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert list(problem)[:6] == KEYS
    assert set(problem) <= {*KEYS, "errors"}
    assert problem["code"] == code
    assert problem["type"] == f"/docs#{code}"
    assert problem["status"] == response.status_code == KINDS[code].status
    assert problem["title"] == KINDS[code].title
    assert re.fullmatch(r"[A-Z].*\.", problem["detail"]), "the detail is a sentence"
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", problem["instance"])
    assert ("errors" in problem) == (code == "invalid-request")
    for error in problem.get("errors", []):
        assert list(error) == ["in", "field", "code", "detail"]
    assert response.headers["content-security-policy"], "errors have the security headers too"
    return problem


@pytest.mark.parametrize(("method", "path", "options", "code"), REQUESTS, ids=lambda v: str(v)[:24])
def test_shape(serving: Any, assistant: Any, method: str, path: str, options: dict[str, Any], code: str) -> None:
    with serving(assistant, max_body_bytes=150, max_characters=50) as client:
        check_shape(client.request(method, path, **options), code)


def test_a_wrong_method_names_the_right_one(client: TestClient) -> None:
    response = client.put("/v1/suggestions", json={})
    assert response.headers["allow"] == "POST"


def test_a_fault_gives_500_and_neither_the_answer_nor_the_log_quotes_the_note(
    serving: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(Faulty()) as client:
        response = client.post("/v1/suggestions", json={"text": "Zebedee has gout"})
        problem = check_shape(response, "internal-error")
        lines = client.post(
            "/v1/suggestions:batch",
            content=b'{"text": "Zebedee has gout"}\n{"text": ""}',
            headers={"Content-Type": "application/x-ndjson"},
        ).text
    assert "Zebedee" not in response.text + lines + caplog.text
    assert "internal-error" in lines and "invalid-input" in lines
    request_id = problem["instance"].removeprefix("urn:uuid:")
    logged = next(r.getMessage() for r in caplog.records if r.levelname == "ERROR" and request_id in r.getMessage())
    assert "ValueError" in logged and "test_api_errors.py" in logged, "the log names the place"


def test_the_log_has_the_route_and_neither_note_nor_query(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "codeassist")
    client.post("/v1/suggestions", json={"text": "Zebedee has gout"})
    client.get("/v1/codes?q=Zebedee")
    client.get("/v1/codes/icd-10-cm/M10.9")
    assert "Zebedee" not in caplog.text
    assert "GET /v1/codes/{system}/{code} 200" in caplog.text


def test_503_until_the_assistant_is_loaded(assistant: Any) -> None:
    may_load = threading.Event()

    def load() -> Any:
        may_load.wait(10)
        return assistant

    with TestClient(create_app(ApiSettings(), load=load)) as client:
        assert client.get("/healthz").status_code == 200
        for response in (
            client.get("/readyz"),
            client.get("/v1/codes?q=gout"),
            client.post("/v1/suggestions", json={"text": "Gout."}),
            client.post("/v1/suggestions:batch", content=b"{}", headers={"Content-Type": "application/x-ndjson"}),
            client.post("/v1/edits", json={"codes": []}),
        ):
            check_shape(response, "not-ready")
            assert response.headers["retry-after"] == "2"
        may_load.set()
        for _ in range(200):
            if client.get("/readyz").status_code == 200:
                break
            threading.Event().wait(0.01)
        ready = client.get("/readyz").json()
        assert ready["status"] == "ready" and ready["terminology"]["icd-10-cm"]


def test_503_that_says_why_when_there_is_no_model(tmp_path: Path) -> None:
    failed = threading.Event()
    load = lambda: codeassist.load(tmp_path / "no-model")  # noqa: E731
    with TestClient(create_app(ApiSettings(), load=load, on_failure=failed.set)) as client:
        assert failed.wait(60)
        check_shape(client.get("/readyz"), "model-unusable")
        check_shape(client.post("/v1/suggestions", json={"text": "Gout."}), "model-unusable")
        assert client.get("/healthz").status_code == 200

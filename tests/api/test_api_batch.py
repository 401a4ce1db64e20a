"""POST /v1/suggestions:batch: JSON Lines in, JSON Lines out, while they come."""

from __future__ import annotations

import json
from collections.abc import MutableMapping
from typing import Any

import anyio
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.settings import ApiSettings

URL = "/v1/suggestions:batch"
NDJSON = {"Content-Type": "application/x-ndjson"}


def post(client: TestClient, body: bytes) -> list[dict[str, Any]]:
    response = client.post(URL, content=body, headers=NDJSON)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("application/x-ndjson")
    return [json.loads(line) for line in response.text.splitlines()]


def test_a_result_for_each_line_in_order(client: TestClient) -> None:
    lines = [json.dumps({"id": f"n{i}", "text": "Gout.", "date_of_service": "2026-03-02"}) for i in range(5)]
    results = post(client, "\n".join(lines).encode())
    assert [r["id"] for r in results] == ["n0", "n1", "n2", "n3", "n4"]
    alone = client.post("/v1/suggestions", json=json.loads(lines[0])).json()
    assert results[0] == alone


def test_a_sites_own_fields_are_ignored(client: TestClient) -> None:
    line = {"id": "a", "text": "Gout.", "codes": [], "patient": {"age": 60, "sex": "M", "ward": 3}, "mrn": 1}
    assert post(client, json.dumps(line).encode())[0]["id"] == "a"


def test_bad_lines_get_their_number_and_the_rest_goes_on(client: TestClient) -> None:
    body = b"\n".join(
        [
            b'{"id": "good", "text": "Gout."}',
            b'{"id": "cut", "text": "Zebedee has go',
            b"",
            b'{"text": "Zebedee \xff"}',
            b'{"text": "Zebedee", "setting": "hospice"}',
            b'{"text": "   "}',
            b'["Zebedee"]',
            b'{"id": "last", "text": "Gout."}\r',
        ]
    )
    results = post(client, body)
    assert [r.get("id") for r in results] == ["good", None, None, None, None, None, "last"]
    errors = {r["line"]: r["error"] for r in results if "line" in r}
    assert {n: e["code"] for n, e in errors.items()} == {
        2: "malformed-json",
        4: "not-utf-8",
        5: "invalid-request",
        6: "invalid-input",
        7: "invalid-request",
    }
    assert all(e.keys() >= {"type", "title", "status", "detail", "code", "instance"} for e in errors.values())
    assert "Zebedee" not in json.dumps(errors)


def test_a_line_over_the_limit_is_skipped(serving: Any, assistant: Any) -> None:
    with serving(assistant, max_line_bytes=60) as client:
        body = b'{"text": "Gout."}\n{"text": "' + b"x" * 500 + b'"}\n{"id": "b", "text": "Gout."}\n'
        results = post(client, body)
    assert results[1]["line"] == 2
    assert results[1]["error"]["code"] == "line-too-long"
    assert "60 bytes" in results[1]["error"]["detail"]
    assert results[2]["id"] == "b"


def test_nothing_in_nothing_out(client: TestClient) -> None:
    assert post(client, b"") == post(client, b"\n \n") == []


@pytest.mark.parametrize("sent", ["application/json", "text/plain"])
def test_another_media_type_is_refused(client: TestClient, sent: str) -> None:
    response = client.post(URL, content=b"{}", headers={"Content-Type": sent})
    assert (response.status_code, response.json()["code"]) == (415, "unsupported-media-type")


def test_an_answer_comes_before_the_next_line_is_sent(assistant: Any) -> None:
    """Speaks ASGI itself, because the test client reads only when everything is sent."""
    app = create_app(ApiSettings(), load=lambda: assistant)
    scope: MutableMapping[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "method": "POST",
        "path": URL,
        "raw_path": URL.encode(),
        "query_string": b"",
        "headers": [(b"content-type", b"application/x-ndjson")],
        "scheme": "http",
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 1),
        "http_version": "1.1",
        "root_path": "",
    }

    async def talk() -> list[str]:
        to_app, inbox = anyio.create_memory_object_stream[MutableMapping[str, Any]](10)
        outbox, from_app = anyio.create_memory_object_stream[MutableMapping[str, Any]](10)
        seen = []
        async with app.router.lifespan_context(app), anyio.create_task_group() as tasks:
            while app.state.engine._assistant is None:
                await anyio.sleep(0.01)
            tasks.start_soon(app, scope, inbox.receive, outbox.send)
            assert (await from_app.receive())["status"] == 200
            for name in ("a", "b"):
                line = json.dumps({"id": name, "text": "Gout."}).encode() + b"\n"
                await to_app.send({"type": "http.request", "body": line, "more_body": True})
                seen.append(json.loads((await from_app.receive())["body"])["id"])
            await to_app.send({"type": "http.disconnect"})  # in the middle: the answer ends, and nothing is raised
        return seen

    with anyio.from_thread.start_blocking_portal() as portal:
        assert portal.call(talk) == ["a", "b"]


def test_more_is_sent_than_is_held(serving: Any, assistant: Any) -> None:
    with serving(assistant, batch_buffer_bytes=100) as client:
        body = b"".join(b'{"id": "%d", "text": "Gout."}\n' % i for i in range(40))
        assert [r["id"] for r in post(client, body)] == [str(i) for i in range(40)]

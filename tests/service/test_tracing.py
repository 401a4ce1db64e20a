"""Traces, as a collector receives them over HTTP."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from fastapi.testclient import TestClient
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

Serving = Callable[..., AbstractContextManager[TestClient]]
TRACE = "0af7651916cd43dd8448eb211c80319c"


class Collector(ThreadingHTTPServer):
    """Keeps what is exported to it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.raw = b""
        self.paths: set[str] = set()
        self.spans: list[Any] = []
        self.services: set[str] = set()


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
        self.server.raw += body
        self.server.paths.add(self.path)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            named = [a.value.string_value for a in resource.resource.attributes if a.key == "service.name"]
            self.server.services.update(named)
            for scope in resource.scope_spans:
                self.server.spans.extend(scope.spans)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("by", ["setting", "OTEL_EXPORTER_OTLP_ENDPOINT"])
def test_a_note_is_a_trace_of_its_stages(
    serving: Serving, assistant: Any, collector: Collector, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"http://127.0.0.1:{collector.server_port}"
    settings = {"otlp_endpoint": address} if by == "setting" else {}
    if by != "setting":
        monkeypatch.setenv(by, address)
    with serving(assistant, **settings) as client:
        note = {"id": "MRN-4711", "text": "Zebedee has gout.", "date_of_service": "2026-03-02"}
        headers = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
        assert client.post("/v1/suggestions", json=note, headers=headers).status_code == 200
        client.get("/v1/codes", params={"q": "Zebedee"})
        client.post("/v1/suggestions", json={"text": ""})
    assert collector.paths == {"/v1/traces"} and collector.services == {"codeassist"}
    mine = [s for s in collector.spans if s.trace_id.hex() == TRACE]
    [request] = [s for s in mine if s.name == "POST /v1/suggestions"]
    assert request.parent_span_id.hex() == "b7ad6b7169203331"
    found = {a.key: a.value.string_value or a.value.int_value for a in request.attributes}
    assert found == {
        "http.request.method": "POST",
        "http.route": "/v1/suggestions",
        "http.response.status_code": 200,
    }
    stages = [s for s in mine if s is not request]
    assert [s.name for s in stages] == ["wait", "read", "propose", "rank", "explain", "rules"]
    for stage in stages:
        assert stage.parent_span_id == request.span_id
        begin, end = request.start_time_unix_nano - 2_000_000, request.end_time_unix_nano + 2_000_000
        assert begin <= stage.start_time_unix_nano <= stage.end_time_unix_nano <= end
    assert not [word for word in (b"zebedee", b"gout", b"4711", b"mrn") if word in collector.raw.lower()]


def test_without_a_collector_nothing_is_traced(serving: Serving, assistant: Any, collector: Collector) -> None:
    with serving(assistant) as client:
        client.post("/v1/suggestions", json={"text": "Gout."})
    assert not collector.spans

"""The typed client against the running service; and pages of other origins."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from codeassist_client import (
    BadRequest,
    Client,
    Conflict,
    LineError,
    NotFound,
    NotReachable,
    Result,
    TooManyRequests,
    Unavailable,
)
from codeassist_client.retrying import Retries

Service = Any
Running = Any
TEXT = "Assessment: Ménière's disease 🙂 and type 2 diabetes mellitus."


@pytest.fixture
def client(service: Service) -> Iterator[Client]:
    with Client(service.address) as client:
        yield client


def test_notes_and_streams_of_notes(client: Client) -> None:
    result = client.suggest({"text": TEXT, "date_of_service": date(2026, 3, 2)})
    assert result.date_of_service == date(2026, 3, 2) and "E11.9" in [s.code for s in result.codes]
    assert all(TEXT[e.start : e.end] == e.text for s in result.suggestions for e in s.evidence)
    sent = []

    def notes() -> Iterator[Any]:
        for i in range(300):
            sent.append(i)
            yield {"id": i, "text": TEXT} if i != 5 else {"id": i}

    answers = client.suggest_many(notes())
    first = next(answers)
    assert isinstance(first, Result) and first.id == "0"
    rest = list(answers)
    assert len(rest) == 299 and [a.line for a in rest if isinstance(a, LineError)] == [6]


def test_codes_edits_and_queries(client: Client) -> None:
    assert client.search("type 2 diabetes", system="icd-10-cm", limit=3)[0].code.startswith("E11")
    assert client.code("icd-10-cm", "e119").display == "Type 2 diabetes mellitus without complications"
    with pytest.raises(NotFound) as missing:
        client.code("icd-10-cm", "X/../99")
    assert missing.value.status == 404
    edits = client.edits(["W19.XXXA", "S52.501A", "E11.99"], date_of_service=date(2026, 3, 2))
    assert "validity.unknown" in [f.rule for f in edits.findings] and len(edits.sequence) == 3
    asked = client.queries({"text": "Assessment: heart failure, on furosemide.", "setting": "inpatient"})
    assert asked and all(q.options and q.question for q in asked)


def test_a_review_from_arrival_to_submission(client: Client) -> None:
    made = client.send_to_review({"text": TEXT, "date_of_service": "2026-03-02"}, idempotency_key="once")
    assert client.send_to_review({"text": TEXT, "date_of_service": "2026-03-02"}, idempotency_key="once") == made
    with pytest.raises(Conflict) as early:
        client.submit(made)
    assert early.value.code == "review-foreign" and str(early.value)
    review = client.decide(client.open(made.number), "accepted", system="icd-10-cm", code="E11.9")
    assert [c["code"] for c in review.codes] == ["E11.9"]
    assert client.submit(review).state == "submitted"
    assert [r.number for r in client.worklist(state="submitted", date_from=date(2026, 3, 1))] == [made.number]
    for i in range(3):
        client.send_to_review({"id": i, "text": "Gout."})
    assert len({r.number for r in client.worklist()}) == 4


def test_errors_name_the_fields(client: Client) -> None:
    with pytest.raises(BadRequest) as wrong:
        client.suggest({"text": 3})
    assert wrong.value.code == "invalid-request" and wrong.value.errors[0]["field"] == "text"
    assert wrong.value.instance is not None


class _Busy(BaseHTTPRequestHandler):
    """Is busy as often as ``waits`` says, then answers with no codes."""

    waits: list[int] = []  # noqa: RUF012
    seen: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:
        self.seen.append(self.path)
        status = self.waits.pop(0) if self.waits else 200
        self.send_response(status)
        self.send_header("Content-Length", "2")
        if status != 200:
            self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(b"[]" if status == 200 else b"{}")

    def log_message(self, *_: object) -> None:
        pass


def test_a_busy_service_is_asked_again() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Busy)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    try:
        with Client(address, retries=Retries(attempts=3, pause=0.01)) as client:
            _Busy.waits = [429, 503]
            assert client.search("gout") == [] and len(_Busy.seen) == 3
            for status, kind in ((429, TooManyRequests), (503, Unavailable)):
                _Busy.waits = [status] * 3
                with pytest.raises(kind):
                    client.search("gout")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    with Client(address, retries=Retries(attempts=2, pause=0.01)) as client, pytest.raises(NotReachable):
        client.search("gout")


def test_the_client_loads_nothing_of_the_service() -> None:
    code = (
        "import sys, codeassist_client\n"
        "heavy = {'codeassist', 'api', 'training', 'spacy', 'numpy', 'sklearn', 'pydantic'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_pages_of_other_origins(running: Running) -> None:
    ask = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    with running(cors_origins={"https://ehr.example"}) as service:
        allowed = service.http.options("/v1/suggestions", headers={"Origin": "https://ehr.example", **ask})
        assert allowed.status_code == 200
        assert allowed.headers["access-control-allow-origin"] == "https://ehr.example"
        other = service.http.options("/v1/suggestions", headers={"Origin": "https://evil.example", **ask})
        assert "access-control-allow-origin" not in other.headers
        got = service.http.post("/v1/suggestions", json={"text": "Gout."}, headers={"Origin": "https://ehr.example"})
        assert got.headers["access-control-allow-origin"] == "https://ehr.example"
        assert got.headers["cross-origin-resource-policy"] == "cross-origin"
    with running() as service:
        none = service.http.post("/v1/suggestions", json={"text": "Gout."}, headers={"Origin": "https://ehr.example"})
        assert "access-control-allow-origin" not in none.headers
        assert none.headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.browser
def test_the_plugin_example_shows_codes_in_any_page(running: Running, root: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    import os

    page_text = (root / "docs" / "examples" / "plugin.html").read_text(encoding="utf-8")

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = page_text.replace("http://127.0.0.1:8000", service.address).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    origin = f"http://127.0.0.1:{server.server_port}"
    try:
        with running(cors_origins={origin}) as service, playwright.sync_playwright() as play:
            thread.start()
            browser = play.chromium.launch(
                executable_path=os.environ.get("CODEASSIST_CHROMIUM") or "/usr/bin/chromium", args=["--no-sandbox"]
            )
            page = browser.new_page()
            page.goto(origin)
            page.fill("textarea", "Assessment: type 2 diabetes mellitus. <b>Gout</b>.")
            page.click("text=Suggest codes")
            page.wait_for_selector("codeassist-codes li")
            shown = page.inner_text("codeassist-codes")
            assert "E11.9" in shown and "type 2 diabetes" in shown
            browser.close()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

"""The coder's page as the server gives it, its example notes and its headers."""

from __future__ import annotations

import re
from urllib.parse import urljoin

import pytest
from fastapi.testclient import TestClient

from api.examples import KINDS, Example, examples
from api.routes.pages import WEB


def test_six_examples_one_of_each_kind() -> None:
    assert tuple(e.kind for e in examples()) == KINDS


@pytest.mark.parametrize("example", examples(), ids=lambda e: e.id)
def test_an_example_has_its_facts_and_150_to_500_words(example: Example) -> None:
    assert example.title
    assert 150 <= len(example.note.text.split()) <= 500
    assert example.note.patient.age is not None and example.note.patient.sex in ("M", "F")
    assert example.note.date_of_service.year == 2026


@pytest.mark.parametrize("example", examples(), ids=lambda e: e.id)
def test_an_example_gets_codes(client: TestClient, example: Example) -> None:
    note = example.note
    record = {
        "text": note.text,
        "setting": note.setting,
        "note_type": note.note_type,
        "date_of_service": note.date_of_service.isoformat(),
        "patient": {"age": note.patient.age, "sex": note.patient.sex},
    }
    result = client.post("/v1/suggestions", json=record).json()
    assert any(s["tier"] == "code" for s in result["suggestions"])


def test_the_page_lists_the_examples(client: TestClient) -> None:
    page = client.get("/new").text
    assert all(f"/new?example={e.id}" in page and e.title in page for e in examples())


def test_an_example_stands_in_the_form(client: TestClient) -> None:
    page = client.get("/new?example=progress").text
    assert "Type 2 diabetes with diabetic polyneuropathy" in page
    assert 'value="2026-03-02"' in page


@pytest.mark.parametrize("path", ["/", "/docs", "/new?example=operative", "/reviews/1"])
def test_pages_have_no_inline_script_or_style_and_nothing_from_outside(client: TestClient, path: str) -> None:
    page = client.get(path).text
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:", page)
    assert not re.search(r"(src|href)=\"(https?:)?//", page)


@pytest.mark.parametrize("path", ["/", "/v1/codes?q=gout", "/static/js/new.js", "/nowhere"])
def test_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] in ("no-store", "no-cache")


def test_a_page_names_its_modules_and_a_browser_keeps_them(client: TestClient) -> None:
    page = client.get("/reviews/1").text
    named = set(re.findall(r'href="(/static/[0-9a-f]{12}/js/[^"]+)"', page))
    assert any(name.endswith("/js/review/workspace.js") for name in named)
    for path in named:
        answer = client.get(path)
        assert "immutable" in answer.headers["cache-control"]
        for imported in re.findall(r'from "(\.[^"]+)"', answer.text):
            assert urljoin(path, imported) in named
    assert client.get("/static/000000000000/js/api.js").status_code == 404


def test_scripts_set_text_only_as_text() -> None:
    for script in (WEB / "static" / "js").rglob("*.js"):
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", script.read_text("utf-8")
        ), script

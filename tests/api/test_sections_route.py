"""The outline of a note over the API."""

from __future__ import annotations

from fastapi.testclient import TestClient

TEXT = "🩺 Seen today.\nHPI: cough.\nAssessment: Gout.\n"


def test_sections_have_their_headings_and_places(client: TestClient) -> None:
    found = client.post("/v1/sections", json={"text": TEXT}).json()
    assert [(s["kind"], s["title"], TEXT[s["start"] :][:3]) for s in found] == [
        ("hpi", "HPI", "HPI"),
        ("assessment", "Assessment", "Ass"),
    ]


def test_sections_of_an_encounter_name_their_document(client: TestClient) -> None:
    documents = [{"id": "a", "text": "HPI: cough."}, {"id": "b", "text": "Plan: rest."}]
    found = client.post("/v1/sections", json={"documents": documents}).json()
    assert [(s["document"], s["kind"]) for s in found] == [("a", "hpi"), ("b", "plan")]


def test_an_empty_note_is_refused(client: TestClient) -> None:
    assert client.post("/v1/sections", json={"text": " "}).status_code == 422

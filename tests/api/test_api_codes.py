"""GET /v1/codes and /v1/codes/{system}/{code}."""

from __future__ import annotations

from fastapi.testclient import TestClient


def test_search_gives_a_list_best_first(client: TestClient) -> None:
    hits = client.get("/v1/codes", params={"q": "type 2 diabetes", "limit": 5}).json()
    assert 0 < len(hits) <= 5
    assert all(list(hit) == ["system", "code", "display", "score"] for hit in hits)
    assert "E11.9" in {hit["code"] for hit in hits}
    assert hits == sorted(hits, key=lambda hit: -hit["score"])


def test_search_in_one_system_on_one_day(client: TestClient) -> None:
    params = {"q": "knee", "system": "icd-10-cm", "date_of_service": "2026-03-02"}
    hits = client.get("/v1/codes", params=params).json()
    assert hits and {hit["system"] for hit in hits} == {"icd-10-cm"}


def test_a_code_with_its_notes(client: TestClient) -> None:
    entry = client.get("/v1/codes/icd-10-cm/E11.9").json()
    assert entry["display"] == "Type 2 diabetes mellitus without complications"
    assert entry["billable"] is True
    assert entry["parent"] == "E11"
    assert entry.keys() >= {"valid_from", "valid_to", "children", "notes", "source"}


def test_a_category_is_not_billable_and_has_children(client: TestClient) -> None:
    entry = client.get("/v1/codes/icd-10-cm/E11").json()
    assert entry["billable"] is False
    assert "E11.9" in entry["children"]


def test_a_code_may_be_written_in_lower_case(client: TestClient) -> None:
    assert client.get("/v1/codes/icd-10-cm/e11.9").json()["code"] == "E11.9"

"""Notes are assigned to people who may review them, where the service knows its people."""

from __future__ import annotations

from typing import Any

import pytest
from account_helpers import ADMIN, bearer, new_key, signed_in
from fastapi.testclient import TestClient

NOTE = {"text": "Assessment: gout.", "date_of_service": "2026-03-02"}


@pytest.fixture
def path(with_users: TestClient) -> str:
    number = signed_in(with_users, ADMIN).post("/v1/reviews", json=NOTE).json()["review"]
    return f"/v1/reviews/{number}/assign"


@pytest.mark.parametrize("name", ["anne", " Anne ", "ada", ADMIN, None])
def test_a_note_goes_to_who_may_review(with_users: TestClient, path: str, name: str | None) -> None:
    answer = with_users.post(path, json={"to": name})
    assert answer.status_code == 200, answer.text
    assert answer.json().get("assigned_to") == (name and name.strip().lower())


@pytest.mark.parametrize("name", ["nobody", "anne2", "<script>alert(1)</script>", "local", "key:tests"])
def test_a_name_that_is_nobodys_is_refused(with_users: TestClient, path: str, name: str) -> None:
    with_users.post(path, json={"to": "anne", "priority": 3})
    answer = with_users.post(path, json={"to": name, "priority": 1})
    assert (answer.status_code, answer.json()["code"]) == (422, "assignee-unknown")
    assert "<" not in answer.json()["detail"]
    kept: dict[str, Any] = with_users.get(path.removesuffix("/assign")).json()
    assert (kept["assigned_to"], kept["priority"]) == ("anne", 3)


def test_a_disabled_account_gets_no_notes(with_users: TestClient, path: str) -> None:
    with_users.patch("/v1/users/anne", json={"disabled": True})
    answer = with_users.post(path, json={"to": "anne"})
    assert (answer.status_code, answer.json()["code"]) == (422, "assignee-unknown")
    assert "disabled" in answer.json()["detail"]


def test_a_coder_and_a_program_take_notes_for_themselves(with_users: TestClient, path: str) -> None:
    key = new_key(with_users, "robot", ["reviews:read", "reviews:write"])
    taken = with_users.post(path, json={"to": "key:robot"}, headers=bearer(key))
    assert taken.status_code == 200 and taken.json()["assigned_to"] == "key:robot", taken.text
    signed_in(with_users, "anne")
    assert with_users.post(path, json={"to": "anne"}).status_code == 200
    assert with_users.post(path, json={"to": "ada"}).json()["code"] == "forbidden"

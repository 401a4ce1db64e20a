"""Keys of programs, and other bearer tokens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from account_helpers import ADMIN, audit, bearer, new_key, signed_in, trail_text
from fastapi import Request
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from api.store.accounts import ApiKeyRow
from api.store.base import now
from api.store.database import Database
from api.users import User

NOTE = {"text": "Assessment: gout.", "date_of_service": "2026-03-02"}


@pytest.fixture
def admin(with_users: TestClient) -> TestClient:
    return signed_in(with_users, ADMIN)


def asks(client: TestClient, key: str, path: str = "/v1/session") -> Any:
    client.cookies.clear()
    return client.get(path, headers=bearer(key))


def test_a_key_is_shown_once_and_kept_hashed(admin: TestClient) -> None:
    key = new_key(admin, "ehr", ["suggest"])
    assert key.startswith("ca_") and len(key) == 3 + 12 + 1 + 43
    assert "key" not in admin.get("/v1/keys").json()[0]
    database: Database = admin.app.state.database  # type: ignore[attr-defined]
    with database.reading() as session:
        kept = session.scalars(select(ApiKeyRow)).one()
    assert key.split("_", 2)[2] not in f"{kept.id} {kept.secret_hash} {kept.name}" and len(kept.secret_hash) == 64
    assert key.split("_", 2)[2] not in trail_text(admin)


def test_a_key_lets_its_program_in_with_its_scopes_alone(admin: TestClient) -> None:
    key = new_key(admin, "ehr", ["suggest"])
    said = asks(admin, key).json()
    assert said == {
        "name": "key:ehr", "roles": ["service"], "scopes": ["suggest"], "signed_in_by": "key", "minutes_left": None,
    }  # fmt: skip
    assert admin.post("/v1/suggestions", json=NOTE, headers=bearer(key)).status_code == 200
    assert admin.get("/v1/exports/codes", headers=bearer(key)).status_code == 403


def test_what_a_key_does_stands_in_the_trail_under_its_name(admin: TestClient) -> None:
    key = new_key(admin, "ehr", ["reviews:write"])
    admin.cookies.clear()
    assert admin.post("/v1/reviews", json=NOTE, headers=bearer(key)).status_code == 201
    trail = audit(admin)
    assert (ADMIN, "key-created", "key/ehr") in trail
    assert ("key:ehr", "create", "review/1") in trail


REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({"name": "k", "scopes": ["admin"]}, 422, "account-refused"),
    ({"name": "k", "scopes": ["suggest", "reports"]}, 422, "account-refused"),
    ({"name": "k", "scopes": ["exports"], "owner": "anne"}, 422, "account-refused"),
    ({"name": "k", "scopes": ["suggest"], "owner": "nobody"}, 404, "account-unknown"),
    ({"name": "k", "scopes": []}, 422, "invalid-request"),
    ({"name": "k", "scopes": ["everything"]}, 422, "invalid-request"),
    ({"name": "K!", "scopes": ["suggest"]}, 422, "account-refused"),
    ({"name": "k", "scopes": ["suggest"], "expires": "2020-01-01T00:00:00Z"}, 422, "account-refused"),
    ({"name": "k", "scopes": ["suggest"], "expires": "2030-01-01T00:00:00"}, 422, "invalid-request"),
    ({"name": "taken", "scopes": ["suggest"]}, 409, "account-exists"),
]


@pytest.mark.parametrize(("body", "status", "code"), REFUSED, ids=lambda v: str(v)[:40])
def test_a_key_that_is_refused(admin: TestClient, body: dict[str, Any], status: int, code: str) -> None:
    new_key(admin, "taken", ["suggest"])
    response = admin.post("/v1/keys", json=body)
    assert (response.status_code, response.json()["code"]) == (status, code), response.text
    assert len(admin.get("/v1/keys").json()) == 1


def test_an_owner_bounds_the_key_now_and_later(admin: TestClient) -> None:
    key = new_key(admin, "of-ada", ["exports", "suggest"], owner="ada")
    assert asks(admin, key, "/v1/exports/codes").status_code == 200
    signed_in(admin, ADMIN).patch("/v1/users/ada", json={"roles": ["coder"]})
    assert asks(admin, key).json()["scopes"] == ["suggest"]
    signed_in(admin, ADMIN).patch("/v1/users/ada", json={"disabled": True})
    assert asks(admin, key).status_code == 401


def test_an_administrators_key_may_administer_but_gives_no_more_than_it_has(admin: TestClient) -> None:
    key = new_key(admin, "ops", ["admin"], owner=ADMIN)
    admin.cookies.clear()
    more = admin.post("/v1/keys", json={"name": "more", "scopes": ["suggest"]}, headers=bearer(key))
    assert more.json()["code"] == "account-refused"
    assert admin.get("/v1/users", headers=bearer(key)).status_code == 200


def test_a_key_that_expired_or_was_revoked_lets_nobody_in(admin: TestClient) -> None:
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    key = new_key(admin, "ehr", ["suggest"], expires=soon)
    assert asks(admin, key).status_code == 200
    database: Database = admin.app.state.database  # type: ignore[attr-defined]
    with database.writing() as session:
        session.execute(update(ApiKeyRow).values(expires=now() - timedelta(seconds=1)))
    assert asks(admin, key).json()["code"] == "unauthenticated"
    other = new_key(signed_in(admin, ADMIN), "other", ["suggest"])
    assert admin.delete("/v1/keys/other").status_code == 204
    assert asks(admin, other).status_code == 401
    assert (ADMIN, "key-revoked", "key/other") in audit(admin)
    signed_in(admin, ADMIN)
    assert admin.delete("/v1/keys/other").status_code == 204, "again changes nothing"
    assert admin.delete("/v1/keys/nothing").json()["code"] == "account-unknown"
    assert audit(admin).count((ADMIN, "key-revoked", "key/other")) == 1


def test_the_last_use_is_kept(admin: TestClient) -> None:
    key = new_key(admin, "ehr", ["suggest"])
    assert admin.get("/v1/keys").json()[0]["last_used"] is None
    asks(admin, key)
    assert signed_in(admin, ADMIN).get("/v1/keys").json()[0]["last_used"] is not None


def test_no_part_of_a_key_can_be_wrong(admin: TestClient) -> None:
    key = new_key(admin, "ehr", ["suggest"])
    prefix, number, secret = key.split("_", 2)
    other = ("B" if secret[5] == "A" else "A").join((secret[:5], secret[6:]))
    for wrong in (
        "", "ca_", key[:-1], key + "A", key.upper(), f"{prefix}_{'0' * 12}_{secret}", f"{prefix}_{number}_{other}",
        f"cb_{number}_{secret}", f"{number}_{secret}", f"{key} {key}", secret, "x" * 10_000,
    ):  # fmt: skip
        response = asks(admin, wrong)
        assert response.status_code == 401, wrong
        assert "invalid_token" in response.headers["www-authenticate"]
    assert asks(admin, key).status_code == 200


def test_a_wrong_key_is_refused_beside_a_good_cookie(admin: TestClient) -> None:
    assert admin.get("/v1/session").status_code == 200
    assert admin.get("/v1/session", headers=bearer("ca_wrong")).status_code == 401


def test_another_kind_of_token_joins_in(with_users: TestClient) -> None:
    async def authenticate(request: Request, token: str) -> User | None:
        return User("smart:app", frozenset({"suggest"}), (), "token") if token == "a.b.c" else None

    with_users.app.state.bearer_authenticators.insert(0, authenticate)  # type: ignore[attr-defined]
    said = with_users.get("/v1/session", headers=bearer("a.b.c")).json()
    assert (said["name"], said["signed_in_by"], said["scopes"]) == ("smart:app", "token", ["suggest"])
    assert with_users.get("/v1/reviews", headers=bearer("a.b.c")).status_code == 403
    assert with_users.get("/v1/session", headers=bearer("a.b.d")).status_code == 401

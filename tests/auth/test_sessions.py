"""Sessions: how long they last, how they end, and what another site's page can't do with them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from account_helpers import ADMIN, audit, bearer, new_key, sign_in, signed_in
from fastapi.testclient import TestClient
from sqlalchemy import update

from api.store.accounts import SessionRow
from api.store.base import now
from api.store.database import Database

NOTE = {"text": "Assessment: gout.", "date_of_service": "2026-03-02"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def age(client: TestClient, **columns: timedelta) -> None:
    """Make all sessions older."""
    database: Database = client.app.state.database  # type: ignore[attr-defined]
    with database.writing() as session:
        session.execute(update(SessionRow).values({name: now() - by for name, by in columns.items()}))


@pytest.mark.parametrize(
    ("columns", "status"),
    [
        ({"last_used": timedelta(minutes=29)}, 200),
        ({"last_used": timedelta(minutes=31)}, 401),
        ({"created": timedelta(hours=11, minutes=59)}, 200),
        ({"created": timedelta(hours=12, minutes=1)}, 401),
    ],
)
def test_a_session_ends_without_requests_and_in_any_case(
    with_users: TestClient, columns: dict[str, timedelta], status: int
) -> None:
    signed_in(with_users, "anne")
    age(with_users, **columns)
    response = with_users.post("/v1/suggestions", json=NOTE)
    assert response.status_code == status
    if status == 401:
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["code"] == "unauthenticated" and "30 minutes" in response.json()["detail"]
        assert response.headers["www-authenticate"].startswith("Bearer")


def test_requests_make_a_session_last_and_asking_who_one_is_does_not(with_users: TestClient) -> None:
    signed_in(with_users, "anne")
    age(with_users, last_used=timedelta(minutes=20))
    assert 9 < with_users.get("/v1/session").json()["minutes_left"] < 10.1
    assert with_users.get("/v1/session").json()["minutes_left"] < 10.1
    with_users.get("/v1/codes?q=gout")
    assert with_users.get("/v1/session").json()["minutes_left"] > 29.9


def test_the_absolute_end_bounds_the_minutes_left(with_users: TestClient) -> None:
    signed_in(with_users, "anne")
    age(with_users, created=timedelta(hours=11, minutes=50))
    assert 9 < with_users.get("/v1/session").json()["minutes_left"] < 10.1


def test_sign_out_ends_this_session_and_everywhere_ends_all(with_users: TestClient) -> None:
    cookies = []
    for _ in range(3):
        signed_in(with_users, "anne")
        cookies.append(dict(with_users.cookies))
    assert with_users.delete("/v1/session").status_code == 204
    assert "codeassist-session" not in with_users.cookies, "the cookie is taken away"

    def status(which: int) -> int:
        with_users.cookies.clear()
        with_users.cookies.update(cookies[which])
        return with_users.get("/v1/session").status_code

    assert [status(i) for i in range(3)] == [200, 200, 401]
    status(0)
    assert with_users.delete("/v1/session?everywhere=true").status_code == 204
    assert [status(i) for i in range(3)] == [401, 401, 401]
    assert audit(with_users).count(("anne", "logout", "user/anne")) == 2


def test_disabling_a_user_ends_the_sessions(with_users: TestClient) -> None:
    signed_in(with_users, "anne")
    cookie = dict(with_users.cookies)
    signed_in(with_users, ADMIN).patch("/v1/users/anne", json={"disabled": True})
    with_users.cookies.clear()
    with_users.cookies.update(cookie)
    assert with_users.get("/v1/session").status_code == 401
    assert sign_in(with_users, "anne").json()["code"] == "sign-in-failed"


def test_roles_that_change_hold_at_once(with_users: TestClient) -> None:
    signed_in(with_users, "anne")
    cookie = dict(with_users.cookies)
    assert with_users.get("/v1/exports/codes").status_code == 403
    signed_in(with_users, ADMIN).patch("/v1/users/anne", json={"roles": ["auditor"]})
    with_users.cookies.clear()
    with_users.cookies.update(cookie)
    assert with_users.get("/v1/exports/codes").status_code == 200


@pytest.mark.parametrize("token", ["", "x", "x" * 43, "é" * 43, "' OR 1=1 --", "a" * 5000])
def test_a_token_that_is_none_lets_nobody_in(with_users: TestClient, token: str) -> None:
    headers = {"Cookie": f"codeassist-session={token}".encode()}
    assert with_users.get("/v1/session", headers=headers).status_code == 401  # type: ignore[arg-type]


def test_over_https_the_cookie_is_secure_and_bound_to_the_host(site: Any) -> None:
    with site(users={"anne": ["administrator"]}, base_url="https://codes.example") as client:
        cookie = sign_in(client, "anne").headers["set-cookie"]
        assert cookie.startswith("__Host-codeassist-session=") and "Secure" in cookie and "Path=/" in cookie
        assert client.get("/v1/session").status_code == 200


def test_without_https_elsewhere_than_here_the_cookie_is_secure_all_the_same(site: Any) -> None:
    with site(users={"anne": ["administrator"]}, base_url="http://codes.example") as client:
        assert "Secure" in sign_in(client, "anne").headers["set-cookie"]
        assert "https://" in client.get("/sign-in").text


CROSS_SITE: list[tuple[str, dict[str, str]]] = [
    ("another site", {"Sec-Fetch-Site": "cross-site"}),
    ("another port of this machine", {"Sec-Fetch-Site": "same-site"}),
    ("another site, an old browser", {"Origin": "https://elsewhere.example"}),
    ("another port, an old browser", {"Origin": "http://127.0.0.1:3000"}),
    ("a page of a file or sandbox", {"Origin": "null"}),
    ("a name that begins like this one", {"Origin": "http://127.0.0.1.elsewhere.example"}),
    ("a form of text", {"Content-Type": "text/plain"}),
    ("a form", FORM),
    ("a form of files", {"Content-Type": "multipart/form-data; boundary=x"}),
    ("no content type", {"Content-Type": ""}),
]


@pytest.mark.parametrize(("who", "headers"), CROSS_SITE, ids=[who for who, _ in CROSS_SITE])
def test_a_request_of_another_site_changes_nothing(with_users: TestClient, who: str, headers: dict[str, str]) -> None:
    signed_in(with_users, ADMIN)
    body = b'{"text": "Assessment: gout."}'
    sent = {"Content-Type": "application/json", **headers}
    response = with_users.post("/v1/reviews", content=body, headers=sent)
    assert response.status_code == 403 and response.json()["code"] == "cross-site", who
    assert not [action for _, action, _ in audit(with_users) if action == "create"]


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1"}, {"Origin": "http://127.0.0.1"}, {}],
    ids=["a browser", "an old browser", "a program"],
)
def test_the_own_pages_and_programs_pass(with_users: TestClient, headers: dict[str, str]) -> None:
    signed_in(with_users, "anne")
    assert with_users.post("/v1/suggestions", json=NOTE, headers=headers).status_code == 200


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_checked_too(with_users: TestClient, method: str) -> None:
    signed_in(with_users, ADMIN)
    path = {"put": "/v1/session/password", "patch": "/v1/users/anne", "delete": "/v1/session"}[method]
    response = with_users.request(method, path, headers={"Sec-Fetch-Site": "cross-site"})
    assert response.json()["code"] == "cross-site"


def test_nobody_is_signed_in_as_somebody_else_by_another_site(with_users: TestClient) -> None:
    assert sign_in(with_users, "anne", headers={"Sec-Fetch-Site": "cross-site"}).json()["code"] == "cross-site"
    form = {"name": "anne", "password": "x"}
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}, {}):
        assert with_users.post("/sign-in", data=form, headers=headers).json()["code"] == "cross-site"


def test_nobody_is_signed_out_by_another_site(with_users: TestClient) -> None:
    signed_in(with_users, "anne")
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}, {}):
        assert with_users.post("/sign-out", headers=headers).json()["code"] == "cross-site"
    assert with_users.get("/v1/session").status_code == 200
    assert with_users.post("/sign-out", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 303
    assert with_users.get("/v1/session").status_code == 401


def test_a_key_needs_no_check_of_its_origin(with_users: TestClient) -> None:
    key = new_key(signed_in(with_users, ADMIN), "ehr", ["suggest"])
    with_users.cookies.clear()
    headers = {**bearer(key), "Origin": "https://elsewhere.example"}
    assert with_users.post("/v1/suggestions", json=NOTE, headers=headers).status_code == 200

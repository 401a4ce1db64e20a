"""Sign-in with a password: right, wrong, locked, throttled; and nothing of it told or kept that should not be."""

from __future__ import annotations

import logging
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from account_helpers import ADMIN, PASSWORD, audit, bearer, sign_in, signed_in, trail_text
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from api.auth.passwords import Passwords
from api.store.accounts import AttemptRow, SessionRow, UserRow
from api.store.base import now
from api.store.database import Database


def database_of(client: TestClient) -> Database:
    database: Database = client.app.state.database  # type: ignore[attr-defined]
    return database


def user_row(client: TestClient, name: str) -> UserRow:
    with database_of(client).reading() as session:
        return session.scalars(select(UserRow).where(UserRow.name == name)).one()


def test_sign_in_gives_a_cookie_and_says_who_it_is(with_users: TestClient) -> None:
    response = sign_in(with_users, " Anne ")
    assert response.status_code == 200
    said = response.json()
    assert (said["name"], said["roles"], said["signed_in_by"]) == ("anne", ["coder"], "password")
    assert said["scopes"] == ["suggest", "reviews:read", "reviews:write"]
    assert said["minutes_left"] == 30
    cookie = response.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/" in cookie
    assert "Secure" not in cookie and "Max-Age" not in cookie and "Domain" not in cookie
    assert with_users.get("/v1/session").json()["name"] == "anne"
    assert ("anne", "login", "user/anne") in audit(with_users)


def test_the_token_is_kept_as_a_hash_of_256_bits(with_users: TestClient) -> None:
    signed_in(with_users, "anne")
    token = with_users.cookies["codeassist-session"]
    assert len(token) == 43
    with database_of(with_users).reading() as session:
        kept = session.scalars(select(SessionRow.token_hash)).one()
    assert token not in kept and len(kept) == 64


@pytest.mark.parametrize(
    ("name", "password"),
    [("anne", "wrong"), ("nobody", PASSWORD), ("anne", PASSWORD + " "), ("anne", PASSWORD.upper()), ("", "x"),
     ("anne\0", PASSWORD), ("x" * 1000, PASSWORD), ("'; DROP TABLE users; --", PASSWORD), ("😀", "😀")],
)  # fmt: skip
def test_every_wrong_sign_in_has_the_same_answer(with_users: TestClient, name: str, password: str) -> None:
    response = sign_in(with_users, name, password)
    assert response.status_code == 401 and response.json()["code"] == "sign-in-failed"
    assert "set-cookie" not in response.headers
    usual = sign_in(with_users, "ada", "wrong").json()
    assert {**response.json(), "instance": ""} == {**usual, "instance": ""}


def test_five_failures_lock_the_account_and_the_right_password_does_not_open_it(with_users: TestClient) -> None:
    for _ in range(4):
        assert sign_in(with_users, "anne", "wrong").status_code == 401
    assert user_row(with_users, "anne").locked_until is None
    sign_in(with_users, "anne", "wrong")
    assert sign_in(with_users, "anne").json()["code"] == "sign-in-failed"
    assert audit(with_users).count(("anne", "lock", "user/anne")) == 1
    with database_of(with_users).writing() as session:
        session.execute(update(UserRow).values(locked_until=now() - timedelta(seconds=1)))
    assert sign_in(with_users, "anne").status_code == 200, "the lock has run out"
    assert user_row(with_users, "anne").failures == 0


def test_a_success_begins_the_count_anew(with_users: TestClient) -> None:
    for _ in range(2):
        for _ in range(4):
            sign_in(with_users, "anne", "wrong")
        assert sign_in(with_users, "anne").status_code == 200


def test_an_administrator_unlocks(with_users: TestClient) -> None:
    for _ in range(5):
        sign_in(with_users, "anne", "wrong")
    changed = signed_in(with_users, ADMIN).patch("/v1/users/anne", json={"unlock": True})
    assert changed.status_code == 200 and changed.json()["locked_until"] is None
    assert sign_in(with_users, "anne").status_code == 200
    assert (ADMIN, "unlock", "user/anne") in audit(with_users)


def test_many_at_once_try_no_more_passwords_than_the_limit(site: Any) -> None:
    with site(users={"anne": ["administrator"]}, attempts_per_name=1000, attempts_per_address=1000) as client:
        looked: list[str | None] = []
        desk = client.app.state.desk
        verify = desk.passwords.verify

        def slow(kept: str | None, password: str) -> bool:
            looked.append(kept)
            time.sleep(0.02)
            return bool(verify(kept, password))

        desk.passwords.verify = slow
        with ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(lambda _: sign_in(client, "anne", "wrong").status_code, range(24)))
    assert set(answers) == {401}
    assert sum(kept is not None for kept in looked) == 5, "the others were checked against a dummy"


def test_an_unknown_name_takes_as_long_as_a_wrong_password(site: Any) -> None:
    limits = {"attempts_per_name": 1000, "attempts_per_address": 1000, "failures_before_lock": 1000}
    with site(users={"anne": ["administrator"]}, argon2_passes=2, argon2_memory_kib=32_768, **limits) as client:
        hashed = client.app.state.desk.passwords.hash(PASSWORD)
        with database_of(client).writing() as session:
            session.execute(update(UserRow).values(password=hashed))

        def seconds(name: str) -> float:
            started = time.perf_counter()
            sign_in(client, name, "wrong")
            return time.perf_counter() - started

        pairs = [(seconds("anne"), seconds("nobody")) for _ in range(12)]
    known, unknown = (statistics.median(column) for column in zip(*pairs, strict=True))
    assert 0.6 < known / unknown < 1.6, (known, unknown)


def test_a_name_is_throttled_with_the_seconds_to_wait(with_users: TestClient) -> None:
    for _ in range(10):
        assert sign_in(with_users, "nobody", "wrong").status_code == 401
    refused = sign_in(with_users, "nobody", "wrong")
    assert refused.status_code == 429 and refused.json()["code"] == "too-many-attempts"
    assert 1 <= int(refused.headers["retry-after"]) <= 300
    assert sign_in(with_users, "anne").status_code == 200, "another name is not"
    with database_of(with_users).writing() as session:
        session.execute(update(AttemptRow).values(time=now() - timedelta(minutes=6)))
    assert sign_in(with_users, "nobody", "wrong").status_code == 401, "the time has run out"


def test_an_address_is_throttled_whatever_the_names(site: Any) -> None:
    with site(users={"anne": ["administrator"]}, attempts_per_address=6) as client:
        assert [sign_in(client, f"n{i}", "x").status_code for i in range(7)] == [401] * 6 + [429]
        assert sign_in(client, "anne").status_code == 429


def test_successes_do_not_throttle(site: Any) -> None:
    with site(users={"anne": ["administrator"]}, attempts_per_address=3) as client:
        assert {sign_in(client, "anne").status_code for _ in range(8)} == {200}


def test_neither_trail_nor_log_nor_database_nor_answer_has_a_password(
    with_users: TestClient, caplog: pytest.LogCaptureFixture, tmp_path: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    secrets = ["zebra-wrong-one", "zebra-as-a-name", "zebra quiet boats at noon"]
    answers = [
        sign_in(with_users, "anne", secrets[0]),
        sign_in(with_users, secrets[1], "x"),
        with_users.post("/v1/session", json={"name": "anne", "password": secrets[0], "otp": 1}),
        with_users.post("/v1/session", json={"name": "anne", "password": [secrets[0]]}),
    ]
    signed_in(with_users, "anne")
    new = {"current": PASSWORD, "new": secrets[2]}
    assert with_users.put("/v1/session/password", json=new).status_code == 204
    token = with_users.cookies["codeassist-session"]
    text = caplog.text + trail_text(with_users) + "".join(a.text for a in answers)
    assert "zebra" not in text and PASSWORD not in text and token not in text
    files = b"".join(f.read_bytes() for f in tmp_path.glob("accounts.sqlite3*"))
    assert b"zebra" not in files and token.encode() not in files


def test_a_hash_of_other_parameters_is_made_anew_at_sign_in(site: Any) -> None:
    with site(users={"anne": ["administrator"]}, argon2_passes=2, argon2_memory_kib=128) as client:
        before = user_row(client, "anne").password
        assert before is not None and "m=64,t=1" in before
        assert sign_in(client, "anne").status_code == 200
        after = user_row(client, "anne").password
        assert after is not None and after.startswith("$argon2id$") and "m=128,t=2" in after
        assert Passwords(2, 128).verify(after, PASSWORD)
        assert sign_in(client, "anne").status_code == 200


def test_one_changes_ones_own_password_and_other_sessions_end(with_users: TestClient) -> None:
    signed_in(with_users, "anne")
    elsewhere = dict(with_users.cookies)
    signed_in(with_users, "anne")
    changed = with_users.put("/v1/session/password", json={"current": PASSWORD, "new": "seven quiet boats at noon"})
    assert changed.status_code == 204
    assert with_users.get("/v1/session").status_code == 200, "this session goes on"
    with_users.cookies.clear()
    with_users.cookies.update(elsewhere)
    assert with_users.get("/v1/session").json()["code"] == "unauthenticated"
    assert sign_in(with_users, "anne").status_code == 401
    assert sign_in(with_users, "anne", "seven quiet boats at noon").status_code == 200
    assert ("anne", "password-changed", "user/anne") in audit(with_users)


@pytest.mark.parametrize(
    ("body", "code"),
    [({"current": "wrong", "new": "seven quiet boats at noon"}, "sign-in-failed"),
     ({"current": PASSWORD, "new": "short"}, "account-refused"),
     ({"current": PASSWORD, "new": ""}, "invalid-request")],
)  # fmt: skip
def test_a_change_of_password_that_is_refused(with_users: TestClient, body: dict[str, str], code: str) -> None:
    signed_in(with_users, "anne")
    assert with_users.put("/v1/session/password", json=body).json()["code"] == code
    assert sign_in(with_users, "anne").status_code == 200


def test_guessing_the_current_password_in_a_session_locks_too(with_users: TestClient) -> None:
    signed_in(with_users, "anne")
    for _ in range(5):
        with_users.put("/v1/session/password", json={"current": "wrong", "new": "seven quiet boats at noon"})
    assert user_row(with_users, "anne").locked_until is not None


def test_a_key_has_no_password_to_change(with_users: TestClient) -> None:
    key = signed_in(with_users, ADMIN).post("/v1/keys", json={"name": "ehr", "scopes": ["suggest"]}).json()["key"]
    body = {"current": PASSWORD, "new": "seven quiet boats at noon"}
    assert with_users.put("/v1/session/password", json=body, headers=bearer(key)).json()["code"] == "forbidden"

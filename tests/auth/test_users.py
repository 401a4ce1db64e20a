"""Administration of users, over the API and on the command line; and the rules for passwords and names."""

from __future__ import annotations

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from account_helpers import ADMIN, HASHES, PASSWORD, add_user, audit, bearer, new_key, sign_in, signed_in
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from api.auth import accounts
from api.auth.commands import app
from api.auth.errors import AccountError, LastAdministrator
from api.auth.pages import local_path
from api.auth.passwords import check_password, common_passwords
from api.store.database import Database

NEW = {"name": "ben", "password": "seven quiet boats at noon", "roles": ["coder", "auditor"]}


@pytest.fixture
def admin(with_users: TestClient) -> TestClient:
    return signed_in(with_users, ADMIN)


def test_an_administrator_adds_a_user_who_signs_in(admin: TestClient) -> None:
    added = admin.post("/v1/users", json={**NEW, "name": " Ben "})
    assert added.status_code == 201
    said = added.json()
    assert (said["name"], said["roles"], said["source"], said["disabled"]) == (
        "ben",
        ["coder", "auditor"],
        "local",
        False,
    )
    assert "password" not in added.text
    assert [u["name"] for u in admin.get("/v1/users").json()] == ["ada", "anne", "ben", ADMIN, "serena"]
    assert sign_in(admin, "ben", NEW["password"]).status_code == 200
    assert (ADMIN, "user-created", "user/ben") in audit(admin)


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"name": "anne"}, 409, "account-exists"),
        ({"name": "ANNE"}, 409, "account-exists"),
        ({"name": "local"}, 422, "account-refused"),
        ({"name": "key:ehr"}, 422, "account-refused"),
        ({"name": "<script>"}, 422, "account-refused"),
        ({"name": "anne\u0430"}, 422, "account-refused"),
        ({"name": ""}, 422, "invalid-request"),
        ({"name": "b" * 101}, 422, "invalid-request"),
        ({"roles": []}, 422, "invalid-request"),
        ({"roles": ["surgeon"]}, 422, "invalid-request"),
        ({"password": "short"}, 422, "account-refused"),
        ({"password": "ben123456789"}, 422, "account-refused"),
        ({"password": "Password2026!"}, 422, "account-refused"),
        ({"password": "x" * 1025}, 422, "invalid-request"),
        ({"admin": True}, 422, "invalid-request"),
    ],
    ids=lambda v: str(v)[:40],
)
def test_a_user_that_is_refused(admin: TestClient, changed: dict[str, Any], status: int, code: str) -> None:
    response = admin.post("/v1/users", json={**NEW, **changed})
    assert (response.status_code, response.json()["code"]) == (status, code), response.text
    assert len(admin.get("/v1/users").json()) == 4


def test_an_administrator_sets_a_password_and_the_old_one_is_gone(admin: TestClient) -> None:
    assert admin.patch("/v1/users/anne", json={"password": NEW["password"]}).status_code == 200
    assert sign_in(admin, "anne").status_code == 401
    assert sign_in(admin, "anne", str(NEW["password"])).status_code == 200


def test_disabled_and_enabled_again(admin: TestClient) -> None:
    assert admin.patch("/v1/users/anne", json={"disabled": True}).json()["disabled"] is True
    assert sign_in(admin, "anne").status_code == 401
    assert admin.patch("/v1/users/anne", json={"disabled": False}).json()["disabled"] is False
    assert sign_in(admin, "anne").status_code == 200


@pytest.mark.parametrize("body", [{"disabled": True}, {"roles": ["coder"]}])
def test_the_last_administrator_stays(admin: TestClient, body: dict[str, Any]) -> None:
    refused = admin.patch(f"/v1/users/{ADMIN}", json=body)
    assert refused.status_code == 409 and refused.json()["code"] == "last-administrator"
    admin.patch("/v1/users/anne", json={"roles": ["administrator"]})
    assert admin.patch(f"/v1/users/{ADMIN}", json=body).status_code == 200, "another one is there"


def test_a_change_is_done_whole_or_not_at_all(admin: TestClient) -> None:
    body = {"password": NEW["password"], "unlock": True, "disabled": True}
    assert admin.patch(f"/v1/users/{ADMIN}", json=body).status_code == 409
    assert sign_in(admin, ADMIN).status_code == 200, "the password is the old one"


def test_an_unknown_user_is_not_changed(admin: TestClient) -> None:
    assert admin.patch("/v1/users/nobody", json={"unlock": True}).json()["code"] == "account-unknown"


def test_two_administrators_do_not_shut_each_other_out(accounts_database: Database) -> None:
    for name in ("anne", "ben"):
        add_user(accounts_database, name, ["administrator"])

    def shut_out(name: str) -> bool:
        try:
            with accounts_database.writing() as session:
                accounts.set_disabled(session, "x", accounts.find(session, name), True)
        except LastAdministrator:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(shut_out, ("anne", "ben"))) == [False, True]


@pytest.mark.parametrize(
    "password",
    ["", "elevenchars", "Password2026", "!!password!!123", "annebaker1234", "aaaaaaaaaaaa", "abababababab",
     "123456789012", "qwertyuiopasdfgh", "correct horse battery staple", "ｐａｓｓｗｏｒｄ１２３４", "x" * 1025],
)  # fmt: skip
def test_passwords_that_are_refused(password: str) -> None:
    with pytest.raises(AccountError) as refused:
        check_password(password, "annebaker")
    assert not password or password not in str(refused.value)


@pytest.mark.parametrize(
    "password",
    [
        PASSWORD,
        "annebaker sails on fridays",
        "пять тихих лодок",
        "😀🐳🚲🌵🏔🎺🧭🪁🍋🦉🎲🧵",
        "k7#Vq!z92LmX",
        "x y" * 5 + "abcdef",
    ],
)
def test_passwords_that_are_taken(password: str) -> None:
    check_password(password, "annebaker")


def test_the_list_of_common_passwords_is_in_the_form_in_which_it_is_asked() -> None:
    assert len(common_passwords()) > 100
    assert all(line == line.strip().casefold() and " " not in line for line in common_passwords())


@settings(max_examples=30, deadline=None)
@given(st.text(min_size=1, max_size=60), st.text(min_size=1, max_size=60))
def test_a_hash_is_of_its_password_alone(one: str, other: str) -> None:
    try:
        kept = HASHES.hash(one)
    except UnicodeEncodeError:
        return
    assert HASHES.verify(kept, one)
    assert HASHES.verify(None, one) is False
    assert other == one or not HASHES.verify(kept, other + "x")


@given(st.text(max_size=80))
def test_after_sign_in_one_stays_at_this_service(text: str) -> None:
    path = local_path(text)
    assert path == "/" or (path.startswith("/") and path[1:2] not in ("/", "\\"))


@pytest.mark.parametrize(
    "text", ["//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example", "", None]
)
def test_after_sign_in_nobody_is_led_elsewhere(text: str | None) -> None:
    assert local_path(text) == "/"


@pytest.fixture
def command(database_url: str) -> Any:
    """Gives ``command(*arguments, stdin="")``: its exit status, and what it printed or the message of its error."""

    def ran(*arguments: str, stdin: str = "") -> tuple[int, str]:
        environment = {
            "CODEASSIST_DATABASE_URL": database_url,
            "CODEASSIST_ARGON2_PASSES": "1",
            "CODEASSIST_ARGON2_MEMORY_KIB": "64",
        }
        done = CliRunner().invoke(app, list(arguments), input=stdin, env=environment)
        return done.exit_code, done.output + (str(done.exception) if done.exception else "")

    return ran


def test_the_command_line_administers_users(command: Any, site: Any) -> None:
    first = command("users", "add", "anne", "--role", "coder", stdin=PASSWORD + "\n")
    assert first[0] == 1 and "administrator" in first[1]
    assert command("users", "add", "Anne", "--role", "administrator", stdin=PASSWORD + "\n")[0] == 0
    assert command("users", "add", "ben", "--role", "coder", "--role", "auditor", stdin=PASSWORD)[0] == 0
    for arguments, says in (
        (("users", "add", "ben", "--role", "coder"), "ben already"),
        (("users", "add", "eve", "--role", "surgeon"), "surgeon"),
        (("users", "disable", "anne"), "last administrator"),
        (("users", "roles", "anne", "--role", "coder"), "last administrator"),
        (("users", "disable", "nobody"), "no user"),
    ):
        status, said = command(*arguments, stdin=PASSWORD)
        assert status != 0 and says in said, arguments
    assert command("users", "roles", "ben", "--role", "administrator")[0] == 0
    assert command("users", "set-password", "ben", stdin="seven quiet boats at noon\n")[0] == 0
    assert command("users", "disable", "anne") == (0, "anne is disabled\n")
    assert command("users", "enable", "anne") == (0, "anne is enabled\n")
    assert command("users", "unlock", "anne") == (0, "anne is unlocked\n")
    listed = json.loads(command("users", "list", "--format", "json")[1])
    assert [(u["name"], u["roles"]) for u in listed] == [("anne", ["administrator"]), ("ben", ["administrator"])]
    assert "ben" in command("users", "list")[1]
    with site() as client:
        assert sign_in(client, "ben", "seven quiet boats at noon").status_code == 200
        assert any(user.startswith("cli") and action == "user-created" for user, action, _ in audit(client))


def test_the_command_line_administers_keys(command: Any, site: Any) -> None:
    command("users", "add", "anne", "--role", "administrator", stdin=PASSWORD)
    status, key = command(
        "keys", "create", "--name", "ehr", "--scope", "suggest", "--scope", "integrate", "--days", "9"
    )
    assert status == 0 and key.startswith("ca_")
    assert "admin" in command("keys", "create", "--name", "all", "--scope", "admin")[1]
    assert command("keys", "create", "--name", "mine", "--scope", "admin", "--owner", "anne")[0] == 0
    assert key.strip() not in command("keys", "list")[1]
    with site() as client:
        assert client.get("/v1/session", headers=bearer(key.strip())).json()["scopes"] == ["suggest", "integrate"]
        assert command("keys", "revoke", "ehr") == (0, "revoked ehr\n")
        assert client.get("/v1/session", headers=bearer(key.strip())).status_code == 401
    assert [k["name"] for k in json.loads(command("keys", "list", "--format", "json")[1])] == ["ehr", "mine"]
    assert command("keys", "revoke", "nothing")[0] != 0


def test_a_password_is_no_argument(command: Any) -> None:
    assert command("users", "add", "anne", PASSWORD, "--role", "administrator")[0] == 2


def test_wrong_use_ends_with_2_and_tells_what_to_do(run: Any, database_url: str) -> None:
    done: subprocess.CompletedProcess[bytes] = run(
        "users", "add", "anne", "--role", "coder", stdin=b"short\n", CODEASSIST_DATABASE_URL=database_url
    )
    assert done.returncode == 2 and b"administrator" in done.stderr


def test_a_new_key_of_the_api_works_from_the_first_moment(admin: TestClient) -> None:
    key = new_key(admin, "ehr", ["suggest"])
    assert admin.get("/v1/codes?q=gout", headers=bearer(key)).status_code == 200

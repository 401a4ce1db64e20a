"""One local user without sign-in: on this machine alone, under its own names alone, until somebody makes a user."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from account_helpers import ADMIN, PASSWORD, add_user, sign_in, signed_in
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from api import commands
from api.auth.loopback import host_of, is_loopback
from api.store.database import Database

NOTE = {"text": "Assessment: gout.", "date_of_service": "2026-03-02"}
SAYS_SO = "Single local user"


@pytest.fixture
def local(site: Any) -> Iterator[TestClient]:
    with site() as client:
        yield client


def test_the_local_user_works_without_sign_in_and_the_page_says_so(local: TestClient) -> None:
    assert local.post("/v1/suggestions", json=NOTE).status_code == 200
    said = local.get("/v1/session").json()
    assert (said["name"], said["signed_in_by"], said["minutes_left"]) == ("local", "local-mode", None)
    for path in ("/", "/docs", "/?example=progress"):
        assert SAYS_SO in local.get(path).text
    assert local.get("/sign-in").headers["location"] == "/"
    assert local.delete("/v1/session").status_code == 204


def test_the_first_user_ends_it_within_a_second(local: TestClient, accounts_database: Database) -> None:
    assert local.get("/").status_code == 200
    add_user(accounts_database, ADMIN, ["administrator"])
    time.sleep(1.1)
    assert local.post("/v1/suggestions", json=NOTE).json()["code"] == "unauthenticated"
    page = local.get("/?example=progress")
    assert page.status_code == 303 and page.headers["location"] == "/sign-in?next=%2F%3Fexample%3Dprogress"
    assert SAYS_SO not in local.get("/docs").text
    signed_in(local, ADMIN)
    assert "Sign out" in local.get("/").text


def test_a_provider_ends_it_too(site: Any) -> None:
    with site(oidc_issuer="https://provider.example", oidc_client_id="x") as client:
        assert client.get("/v1/codes?q=gout").status_code == 401


def test_disabling_every_user_does_not_bring_it_back(site: Any, accounts_database: Database) -> None:
    add_user(accounts_database, "anne", ["coder"])
    with site() as client:
        assert client.get("/v1/codes?q=gout").status_code == 401


def test_the_api_makes_no_first_user(local: TestClient) -> None:
    body = {"name": "anne", "password": PASSWORD, "roles": ["administrator"]}
    refused = local.post("/v1/users", json=body)
    assert refused.status_code == 409 and "codeassist users add" in refused.json()["detail"]


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.7", "", "0.0.0.0", "[::2]", "é"],
)
def test_a_name_that_is_not_this_machines_is_refused(local: TestClient, host: str) -> None:
    """DNS rebinding: a page whose name its owner lets point at 127.0.0.1 would be of the same origin."""
    for method, path in (("GET", "/"), ("GET", "/v1/reviews"), ("POST", "/v1/suggestions"), ("GET", "/docs")):
        response = local.request(method, path, headers={"Host": host.encode()}, json=NOTE)  # type: ignore[dict-item]
        assert response.status_code == 421 and response.json()["code"] == "host-refused", (host, path)
        assert response.headers["content-security-policy"]


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "LOCALHOST", "[::1]:8000", "127.9.9.9"])
def test_the_names_of_this_machine_pass(local: TestClient, host: str) -> None:
    assert local.get("/v1/codes?q=gout", headers={"Host": host}).status_code == 200


def test_a_monitor_may_ask_under_any_name(local: TestClient) -> None:
    assert local.get("/healthz", headers={"Host": "10.0.0.7:8000"}).status_code == 200
    assert local.get("/readyz", headers={"Host": "10.0.0.7:8000"}).status_code == 200


@pytest.mark.parametrize("peer", ["10.0.0.7", "192.168.1.9", "2001:db8::1", "::ffff:10.0.0.7"])
def test_another_machine_behind_a_proxy_is_refused(site: Any, peer: str) -> None:
    with site(client=(peer, 50000)) as client:
        assert client.get("/").json()["code"] == "host-refused"


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_not(site: Any, peer: str) -> None:
    with site(client=(peer, 50000)) as client:
        assert client.get("/").status_code == 200


def test_names_that_the_settings_allow(site: Any) -> None:
    with site(users={"anne": ["administrator"]}, allowed_hosts=frozenset({"Codes.example"})) as client:
        assert client.get("/docs", headers={"Host": "codes.example:8443"}).status_code == 200
        assert client.get("/docs", headers={"Host": "127.0.0.1"}).status_code == 200
        assert client.get("/docs", headers={"Host": "other.example"}).status_code == 421
    with site(client=("10.0.0.7", 50000)) as client:
        assert client.get("/docs", headers={"Host": "any.example"}).status_code == 200, "with users, and none named"


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
def test_another_sites_page_does_nothing_in_the_name_of_the_local_user(
    local: TestClient, headers: dict[str, str]
) -> None:
    assert local.post("/v1/reviews", json=NOTE, headers=headers).json()["code"] == "cross-site"
    assert local.get("/v1/reviews").json()["reviews"] == []


def test_a_wrong_key_is_refused_although_no_key_is_needed(local: TestClient) -> None:
    assert local.get("/v1/session", headers={"Authorization": "Bearer ca_wrong"}).status_code == 401
    assert local.get("/v1/session", headers={"Authorization": "Basic eDp5"}).status_code == 200


@pytest.mark.parametrize(
    ("text", "name"), [("A.Example:80", "a.example"), ("[::1]", "[::1]"), ("[::1]:80", "[::1]"), ("", "")]
)
def test_the_name_in_a_host_header(text: str, name: str) -> None:
    assert host_of(text) == name


@pytest.mark.parametrize("name", ["127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost", "LocalHost"])
def test_loopback(name: str) -> None:
    assert is_loopback(name)


@pytest.mark.parametrize("name", ["0.0.0.0", "::", "10.0.0.1", "localhost.example", "example", "127.0.0.1.example", ""])
def test_not_loopback(name: str) -> None:
    assert not is_loopback(name)


SERVE = [sys.executable, "-c", "from api.commands import app; app()", "--port", "0"]


def environment(url: str, **more: str) -> dict[str, str]:
    return {**os.environ, "CODEASSIST_DATABASE_URL": url, "CODEASSIST_ALLOWED_HOSTS": "[]", **more}


@contextmanager
def serving(url: str, *arguments: str, **more: str) -> Iterator[int]:
    """The port of a service in a process of its own, as soon as it answers."""
    process = subprocess.Popen([*SERVE, *arguments], stdout=subprocess.PIPE, text=True, env=environment(url, **more))
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline().split(" at ")[1].split()[0].rpartition(":")[2])
    finally:
        process.terminate()
        process.wait(20)


def asked(port: int, path: str, host: str = "127.0.0.1", method: str = "GET") -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path, headers={"Host": host})
    return connection.getresponse().status


def started(url: str, host: str, **more: str) -> Any:
    """What ``codeassist serve`` does on a port that is taken, so that it ends whether it may start or not."""
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = str(taken.getsockname()[1])
        return CliRunner().invoke(commands.app, ["--host", host, "--port", port], env=environment(url, **more))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "codes.example"])
def test_on_another_address_it_does_not_start_without_sign_in(database_url: str, host: str) -> None:
    done = started(database_url, host)
    assert done.exit_code == 2
    assert "codeassist users add" in done.output and "CODEASSIST_OIDC_ISSUER" in done.output


def test_a_coder_alone_is_not_enough_to_start(database_url: str, accounts_database: Database) -> None:
    add_user(accounts_database, "anne", ["coder"])
    assert started(database_url, "0.0.0.0").exit_code == 2


def test_a_provider_is_enough_to_start(database_url: str) -> None:
    settings = {"CODEASSIST_OIDC_ISSUER": "https://provider.example", "CODEASSIST_OIDC_CLIENT_ID": "x"}
    done = started(database_url, "0.0.0.0", **settings)
    assert done.exit_code == 1 and "in use" in done.output, "it got as far as the port"


def test_with_an_administrator_it_starts_and_asks_for_sign_in(database_url: str, accounts_database: Database) -> None:
    add_user(accounts_database, ADMIN, ["administrator"])
    with serving(database_url, "--host", "0.0.0.0") as port:
        assert asked(port, "/v1/reviews") == 401
        assert asked(port, "/v1/reviews", host="codes.example") == 401
        assert asked(port, "/") == 303 and asked(port, "/sign-in") == 200


def test_on_this_machine_it_starts_and_refuses_other_names(database_url: str) -> None:
    with serving(database_url) as port:
        assert asked(port, "/") == 200
        assert asked(port, "/", host="evil.example") == 421


def test_sign_in_in_local_mode_fails_as_always(local: TestClient) -> None:
    assert sign_in(local, "anne").json()["code"] == "sign-in-failed"

"""The application with users, in process; and a real OpenID Connect provider on 127.0.0.1."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from fastapi.testclient import TestClient

from account_helpers import ADMIN, add_user
from oidc_provider import OidcProvider

from api.app import create_app
from api.settings import ApiSettings
from api.store.database import Database, open_database

if TYPE_CHECKING:
    from codeassist.assistant import CodeAssistant

CHEAP: dict[str, Any] = {"argon2_passes": 1, "argon2_memory_kib": 64, "allowed_hosts": frozenset()}
"""Hashes that cost nothing: what they cost otherwise is a matter of the settings."""
Site = Callable[..., AbstractContextManager[TestClient]]


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'accounts.sqlite3'}"


@pytest.fixture
def accounts_database(database_url: str) -> Iterator[Database]:
    opened = open_database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def site(database_url: str, assistant: CodeAssistant) -> Site:
    """Gives ``site(users={name: roles}, base_url=…, client=…, **settings)``: a client of a service with these users."""

    @contextmanager
    def served(
        users: dict[str, list[str]] | None = None,
        base_url: str = "http://127.0.0.1",
        client: tuple[str, int] = ("127.0.0.1", 50000),
        **settings: Any,
    ) -> Iterator[TestClient]:
        opened = open_database(database_url)
        for name, roles in (users or {}).items():
            add_user(opened, name, roles)
        opened.close()
        app = create_app(ApiSettings(database_url=database_url, **{**CHEAP, **settings}), load=lambda: assistant)
        with TestClient(app, base_url=base_url, client=client, follow_redirects=False) as opened_client:
            for _ in range(200):
                if opened_client.get("/readyz").status_code == 200:
                    break
                time.sleep(0.01)
            yield opened_client

    return served


@pytest.fixture
def with_users(site: Site) -> Iterator[TestClient]:
    """A service with an administrator, a coder, an auditor and a service user; nobody is signed in."""
    users = {"anne": ["coder"], "ada": ["auditor"], "serena": ["service"], ADMIN: ["administrator"]}
    with site(users=users) as client:
        yield client


@pytest.fixture(scope="session")
def provider() -> Iterator[OidcProvider]:
    """A live OpenID Connect provider."""
    with OidcProvider().serving() as served:
        yield served

"""Users and requests for the tests of sign-in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import select

from api.auth import accounts
from api.auth.passwords import Passwords
from api.store.audit import AuditRow
from api.store.database import Database

PASSWORD = "blue kettle on a windy hill"
ADMIN = "root.admin"
HASHES = Passwords(1, 64)


def add_user(database: Database, name: str, roles: Sequence[str], password: str = PASSWORD) -> None:
    with database.writing() as session:
        accounts.add(session, "cli:test", name, HASHES.hash(password), roles)


def sign_in(client: TestClient, name: str, password: str = PASSWORD, **options: Any) -> Any:
    return client.post("/v1/session", json={"name": name, "password": password}, **options)


def signed_in(client: TestClient, name: str, password: str = PASSWORD) -> TestClient:
    """The client, signed in as ``name`` alone."""
    client.cookies.clear()
    response = sign_in(client, name, password)
    assert response.status_code == 200, response.text
    return client


def audit(client: TestClient) -> list[tuple[str, str, str]]:
    """User, action and subject of each record of the trail."""
    database: Database = client.app.state.database  # type: ignore[attr-defined]
    with database.reading() as session:
        rows = session.scalars(select(AuditRow).order_by(AuditRow.number))
        return [(r.user_name, r.action, r.subject) for r in rows]


def trail_text(client: TestClient) -> str:
    """Everything that the audit trail holds, to look for what must not be there."""
    database: Database = client.app.state.database  # type: ignore[attr-defined]
    with database.reading() as session:
        rows = session.scalars(select(AuditRow))
        return "\n".join(f"{r.user_name} {r.action} {r.subject} {r.details}" for r in rows)


def new_key(client: TestClient, name: str, scopes: Sequence[str], **more: Any) -> str:
    """A key that an administrator, who is signed in at ``client``, makes."""
    response = client.post("/v1/keys", json={"name": name, "scopes": list(scopes), **more})
    assert response.status_code == 201, response.text
    key: str = response.json()["key"]
    return key


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}

"""Accounts on both databases: what tests/auth tries through the service, as far as the database has a part in it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from api.auth import accounts, keys, oidc, sessions
from api.auth.errors import AccountExists, LastAdministrator
from api.auth.passwords import Passwords
from api.auth.settings import AuthSettings
from api.auth.signing_in import change_own_password, sign_in
from api.errors import Problem
from api.store.accounts import AttemptRow, SessionRow
from api.store.audit import AuditRow
from api.store.base import now
from api.store.database import Database
from api.store.verify import verify

PASSWORD = "blue kettle on a windy hill"
PASSWORDS = Passwords(1, 64)
SETTINGS = AuthSettings(argon2_passes=1, argon2_memory_kib=64, attempts_per_name=100)


@pytest.fixture
def users(database: Database) -> Database:
    for name in ("anne", "ben"):
        with database.writing() as session:
            accounts.add(session, "cli", name, PASSWORDS.hash(PASSWORD), ["administrator"])
    return database


def enter(database: Database, password: str = PASSWORD, name: str = "anne") -> str:
    return sign_in(database, SETTINGS, PASSWORDS, name, password, "192.0.2.1").token


def test_sign_in_keeps_a_session_that_ends(users: Database) -> None:
    token = enter(users)
    with users.writing() as session:
        row = sessions.find(session, token)
        assert row is not None and row.user.name == "anne" and now() - row.created < timedelta(minutes=1)
        sessions.end(session, row, everywhere=True)
    with users.reading() as session:
        assert sessions.find(session, token) is None
        assert session.scalars(select(AttemptRow)).all() == [], "a success leaves no attempt"


def test_failures_at_once_lock_once_and_are_all_in_the_trail(users: Database) -> None:
    def fail(_: int) -> str:
        with pytest.raises(Problem) as refused:
            enter(users, "wrong")
        return refused.value.kind.code

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(fail, range(12))) == {"sign-in-failed"}
    with users.reading() as session:
        actions = list(session.scalars(select(AuditRow.action)))
        assert actions.count("lock") == 1 and actions.count("login-failed") == 12
        assert list(verify(session)) == []
    with pytest.raises(Problem):
        enter(users)
    with users.writing() as session:
        accounts.unlock(session, "cli", accounts.find(session, "anne"))
    assert enter(users)


def test_two_administrators_who_shut_each_other_out_at_once(users: Database) -> None:
    def shut_out(name: str) -> bool:
        try:
            with users.writing() as session:
                accounts.set_disabled(session, "x", accounts.find(session, name), True)
        except LastAdministrator:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(shut_out, ("anne", "ben"))) == [False, True]


def test_a_new_password_ends_the_other_sessions(users: Database) -> None:
    other, own = enter(users), enter(users)
    with users.reading() as session:
        row = sessions.find(session, own)
        assert row is not None
        kept = row.id
    new = "seven quiet boats at noon"
    change_own_password(users, SETTINGS, PASSWORDS, kept, "anne", PASSWORD, new, "192.0.2.1")
    with users.reading() as session:
        assert sessions.find(session, other) is None and sessions.find(session, own) is not None
        assert len(session.scalars(select(SessionRow)).all()) == 1
    assert enter(users, new)


def test_keys_and_names_are_given_once(users: Database) -> None:
    with users.writing() as session:
        keys.create(session, "anne", "ehr", ["suggest"], owner="anne", expires=now() + timedelta(days=1))
    with pytest.raises(AccountExists), users.writing() as session:
        keys.create(session, "anne", "ehr", ["suggest"])
    with pytest.raises(AccountExists), users.writing() as session:
        accounts.add(session, "cli", "Anne", "x", ["coder"])
    with users.writing() as session:
        assert keys.revoke(session, "anne", "ehr").revoked is not None
        assert keys.user_of(keys.listed(session)[0]).scopes == {"suggest"}


def test_a_sign_in_at_the_provider_is_taken_once(users: Database) -> None:
    flow = oidc.begin(users, "/docs")
    assert oidc.take(users, flow.token, flow.state) == flow
    with pytest.raises(oidc.RefusedError):
        oidc.take(users, flow.token, flow.state)
    settings = SETTINGS.model_copy(update={"oidc_issuer": "https://p.example", "oidc_roles": {"coders": "coder"}})
    claims = {"sub": "s-1", "preferred_username": "olive", "roles": ["coders"]}
    for _ in range(2):
        assert oidc.finish(users, settings, claims).user.name == "olive"
    with pytest.raises(oidc.RefusedError):
        oidc.finish(users, settings, {**claims, "preferred_username": "anne", "sub": "s-2"})

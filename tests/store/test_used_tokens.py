"""A token is taken once, on each database, whoever asks at the same time."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import anyio
import pytest

from api.interop.authentication import use_once
from api.interop.tokens import TokenRefused
from api.store.database import Database


def use(database: Database, issuer: str, jti: str) -> bool:
    try:
        anyio.run(use_once, database, issuer, jti, time.time() + 60)
    except TokenRefused:
        return False
    return True


def test_a_token_is_taken_once(database: Database) -> None:
    assert use(database, "a", "1")
    assert not use(database, "a", "1")
    assert use(database, "b", "1") and use(database, "a", "2")


def test_of_many_at_once_one_is_taken(database: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: use(database, "a", "same"), range(16)))
    assert sum(taken) == 1


def test_an_issuer_and_a_jti_are_kept_apart(database: Database) -> None:
    assert use(database, "a", "bc")
    with pytest.raises(TokenRefused):
        anyio.run(use_once, database, "a", "bc", time.time() + 60)
    assert use(database, "ab", "c")

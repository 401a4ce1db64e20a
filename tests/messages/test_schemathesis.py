"""schemathesis over every endpoint of the OpenAPI document, by its own command, against the running service.

The service has accounts, and each request the key of a user who may do everything: requests come past the sign-in, and
what is asked without the key has to be refused (``ignored_auth``). All phases run (examples, coverage, fuzzing,
stateful) with all checks but for those that ``schemathesis.toml``, beside this file, names with their reasons.

What can't take part as it should: ``/auth/token``, ``/launch/callback`` and ``PUT /v1/session/password`` are tried, and
refuse everything, because they need a signature of the moment, a launch under way, and a session in place of a key.
Their answers are held against the document all the same; that they work is tested in tests/interop and tests/auth.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from api.auth import accounts, keys
from api.auth.passwords import Passwords
from api.store.database import open_database
from api.users import ROLES, SCOPES

Serve = Any
HERE = Path(__file__).parent
FEW, MANY = 2, 30
"""Requests for each operation and kind."""
QUICK, ALL = "examples,fuzzing", "examples,coverage,fuzzing,stateful"
CHEAP = {"argon2_passes": 1, "argon2_memory_kib": 64}
SECONDS = 3600
NAME = "schemathesis"
"""The name of the key that lets it in."""


def key_of_an_administrator(url: str) -> str:
    """A key, at a new database, of a user who may do everything."""
    database = open_database(url)
    with database.writing() as session:
        hashed = Passwords(1, 64).hash("blue kettle on a windy hill")
        accounts.add(session, "cli:test", "root.admin", hashed, list(ROLES))
        text = keys.create(session, "cli:test", NAME, list(SCOPES), "root.admin").text
    database.close()
    return text


def check_all(running_at: Serve, folder: Path, phases: str, examples: int) -> tuple[int, int]:
    """Run schemathesis; gives the numbers of operations and of requests."""
    url = f"sqlite:///{folder / 'described.sqlite3'}"
    key = key_of_an_administrator(url)
    with running_at(url, webhook_hosts={"127.0.0.1"}, webhook_attempts=1, **CHEAP) as service:
        done = subprocess.run(
            [
                *(str(Path(sys.executable).parent / "schemathesis"), "--no-color"),
                *("--config-file", str(HERE / "schemathesis.toml"), "run", f"{service.address}/openapi.json"),
                *("-H", f"Authorization: Bearer {key}", "--phases", phases, "--max-examples", str(examples)),
                *("--continue-on-failure", "--seed", "1", "--generation-database", "none"),
            ],
            cwd=folder,
            env={
                **os.environ,
                "SCHEMATHESIS_HOOKS": "schemathesis_hooks",
                "PYTHONPATH": str(HERE),
                "OWN_KEY": f"{NAME} {key.split('_')[1]}",
                "NO_PROXY": "*",
            },
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        still = service.http.get("/v1/keys", headers={"Authorization": f"Bearer {key}"})
        described = service.http.get("/openapi.json").json()["paths"]
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2000:]
    assert still.status_code == 200, "the key was good to the end"
    found = re.search(r"Tested: (\d+)", done.stdout)
    sent = re.search(r"(\d+) generated", done.stdout)
    assert found is not None
    assert sent is not None
    assert int(found[1]) == sum(len(methods) for methods in described.values()), "every operation was tried"
    return int(found[1]), int(sent[1])


def test_every_endpoint_keeps_to_its_description(running_at: Serve, tmp_path: Path) -> None:
    """A fraction: two of its phases, and 2 requests of each kind for each operation, of the 30 of the bar."""
    examples = int(os.environ.get("CODEASSIST_TEST_EXAMPLES", FEW))
    operations, sent = check_all(running_at, tmp_path, QUICK if examples == FEW else ALL, examples)
    assert operations >= 80 and sent >= operations * 2


@pytest.mark.bars
def test_every_endpoint_keeps_to_its_description_at_length(running_at: Serve, tmp_path: Path) -> None:
    operations, sent = check_all(running_at, tmp_path, ALL, MANY)
    print(f"{operations} operations, {sent} requests, no failure")

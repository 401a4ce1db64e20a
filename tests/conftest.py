"""What all tests share, each opened once a process: the terminology index, the assistant over the shipped model, and
the service as a site runs it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

import codeassist
from codeassist import cli
from codeassist.assistant import CodeAssistant
from codeassist.terminology.access import open_store
from codeassist.terminology.store import Store

ROOT = Path(__file__).parents[1]
# What the user of this machine has promoted is no part of the tests.
os.environ["CODEASSIST_REGISTRY_DIR"] = str(ROOT / ".cache" / "no-registry")
TOGETHER = ("browser", "terminology")
"""Folders whose tests share something costly (a server, imported files): one worker runs them all."""

SECONDS_TO_LOAD = 120
# Tests have a database of their own, gone when they end: nothing of theirs gets among a site's notes.
_FOLDER = tempfile.TemporaryDirectory(prefix="codeassist-tests-")
os.environ["CODEASSIST_DATABASE_URL"] = f"sqlite:///{_FOLDER.name}/tests.sqlite3"
# The name by which the client in process addresses the application; without sign-in no other is answered.
os.environ["CODEASSIST_ALLOWED_HOSTS"] = '["testserver", "other.example"]'
Serve = Callable[..., AbstractContextManager[str]]
Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


class ByFolder(LoadScopeScheduling):
    """Where several workers run, a file stays on one of them, and so does each folder of :data:`TOGETHER`."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.split("::", 1)[0]
        return next((folder for folder in TOGETHER if f"/{folder}/" in path), path)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFolder:
    return ByFolder(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if ROOT / "tests" / "browser" in item.path.parents:
            item.add_marker("browser")


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def store() -> Store:
    return open_store()


@pytest.fixture(scope="session")
def assistant() -> CodeAssistant:
    return codeassist.load()


@pytest.fixture(scope="session")
def server(serve: Serve) -> Iterator[str]:
    """The address of ``codeassist serve`` in a process of its own, ready to code."""
    with serve() as address:
        yield address


@pytest.fixture(scope="session")
def serve() -> Serve:
    """Gives ``serve(**environment)``: the address of a service with these settings, while it runs, ready to code."""
    return _served


@contextmanager
def _served(**environment: str) -> Iterator[str]:
    command = [sys.executable, "-c", "from api.commands import app; app()", "--port", "0"]
    settings = {**os.environ, **environment}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=settings)
    try:
        assert process.stdout is not None
        address = process.stdout.readline().split(" at ")[1].split()[0]
        _wait_until_ready(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(20)


def _wait_until_ready(address: str, process: subprocess.Popen[str]) -> None:
    problem = ""
    for _ in range(SECONDS_TO_LOAD * 5):
        assert process.poll() is None, f"the service ended: {problem}"
        try:
            with urllib.request.urlopen(f"{address}/readyz"):
                return
        except urllib.error.HTTPError as error:
            problem = error.read().decode()
        time.sleep(0.2)
    raise AssertionError(f"the service was not ready: {problem}")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Gives ``run(*arguments, stdin=b"", **environment)`` of the command line, in a process of its own,
    in an empty folder."""

    def ran(*arguments: str, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "-m", "codeassist.cli", *arguments],
            input=stdin,
            capture_output=True,
            cwd=tmp_path,
            env={**os.environ, "COLUMNS": "160", "NO_COLOR": "1", "OMP_NUM_THREADS": "1", **environment},
            check=False,
            timeout=240,
        )

    return ran


@pytest.fixture
def run_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Like ``run``, but in this process, which has everything loaded: for what changes nothing there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setattr(cli, "add_commands", lambda: None)

    def ran(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        monkeypatch.setattr(sys, "argv", ["codeassist", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        try:
            cli.main()
        except SystemExit as exit:
            status = exit.code or 0
        else:
            status = 0
        return subprocess.CompletedProcess(arguments, status, *capfdbinary.readouterr())  # type: ignore[arg-type]

    return ran

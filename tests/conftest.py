"""What all tests share: the terminology index and the assistant over the shipped model, each opened once a process."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

import codeassist
from codeassist.assistant import CodeAssistant
from codeassist.terminology.access import open_store
from codeassist.terminology.store import Store

ROOT = Path(__file__).parents[1]
TOGETHER = ("browser", "terminology")
"""Folders whose tests share something costly (a server, imported files): one worker runs them all."""


@pytest.hookimpl(wrapper=True, tryfirst=True)  # a wrapper: xdist reads the groups in this same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None, None, None]:
    """Where several workers run, a file stays on one of them, and so does each folder of :data:`TOGETHER`."""
    for item in items:
        path = item.path.relative_to(ROOT)
        folder = path.parts[1]
        if folder == "browser":
            item.add_marker("browser")
        item.add_marker(pytest.mark.xdist_group(folder if folder in TOGETHER else str(path)))
    yield


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

"""What all tests share: the terminology index and the assistant over the shipped model, each opened once a process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

import codeassist
from codeassist.assistant import CodeAssistant
from codeassist.terminology.access import open_store
from codeassist.terminology.store import Store

ROOT = Path(__file__).parents[1]
TOGETHER = ("browser", "terminology")
"""Folders whose tests share something costly (a server, imported files): one worker runs them all."""


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

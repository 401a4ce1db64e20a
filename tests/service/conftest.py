"""One service with two workers for the tests that only ask it, and the application in process."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from fastapi.testclient import TestClient

from service_process import Running, running

from api.app import create_app
from api.settings import ApiSettings

if TYPE_CHECKING:
    from codeassist.assistant import CodeAssistant


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """``codeassist serve --workers 2``."""
    with running(tmp_path_factory.mktemp("pair"), 2) as service:
        yield service


@pytest.fixture
def serving() -> Callable[..., AbstractContextManager[TestClient]]:
    """Gives ``serving(assistant, **settings)``: a client of an application in process, once it is ready."""

    @contextmanager
    def served(assistant: CodeAssistant, **settings: Any) -> Iterator[TestClient]:
        with TestClient(create_app(ApiSettings(**settings), load=lambda: assistant)) as client:
            while client.get("/readyz").status_code != 200:
                time.sleep(0.01)
            yield client

    return served

"""The application in process, over the shipped model."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Starlette's advice about its test client's next HTTP library
    from fastapi.testclient import TestClient

from api.app import create_app
from api.settings import ApiSettings

if TYPE_CHECKING:
    from codeassist.assistant import CodeAssistant


@contextmanager
def _serving(assistant: CodeAssistant, **settings: Any) -> Iterator[TestClient]:
    app = create_app(ApiSettings(**settings), load=lambda: assistant)
    with TestClient(app) as client:
        for _ in range(200):
            if client.get("/readyz").status_code == 200:
                break
            time.sleep(0.01)
        yield client


@pytest.fixture(scope="session")
def serving() -> Callable[..., AbstractContextManager[TestClient]]:
    """Gives ``serving(assistant, **settings)``: a client of an application with these settings, once it is ready."""
    return _serving


@pytest.fixture(scope="session")
def client(assistant: CodeAssistant) -> Iterator[TestClient]:
    with _serving(assistant) as client:
        yield client

"""The service as it runs, over HTTP and MLLP, in a thread of this process, which has the model loaded already."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import uvicorn

from api.app import create_app
from api.settings import ApiSettings
from api.store.database import Database, open_database

if TYPE_CHECKING:
    from codeassist.assistant import CodeAssistant

SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Service:
    """A running service: its address, its MLLP port, and its database."""

    address: str
    mllp: int
    database: Database
    http: httpx.Client

    def until(self, found: Callable[[], Any], seconds: float = SECONDS) -> Any:
        """What ``found`` gives as soon as it is something."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if value := found():
                return value
            time.sleep(0.05)
        raise AssertionError("it did not come about")

    def counts(self) -> dict[str, int]:
        counts: dict[str, int] = self.http.get("/v1/hl7v2/messages").json()["counts"]
        return counts

    def coded(self) -> None:
        """Wait until no stored document is left to code."""
        self.until(lambda: self.counts()["stored"] == 0)


Running = Callable[..., AbstractContextManager[Service]]


@contextmanager
def run_service(assistant: CodeAssistant, url: str, **settings: Any) -> Iterator[Service]:
    """A service with these settings and the database at ``url``."""
    http, mllp = socket.create_server(("127.0.0.1", 0)), socket.create_server(("127.0.0.1", 0))
    app = create_app(ApiSettings(database_url=url, **settings), load=lambda: assistant, mllp=mllp)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=5))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [http]})
    address = f"http://127.0.0.1:{http.getsockname()[1]}"
    port = mllp.getsockname()[1]
    thread.start()
    database = open_database(url)
    try:
        with httpx.Client(base_url=address, timeout=SECONDS) as client:
            service = Service(address, port, database, client)
            service.until(lambda: _ready(client))
            yield service
    finally:
        server.should_exit = True
        thread.join()
        database.close()
        http.close()


@pytest.fixture
def running(assistant: CodeAssistant, tmp_path: Path) -> Running:
    """Gives ``running(**settings)``: a service with these settings; its database outlives it within a test."""
    url = f"sqlite:///{tmp_path / 'messages.sqlite3'}"
    return lambda **settings: run_service(assistant, url, **settings)


@pytest.fixture(scope="session")
def running_at(assistant: CodeAssistant) -> Running:
    """Gives ``running_at(url, **settings)``, for a service that several tests ask."""
    return lambda url, **settings: run_service(assistant, url, **settings)


@pytest.fixture
def service(running: Running) -> Iterator[Service]:
    with running() as service:
        yield service


def _ready(client: httpx.Client) -> bool:
    try:
        return client.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False

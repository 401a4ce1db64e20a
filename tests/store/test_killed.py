"""A server that is killed while decisions come in: what it acknowledged is kept, and the audit trail is whole."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import random
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn
from review_helpers import add_note
from sqlalchemy import func, select

from api.app import create_app
from api.settings import ApiSettings
from api.store.audit import AuditRow
from api.store.database import open_database
from api.store.decisions import DecisionRow
from api.store.verify import verify

if TYPE_CHECKING:
    from codeassist.assistant import CodeAssistant

FORK = multiprocessing.get_context("fork")
"""A server that need not load the model again: a process of its own all the same, to be killed."""
LONGEST = 0.25
"""Seconds, at most, from the first decision to the end of the server."""
HEADERS = {"Content-Type": "application/json"}
TAKEN = {"system": "icd-10-cm", "code": "I10"}


def serve(listener: socket.socket, url: str, assistant: CodeAssistant) -> None:
    app = create_app(ApiSettings(database_url=url), load=lambda: assistant)
    uvicorn.Server(uvicorn.Config(app, log_config=None)).run(sockets=[listener])


def post(connection: http.client.HTTPConnection, path: str, body: dict[str, Any]) -> dict[str, Any]:
    connection.request("POST", path, json.dumps(body), HEADERS)
    response = connection.getresponse()
    answer: dict[str, Any] = json.loads(response.read())
    assert response.status == 200, answer
    return answer


def decide_until_killed(port: int, review: int, server: Any, delay: float) -> list[dict[str, Any]]:
    """The decisions that the server acknowledged before it was killed, as its answers have them."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    while True:
        connection.request("GET", "/readyz")
        ready = connection.getresponse()
        ready.read()
        if ready.status == 200:
            break
        time.sleep(0.02)
    version = post(connection, f"/v1/reviews/{review}/open", {})["version"]
    path = f"/v1/reviews/{review}/decisions"
    acknowledged: list[dict[str, Any]] = []
    killer = threading.Timer(delay, server.kill)
    killer.start()
    try:
        step: dict[str, Any] = {"kind": "accepted"}
        while True:
            answer = post(connection, path, {**TAKEN, **step, "version": version})
            version = answer["version"]
            acknowledged.append(answer["decisions"][-1])
            step = {"kind": "poa", "poa": random.choice("YNUW")}
    except (OSError, http.client.HTTPException):
        return acknowledged
    finally:
        killer.join()
        connection.close()


def check_kills(url: str, assistant: CodeAssistant, times: int) -> None:
    database = open_database(url)
    total = 0
    for _ in range(times):
        review = add_note(database, assistant)
        listener = socket.create_server(("127.0.0.1", 0))
        server = FORK.Process(target=serve, args=(listener, url, assistant), daemon=True)
        server.start()
        try:
            port = listener.getsockname()[1]
            listener.close()
            acknowledged = decide_until_killed(port, review, server, random.uniform(0, LONGEST))
        finally:
            server.kill()
            server.join()
        total += len(acknowledged)
        with database.reading() as session:
            rows = session.scalars(select(DecisionRow).where(DecisionRow.review_id == review)).all()
            kept = {row.number: (row.kind, row.details) for row in rows}
            for decision in acknowledged:
                assert kept[decision["number"]] == (decision["kind"], decision["details"])
            assert len(rows) <= len(acknowledged) + 1, "at most the one that was under way"
            assert list(verify(session)) == []
            decided = session.scalars(select(func.count()).where(AuditRow.action == "decision")).one()
            assert decided == session.scalars(select(func.count(DecisionRow.id))).one()
    database.close()
    assert total > 0, "no decision was acknowledged in any round: nothing was tried"


def test_a_killed_server_loses_nothing(url: str, assistant: CodeAssistant) -> None:
    check_kills(url, assistant, 6)


@pytest.mark.bars
def test_a_server_killed_200_times_loses_nothing(url: str, assistant: CodeAssistant) -> None:
    check_kills(url, assistant, 200)

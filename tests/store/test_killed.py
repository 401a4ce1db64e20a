"""A server that is killed while decisions come in: what it acknowledged is kept, and the audit trail is whole."""

from __future__ import annotations

import http.client
import json
import random
import socket
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn
from processes import PROCESSES
from review_helpers import add_note, add_submitted
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.app import create_app
from api.settings import ApiSettings
from api.store.audit import AuditRow
from api.store.audits import SecondLookDecisionRow, SecondLookRow
from api.store.database import open_database
from api.store.decisions import DecisionRow
from api.store.reviews import ReviewRow, WorklistCount
from api.store.verify import verify

if TYPE_CHECKING:
    from codeassist.assistant import CodeAssistant

LONGEST = 0.6
"""Seconds, at most, from the first decision to the end of the server."""
HEADERS = {"Content-Type": "application/json"}
TAKEN = {"system": "icd-10-cm", "code": "I10"}


def serve(listener: socket.socket, url: str) -> None:
    app = create_app(ApiSettings(database_url=url))
    uvicorn.Server(uvicorn.Config(app, log_config=None)).run(sockets=[listener])


def post(connection: http.client.HTTPConnection, path: str, body: dict[str, Any]) -> dict[str, Any]:
    connection.request("POST", path, json.dumps(body), HEADERS)
    response = connection.getresponse()
    answer: dict[str, Any] = json.loads(response.read())
    assert response.status in (200, 201), answer
    return answer


def decide_until_killed(port: int, review: int, second: bool, server: Any, delay: float) -> list[dict[str, Any]]:
    """The decisions, of a coder or in a ``second`` look, that the server acknowledged before it was killed, as its
    answers have them."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    while True:
        connection.request("GET", "/readyz")
        ready = connection.getresponse()
        ready.read()
        if ready.status == 200:
            break
        time.sleep(0.02)
    if second:
        begun = post(connection, "/v1/audits", {"review": review, "mode": "blind"})
        path = f"/v1/audits/{begun['audit']}/decisions"
    else:
        begun = post(connection, f"/v1/reviews/{review}/open", {})
        path = f"/v1/reviews/{review}/decisions"
    version = begun["version"]
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


def decisions_of(session: Session, review: int, second: bool) -> Sequence[DecisionRow | SecondLookDecisionRow]:
    if not second:
        return session.scalars(select(DecisionRow).where(DecisionRow.review_id == review)).all()
    look = select(SecondLookRow).where(SecondLookRow.review_id == review)
    return session.scalars(look).one().decisions


def check_kills(url: str, assistant: CodeAssistant, times: int) -> None:
    """Every second time it is a second look that is under way."""
    database = open_database(url)
    total = {False: 0, True: 0}
    for turn in range(times):
        second = turn % 2 == 1
        review = add_submitted(database, assistant) if second else add_note(database, assistant)
        listener = socket.create_server(("127.0.0.1", 0))
        server = PROCESSES.Process(target=serve, args=(listener, url), daemon=True)
        server.start()
        try:
            port = listener.getsockname()[1]
            listener.close()
            acknowledged = decide_until_killed(port, review, second, server, random.uniform(0, LONGEST))
        finally:
            server.kill()
            server.join()
        total[second] += len(acknowledged)
        with database.reading() as session:
            rows = decisions_of(session, review, second)
            kept = {row.number: (row.kind, row.details) for row in rows}
            for decision in acknowledged:
                assert kept[decision["number"]] == (decision["kind"], decision["details"])
            assert len(rows) <= len(acknowledged) + 1, "at most the one that was under way"
            assert list(verify(session)) == []
            decided = session.scalars(select(func.count()).where(AuditRow.action == "decision")).one()
            made = (
                session.scalars(select(func.count(table.id))).one() for table in (DecisionRow, SecondLookDecisionRow)
            )
            assert decided == sum(made)
            counted = session.scalars(select(func.sum(WorklistCount.number))).one()
            assert counted == session.scalars(select(func.count(ReviewRow.id))).one()
        name = database.url.get_backend_name()
    print(
        f"{name}: killed {times} times; all of {total[False]} decisions, and {total[True]} of second looks, that were "
        "acknowledged were kept, and the audit trail was whole each time"
    )
    database.close()
    assert all(total.values()), "no decision was acknowledged in any round: nothing was tried"


def test_a_killed_server_loses_nothing(url: str, assistant: CodeAssistant) -> None:
    check_kills(url, assistant, 6)


@pytest.mark.bars
def test_a_server_killed_200_times_loses_nothing(url: str, assistant: CodeAssistant) -> None:
    check_kills(url, assistant, 200)

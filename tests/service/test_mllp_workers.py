"""``codeassist serve --workers 2 --mllp``: one worker listens for messages, and another takes over when it dies."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import psutil
from hl7.client import MLLPClient
from service_process import Running, running

SENT = 12
ASKED = 12
"""Requests on connections of their own: with two workers each answers some."""


def mdm(number: int) -> str:
    """A new document of its own number."""
    return "\r".join(
        [
            rf"MSH|^~\&|EHR|CLINIC|CODEASSIST|CLINIC|20260302101500||MDM^T02^MDM_T02|C{number}|P|2.5.1",
            "EVN|T02|20260302101500",
            f"PID|1||{number}^^^CLINIC^MR||EXAMPLE^PATIENT||19650410|F",
            "PV1|1|O",
            f"TXA|1|PR^Progress note|TX|20260302093000||||||||DOC-{number}|||||AU",
            "OBX|1|TX|11506-3^Progress note^LN||Assessment: Gout.||||||F",
        ]
    )


def acknowledged(port: int, *messages: str) -> list[str]:
    """MSA-1 of each answer."""
    with MLLPClient("127.0.0.1", port) as client:
        client.socket.settimeout(120)
        answers = [client.send_message(message).decode() for message in messages]
    return [answer.split("\rMSA|")[1][:2] for answer in answers]


def listeners(service: Running) -> list[psutil.Process]:
    """The workers that have a task for the port of messages: those with a connection of its line taken."""
    return [
        worker
        for worker in service.workers()
        if any(
            c.status == psutil.CONN_ESTABLISHED and c.laddr.port == service.mllp for c in worker.net_connections("tcp")
        )
    ]


def the_listener(service: Running) -> psutil.Process:
    """Which worker takes what comes in at the port of messages."""
    clients = [MLLPClient("127.0.0.1", service.mllp) for _ in range(8)]
    try:
        for number, client in enumerate(clients):
            client.socket.settimeout(120)
            client.send_message(mdm(1000 + number))  # it is answered, and so the connection was taken
        (found,) = listeners(service)
    finally:
        for client in clients:
            client.close()
    return found


def coded(service: Running, count: int) -> dict[str, Any]:
    """The messages once this many are coded, by their control ids."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        listed = service.client.get("/v1/hl7v2/messages", params={"limit": 100}).json()
        if listed["counts"]["coded"] == count:
            return {m["control_id"]: m for m in listed["messages"]}
        time.sleep(0.1)
    raise AssertionError(f"not coded: {listed['counts']}")


def test_one_worker_listens_all_show_what_came_and_another_takes_over(tmp_path: Path) -> None:
    with running(tmp_path, 2, mllp=True) as service:
        first = the_listener(service)
        assert acknowledged(service.mllp, *map(mdm, range(SENT)), *map(mdm, range(SENT))) == ["AA"] * 2 * SENT
        found = coded(service, SENT + 8)
        assert len({m["review"] for m in found.values()}) == SENT + 8, "each is stored once"
        number = found["C3"]["review"]
        shown = [service.client.get(f"/v1/reviews/{number}") for _ in range(ASKED)]
        assert {r.status_code for r in shown} == {200}
        assert {r.json()["note"]["text"] for r in shown} == {"Assessment: Gout."}

        others = {p.pid for p in service.workers()} - {first.pid}
        first.kill()
        psutil.wait_procs([first], 10)
        waiting = acknowledged(service.mllp, mdm(SENT))  # the line is kept: the one that takes over answers
        assert waiting == ["AA"]
        service.wait_for("codeassist_workers", 2)
        second = the_listener(service)
        assert second.pid not in others | {first.pid}, "the one that listens now is the one that took its place"
        assert acknowledged(service.mllp, *map(mdm, range(SENT + 1))) == ["AA"] * (SENT + 1)
        found = coded(service, SENT + 1 + 8)
        assert len({m["review"] for m in found.values()}) == SENT + 1 + 8, "still once, by whichever of the two"
        assert {service.client.get(f"/v1/reviews/{found[f'C{SENT}']['review']}").status_code for _ in range(ASKED)} == {
            200
        }

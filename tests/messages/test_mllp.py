"""Documents over MLLP, sent by python-hl7's client: stored once, acknowledged by the standard, coded afterwards."""

from __future__ import annotations

import random
import socket
import threading
import time
from typing import Any

import pytest
from hl7.client import MLLPClient
from hl7_samples import err, mdm, msa
from hl7apy.parser import parse_message
from sqlalchemy import select

from api.interop.hl7v2.framing import Framer, framed
from api.store.hl7 import Hl7MessageRow
from api.store.verify import verify

Service = Any
Running = Any


def send(service: Service, *messages: str) -> list[list[str]]:
    with MLLPClient("127.0.0.1", service.mllp) as client:
        return [msa(client.send_message(message)) for message in messages]


def rows(service: Service) -> list[Hl7MessageRow]:
    with service.database.reading() as session:
        return list(session.scalars(select(Hl7MessageRow).order_by(Hl7MessageRow.id)))


def test_a_document_is_stored_acknowledged_and_coded(service: Service) -> None:
    with MLLPClient("127.0.0.1", service.mllp) as client:
        answer = client.send_message(mdm(lines=(r"Assessment: Type 2 diabetes \T\ gout.",)))
    assert msa(answer) == ["MSA", "AA", "C1"]
    (row,) = rows(service)
    assert row.control_id == "C1" and row.document_id == "DOC-1"
    acknowledged = parse_message(answer.strip(b"\x0b\x1c\r").decode() + "\r")
    assert acknowledged.msh.msh_5.to_er7() == "EHR" and acknowledged.validate()
    service.coded()
    review = service.http.get(f"/v1/reviews/{rows(service)[0].review_id}").json()
    assert review["note"]["text"] == "Assessment: Type 2 diabetes & gout."
    assert review["note"]["patient"] == {"id": "12345", "age": 60, "sex": "F"}
    evidence = [e for s in review["result"]["suggestions"] for e in s["evidence"]]
    assert evidence and all(review["note"]["text"][e["start"] : e["end"]] == e["text"] for e in evidence)
    assert rows(service)[0].note is None, "the text is kept once, with the review"
    with service.database.reading() as session:
        assert list(verify(session)) == []


def test_the_same_message_again_is_stored_once_and_another_under_its_id_is_refused(service: Service) -> None:
    answers = send(service, mdm(), mdm(), mdm(lines=("Gout.",)))
    assert [a[1] for a in answers] == ["AA", "AA", "AE"] and len(answers[2]) > 3
    assert [r.state != "refused" for r in rows(service)] == [True, False]
    other = mdm(lines=("Gout.",), document="DOC-2").replace("|EHR|", "|LAB|", 1)
    assert send(service, other)[0][1] == "AA", "another sender has control ids of its own"


@pytest.mark.parametrize(
    ("message", "answer", "code"),
    [
        (mdm(event="T01"), "AR", "201"),
        (mdm().replace("MDM^T02^MDM_T02", "ORU^R01"), "AR", "200"),
        (mdm(processing="T"), "AR", "202"),
        (mdm(version="3.0"), "AR", "203"),
        (mdm(control_id=""), "AE", "101"),
        (mdm(document=""), "AE", "101"),
        (mdm(lines=()), "AE", "101"),
        (mdm(event="T11", document="never-seen"), "AE", "204"),
        (mdm(completion="??"), "AE", "103"),
        ("no message at all", "AE", "100"),
    ],
)
def test_what_is_refused(service: Service, message: str, answer: str, code: str) -> None:
    with MLLPClient("127.0.0.1", service.mllp) as client:
        said = client.send_message(message)
    assert msa(said)[1] == answer and err(said)[3].startswith(f"{code}^")
    (row,) = rows(service)
    assert row.state == "refused" and f"{answer} {code}" in str(row.reason)
    listed = service.http.get("/v1/hl7v2/messages", params={"state": "refused"}).json()["messages"]
    assert [m["reason"] for m in listed] == [row.reason]


def test_old_versions_and_enhanced_mode(service: Service) -> None:
    old = send(service, mdm(version="2.3.1", completion="??"))[0]
    assert old[1] == "AE"
    with MLLPClient("127.0.0.1", service.mllp) as client:
        assert err(client.send_message(mdm("C2", version="2.3", completion="??")))[1].startswith("TXA^1^17^103")
    assert send(service, mdm("C3", asks="AL|NE"))[0][1] == "CA"
    assert send(service, mdm("C4", asks="NE|AL"))[0][1] == "AA"
    with MLLPClient("127.0.0.1", service.mllp) as client:
        client.socket.settimeout(0.5)
        with pytest.raises(TimeoutError):
            client.send_message(mdm("C5", asks="NE|NE"))
    assert {"C3", "C4", "C5"} <= {r.control_id for r in rows(service)}


def test_replacement_and_cancellation(service: Service) -> None:
    send(service, mdm("1"), mdm("2", document="DOC-2"))
    service.coded()
    first, second = (r.review_id for r in rows(service))
    assert send(service, mdm("3", "T10", "DOC-1b", ("Assessment: Gout.",), parent="DOC-1"))[0][1] == "AA"
    closed = service.http.get(f"/v1/reviews/{first}").json()
    assert closed["state"] == "closed" and closed["hold_reason"] == "replaced by document DOC-1b"
    refused = service.http.post(f"/v1/reviews/{first}/open", json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "review-closed")
    assert send(service, mdm("4", "T11", "DOC-2"))[0][1] == "AA"
    assert service.http.get(f"/v1/reviews/{second}").json()["state"] == "closed"
    service.coded()
    assert [r.state for r in rows(service)] == ["replaced", "cancelled", "coded", "cancellation"]
    counts = service.http.get("/v1/reviews").json()["counts"]
    assert (counts["waiting"], counts["closed"]) == (1, 2)


def test_a_replacement_of_what_is_submitted_is_flagged(service: Service) -> None:
    send(service, mdm("1"))
    service.coded()
    number = rows(service)[0].review_id
    state = service.http.post(f"/v1/reviews/{number}/open", json={}).json()
    body = {"version": state["version"], "kind": "added", "system": "icd-10-cm", "code": "E11.9"}
    state = service.http.post(f"/v1/reviews/{number}/decisions", json=body).json()
    assert service.http.post(f"/v1/reviews/{number}/submit", json={"version": state["version"]}).is_success
    send(service, mdm("2", "T10", "DOC-1b", ("Assessment: Gout.",), parent="DOC-1"))
    flagged = service.http.get("/v1/hl7v2/messages", params={"flagged": True}).json()["messages"]
    assert [m["flag"] for m in flagged] == [f"review {number} was submitted before its document was replaced"] * 2
    assert service.http.get(f"/v1/reviews/{number}").json()["state"] == "submitted"


def test_status_changes(service: Service) -> None:
    send(service, mdm("1", completion="IN"))
    time.sleep(1.5)
    assert rows(service)[0].state == "unfinished", "an incomplete document is not coded"
    send(service, mdm("2", "T04", completion="AU"))
    service.coded()
    send(service, mdm("3", "T04", completion="LA"))
    send(service, mdm("4", "T04", lines=("Assessment: Gout.",)))
    service.coded()
    assert [r.state for r in rows(service)] == ["replaced", "replaced", "unchanged", "coded"]
    assert service.http.get("/v1/reviews").json()["counts"]["waiting"] == 1


def test_what_was_acknowledged_is_coded_after_a_restart(running: Running) -> None:
    with running() as service:
        send(service, *(mdm(str(i), document=f"D{i}") for i in range(5)))
    with running() as service:
        service.coded()
        assert [r.state for r in rows(service)] == ["coded"] * 5
        assert service.http.get("/v1/reviews").json()["counts"]["waiting"] == 5


def test_limits(running: Running) -> None:
    with running(max_body_bytes=5000, mllp_connections=2, mllp_idle_seconds=0.5) as service:
        with MLLPClient("127.0.0.1", service.mllp) as client:
            said = client.send_message(mdm(lines=("x" * 9000,)))
            assert msa(said)[:3] == ["MSA", "AE", "C1"] and "5,000 bytes" in err(said)[8]
            assert msa(client.send_message(mdm("C2")))[1] == "AA", "the next message is taken"
        held = [socket.create_connection(("127.0.0.1", service.mllp)) for _ in range(2)]
        time.sleep(0.1)
        with socket.create_connection(("127.0.0.1", service.mllp)) as third:
            assert third.recv(1) == b"", "a third connection is closed"
        for silent in held:
            silent.settimeout(5)
            assert silent.recv(1) == b"", "a silent connection is closed"
            silent.close()


def test_over_http(service: Service) -> None:
    headers = {"Content-Type": "application/hl7-v2"}
    answer = service.http.post("/v1/hl7v2", content=mdm().encode(), headers=headers)
    assert answer.status_code == 200 and msa(answer.content) == ["MSA", "AA", "C1"]
    assert answer.headers["content-type"] == "application/hl7-v2; charset=utf-8"
    again = service.http.post("/v1/hl7v2", content=framed(mdm().encode()), headers={"Content-Type": "text/plain"})
    assert msa(again.content)[1] == "AA" and len(rows(service)) == 1
    assert rows(service)[0].user_name == "local"
    assert (
        service.http.post("/v1/hl7v2", content=b"{}", headers={"Content-Type": "application/json"}).status_code == 415
    )
    bad = service.http.post("/v1/hl7v2", content=b"nothing", headers=headers)
    assert bad.status_code == 200 and msa(bad.content)[1] == "AE"


def damaged(number: int, kind: int) -> bytes:
    """A message that can't be taken, in its frame."""
    whole = mdm(f"B{number}", document=f"BD{number}").encode()
    return (
        framed(whole.replace(b"TXA|", b"T?A|")),
        framed(whole.replace(b"|TX|11506", b"|??|11506")),
        b"\x0b" + whole[:200],  # no end block: the next start block tells
        whole + b"\x1c\r",  # no start block
        framed(whole.replace(b"MDM^T02", b"XXX^T02")),
        framed(b"\xff\xfe\x00" + whole[3:]),
    )[kind % 6]


def trouble(service: Service, number: int, count: int, answers: list[tuple[str, str]], faults: random.Random) -> None:
    """Send ``count`` messages over connections that split, drop and damage: a dropped one is sent again, as EHRs do."""
    waiting = [
        (f"{number}-{i}", framed(mdm(f"{number}-{i}", document=f"D{number}-{i}").encode())) for i in range(count)
    ]
    while waiting:
        with socket.create_connection(("127.0.0.1", service.mllp)) as line:
            line.settimeout(60)
            framer = Framer(100_000)
            while waiting:
                name, data = waiting[0]
                if faults.random() < 0.02:  # the connection drops within the message, or before its answer
                    line.sendall(data[: faults.randrange(1, len(data) + 1)])
                    break
                at = 0
                while at < len(data):
                    size = faults.choice((1, 7, 100, len(data)))
                    line.sendall(data[at : at + size])
                    at += size
                answers.append((name, answer_of(line, framer)))
                waiting.pop(0)


def answer_of(line: socket.socket, framer: Framer) -> str:
    while piece := line.recv(65536):
        for frame in framer.feed(piece):
            return msa(frame.data)[1]
    return "none"


def check_trouble(service: Service, count: int) -> None:
    faults = random.Random(20260302)
    bad = max(count // 100, 6)
    answers: list[tuple[str, str]] = []
    senders = [
        threading.Thread(target=trouble, args=(service, n, (count - bad) // 4, answers, random.Random(n)))
        for n in range(4)
    ]
    for sender in senders:
        sender.start()
    refused = []
    for i in range(bad):
        with socket.create_connection(("127.0.0.1", service.mllp)) as line:
            line.settimeout(60)
            line.sendall(damaged(i, i))
            framer = Framer(100_000)
            if i % 6 == 2:
                line.sendall(framed(mdm(f"after-{i}", document=f"after-{i}").encode()))
            refused.append(answer_of(line, framer))
            if i % 6 == 2:  # both answers may have come in one piece: that the good one is stored is checked below
                time.sleep(0.2)
        time.sleep(faults.random() * 0.05)
    for sender in senders:
        sender.join()
    good = (count - bad) // 4 * 4
    assert {a for _, a in answers} == {"AA"} and len(answers) == good
    assert set(refused) <= {"AE", "AR"}, refused
    kept = rows(service)
    stored = [r.control_id for r in kept if r.state != "refused"]
    expected = {f"{n}-{i}" for n in range(4) for i in range(good // 4)} | {
        f"after-{i}" for i in range(bad) if i % 6 == 2
    }
    assert sorted(stored) == sorted(expected), "every good message is stored, and once"
    reasons = [r.reason for r in kept if r.state == "refused"]
    assert len(reasons) == bad and all(reasons)


def test_every_good_message_is_stored_once_and_every_bad_one_refused(service: Service) -> None:
    """100 of the 1,000 messages of the bar."""
    check_trouble(service, 100)


@pytest.mark.bars
def test_a_thousand_messages_with_damage_splits_and_drops(service: Service) -> None:
    began = time.monotonic()
    check_trouble(service, 1000)
    print(f"1,000 messages in {time.monotonic() - began:.0f} s")
    service.until(lambda: service.counts()["stored"] == 0, 600)
    assert service.counts()["failed"] == 0

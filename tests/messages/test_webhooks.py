"""Webhooks and charges: kept with the submission, signed, tried again until they arrive, once and for all given up."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import hl7
import pytest
from hl7_samples import mdm
from hl7apy.parser import parse_message

from api.interop.hl7v2.framing import Framer, framed
from api.messages.outbox import MOST_PAUSE, Retries
from api.store.verify import verify

Service = Any
Running = Any
FAST = {"webhook_hosts": {"127.0.0.1"}, "webhook_retry_seconds": 0.05}
SECRET_WORDS = "Assessment: Type 2 diabetes mellitus, on metformin"


class Receiver(ThreadingHTTPServer):
    """Keeps what it is sent; answers with the next of ``answers``, and 204 when none is left."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.url = f"http://127.0.0.1:{self.server_port}/hook"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, Receiver)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server.received.append(({k.lower(): v for k, v in self.headers.items()}, body))
        self.send_response(server.answers.pop(0) if server.answers else 204)
        self.send_header("Content-Length", "0")
        self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def register(service: Service, url: str) -> dict[str, Any]:
    answer = service.http.post("/v1/webhooks", json={"url": url})
    assert answer.status_code == 201, answer.text
    record: dict[str, Any] = answer.json()
    return record


def submit(service: Service, **facts: Any) -> int:
    note = {"id": "visit-1", "text": SECRET_WORDS, "date_of_service": "2026-03-02", **facts}
    number: int = service.http.post("/v1/reviews", json=note).json()["review"]
    finish(service, number)
    return number


def finish(service: Service, number: int, *codes: dict[str, Any]) -> None:
    state = service.http.post(f"/v1/reviews/{number}/open", json={"take_over": True}).json()
    for code in codes or ({"system": "icd-10-cm", "code": "E11.9"},):
        kinds = [{"kind": "added", "system": code["system"], "code": code["code"]}]
        kinds += [{"system": code["system"], "code": code["code"], **extra} for extra in code.get("then", ())]
        for body in kinds:
            answer = service.http.post(f"/v1/reviews/{number}/decisions", json={"version": state["version"], **body})
            assert answer.is_success, answer.text
            state = answer.json()
    errors = [f for f in state["findings"] if f["level"] == "error"]
    overrides = [{"rule": f["rule"], "codes": f["codes"], "reason": "as documented"} for f in errors]
    body = {"version": state["version"], "overrides": overrides}
    done = service.http.post(f"/v1/reviews/{number}/submit", json=body)
    assert done.is_success, done.text


def deliveries(service: Service, hook: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = service.http.get(f"/v1/webhooks/{hook}/deliveries").json()["deliveries"]
    return found


def check_signature(secret: str, headers: dict[str, str], body: bytes) -> None:
    """As a receiver does it by the text of Standard Webhooks, with nothing of the service."""
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 300
    key = base64.b64decode(secret.split("_", 1)[1])
    signed = ".".join((headers["webhook-id"], headers["webhook-timestamp"], body.decode()))
    expected = base64.b64encode(hmac.new(key, signed.encode(), hashlib.sha256).digest()).decode()
    assert f"v1,{expected}" in headers["webhook-signature"].split(" ")


def test_a_submission_is_told_signed_and_without_text(running: Running, receiver: Receiver) -> None:
    with running(**FAST) as service:
        hook = register(service, receiver.url)
        number = submit(service)
        service.until(lambda: receiver.received)
        headers, body = receiver.received[0]
        check_signature(hook["secret"], headers, body)
        record = json.loads(body)
        assert record["type"] == "review.submitted" and record["timestamp"].endswith("Z")
        assert record["data"]["review"] == number and record["data"]["note_id"] == "visit-1"
        assert record["data"]["codes"] == [{"sequence": 1, "system": "icd-10-cm", "code": "E11.9"}]
        assert not any(word.encode() in body for word in ("metformin", "mellitus", "Assessment"))
        service.until(lambda: deliveries(service, hook["webhook"])[0]["state"] == "delivered")
        assert "secret" not in service.http.get(f"/v1/webhooks/{hook['webhook']}").json()
        with service.database.reading() as session:
            assert list(verify(session)) == []


def test_what_fails_is_tried_again_and_given_up_at_last(running: Running, receiver: Receiver) -> None:
    receiver.answers = [500, 302, 429]
    with running(**FAST, webhook_attempts=4) as service:
        hook = register(service, receiver.url)["webhook"]
        submit(service)
        service.until(lambda: deliveries(service, hook) and deliveries(service, hook)[0]["state"] == "delivered")
        assert len(receiver.received) == 4 and len({h["webhook-id"] for h, _ in receiver.received}) == 1
        receiver.answers = [503] * 4
        submit(service, id="visit-2")
        service.until(lambda: deliveries(service, hook)[0]["state"] == "dead")
        dead = deliveries(service, hook)[0]
        assert dead["attempts"] == 4 and dead["last_error"] == "answered with 503"
        again = service.http.post(f"/v1/webhooks/{hook}/deliveries/{dead['delivery']}/redeliver")
        assert again.status_code == 202
        service.until(lambda: deliveries(service, hook)[0]["state"] == "delivered")
        assert receiver.received[-1][0]["webhook-id"] == dead["id"]


def test_events_outlive_the_service(running: Running, receiver: Receiver) -> None:
    with running(**{**FAST, "webhook_retry_seconds": 1.0}) as service:
        receiver.answers = [500]
        hook = register(service, receiver.url)["webhook"]
        submit(service)
        service.until(lambda: receiver.received)
    with running(**FAST) as service:
        service.until(lambda: deliveries(service, hook)[0]["state"] == "delivered")
    assert len(receiver.received) == 2


def test_a_receiver_that_is_gone_or_removed_is_told_nothing(running: Running, receiver: Receiver) -> None:
    with running(**FAST) as service:
        first, second = (register(service, receiver.url)["webhook"] for _ in range(2))
        assert service.http.delete(f"/v1/webhooks/{second}").status_code == 204
        receiver.answers = [410]
        submit(service)
        service.until(lambda: not service.http.get(f"/v1/webhooks/{first}").json()["active"])
        submit(service, id="visit-2")
        time.sleep(1.2)
        assert len(receiver.received) == 1
        assert [w["webhook"] for w in service.http.get("/v1/webhooks").json()["webhooks"]] == [first]
        assert service.http.get(f"/v1/webhooks/{second}").json()["code"] == "webhook-unknown"
        assert service.http.patch(f"/v1/webhooks/{first}", json={"active": True}).json()["active"]


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://localhost/",
        "http://127.0.0.1.evil.example/",
        "http://user:pass@127.0.0.1/",
        "http://evil.example#@127.0.0.1/",
        "http://127.0.0.1\\@evil.example/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "//127.0.0.1/",
        "http://[::1]/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1/a b",
        "",
    ],
)
def test_addresses_that_are_not_allowed(running: Running, url: str) -> None:
    with running(**FAST) as service:
        answer = service.http.post("/v1/webhooks", json={"url": url})
        assert answer.status_code == 422, answer.text
        assert service.http.get("/v1/webhooks").json() == {"webhooks": []}


def test_nothing_is_allowed_unless_it_is_set(service: Service) -> None:
    answer = service.http.post("/v1/webhooks", json={"url": "https://ehr.example/"})
    assert (answer.status_code, answer.json()["code"]) == (422, "webhook-address")


def test_pauses_grow_and_are_spread() -> None:
    retries = Retries(12, 5.0)
    for attempt, whole in ((1, 5.0), (2, 10.0), (5, 80.0), (60, MOST_PAUSE)):
        pauses = {retries.pause(attempt).total_seconds() for _ in range(50)}
        assert whole / 2 <= min(pauses) < max(pauses) <= whole


class Billing(socketserver.ThreadingTCPServer):
    """Takes charges over MLLP; answers AE as long as ``refusals`` says, then AA."""

    allow_reuse_address = True

    def __init__(self, refusals: int) -> None:
        self.messages: list[bytes] = []
        self.refusals = refusals
        super().__init__(("127.0.0.1", 0), _Charges)


class _Charges(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        server, framer = self.server, Framer(100_000)
        assert isinstance(server, Billing)
        while piece := self.request.recv(4096):
            for frame in framer.feed(piece):
                server.messages.append(frame.data)
                server.refusals -= 1
                control = frame.data.decode().split("|")[9]
                word = "AE" if server.refusals >= 0 else "AA"
                answer = r"MSH|^~\&|B||C||20260302||ACK|1|P|2.6" + f"\rMSA|{word}|{control}\r"
                self.request.sendall(framed(answer.encode()))


def check_valid(text: str) -> None:
    """By python-hl7, and by hl7apy as version 2.5.1, without the one field that came later: hl7apy's tables of 2.6
    lack withdrawn fields, so that it takes one field for another."""
    assert hl7.parse(text).segment("MSH")[9][0][0][0] == "DFT"
    older = [("|".join(s.split("|")[:22]) if s.startswith("DG1") else s) for s in text.split("\r")]
    message = parse_message("\r".join(older).replace("|2.6|", "|2.5.1|", 1))
    assert message.msh.msh_9.to_er7() == "DFT^P03^DFT_P03" and message.validate()


def test_charges_go_to_the_billing_system(running: Running) -> None:
    billing = Billing(refusals=1)
    thread = threading.Thread(target=billing.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        with running(billing_address=f"127.0.0.1:{billing.server_address[1]}", webhook_retry_seconds=0.05) as service:
            with socket.create_connection(("127.0.0.1", service.mllp)) as line:
                line.sendall(framed(mdm(patient_class="I", discharged="20260305").encode()))
                line.recv(4096)
            service.coded()
            number = service.http.get("/v1/hl7v2/messages").json()["messages"][0]["review"]
            refused = service.http.get(f"/v1/reviews/{number}/dft")
            assert (refused.status_code, refused.json()["code"]) == (409, "not-submitted")
            diagnosis = {"system": "icd-10-cm", "code": "E11.9", "then": [{"kind": "poa", "poa": "Y"}]}
            finish(service, number, diagnosis, {"system": "icd-10-pcs", "code": "0DTJ4ZZ"})
            service.until(lambda: len(billing.messages) == 2)
            shown = service.http.get(f"/v1/reviews/{number}/dft")
    finally:
        billing.shutdown()
        thread.join()
        billing.server_close()
    assert billing.messages[0].split(b"|")[9] == billing.messages[1].split(b"|")[9], "known again by its control id"
    check_valid(shown.text)
    segments = [s.split("|") for s in shown.text.strip("\r").split("\r")]
    by_name = {s[0]: s for s in segments}
    assert [s[0] for s in segments] == ["MSH", "EVN", "PID", "PV1", "FT1", "PR1", "DG1"]
    assert by_name["PID"][3] == "12345^^^CLINIC^MR" and by_name["PV1"][19] == "V-1001"
    assert by_name["FT1"][7].startswith("0DTJ4ZZ^") and by_name["FT1"][7].endswith("^I10P")
    assert by_name["PR1"][3] == by_name["FT1"][7]
    assert by_name["DG1"][3] == "E11.9^Type 2 diabetes mellitus without complications^I10"
    assert by_name["DG1"][6] == "F" and by_name["DG1"][26] == "Y"


def test_charges_of_an_office_visit(service: Service) -> None:
    number = service.http.post("/v1/reviews", json={"text": SECRET_WORDS, "date_of_service": "2026-03-02"}).json()[
        "review"
    ]
    visit = {
        "system": "cpt",
        "code": "99213",
        "then": [
            {"kind": "modifiers", "modifiers": ["25"]},
            {"kind": "units", "units": 1},
            {"kind": "linked", "diagnoses": ["E11.9"]},
        ],
    }
    finish(service, number, {"system": "icd-10-cm", "code": "E11.9"}, visit)
    text = service.http.get(f"/v1/reviews/{number}/dft").text
    check_valid(text)
    charge = next(s for s in text.split("\r") if s.startswith("FT1")).split("|")
    assert charge[7].startswith("99213^") and charge[7].endswith("^C4") and charge[10] == "1"
    assert charge[19].startswith("E11.9^") and charge[26] == "25"
    only = submit(service, id="visit-2")
    assert "FT1|1|||20260302||CG|CODING^Final codes^L" in service.http.get(f"/v1/reviews/{only}/dft").text

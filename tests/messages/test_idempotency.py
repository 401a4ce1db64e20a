"""Idempotency keys: sent again, a request creates nothing again."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from hl7_samples import mdm
from sqlalchemy import update

from api.store.base import now
from api.store.idempotency import IdempotencyRow

Service = Any
Running = Any
NOTE = {"text": "Assessment: gout.", "date_of_service": "2026-03-02"}


def post(service: Service, key: str, note: Any = NOTE, path: str = "/v1/reviews") -> Any:
    return service.http.post(path, json=note, headers={"Idempotency-Key": key})


def total(service: Service) -> int:
    return sum(service.http.get("/v1/reviews").json()["counts"].values())


def test_the_same_request_gets_the_same_answer(service: Service) -> None:
    first, again, quoted = post(service, "a"), post(service, "a"), post(service, '"a"')
    assert first.status_code == again.status_code == 201 and first.content == again.content == quoted.content
    assert "idempotency-replayed" not in first.headers and again.headers["idempotency-replayed"] == "true"
    assert again.headers["content-type"] == "application/json" and total(service) == 1
    assert post(service, "b").json()["review"] == 2


def test_another_request_with_the_key_is_refused(service: Service) -> None:
    post(service, "a")
    other = post(service, "a", {**NOTE, "text": "Pneumonia."})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    elsewhere = service.http.post(
        "/v1/hl7v2", content=b"x", headers={"Idempotency-Key": "a", "Content-Type": "text/plain"}
    )
    assert elsewhere.status_code == 422 and total(service) == 1


@pytest.mark.parametrize("key", ["", '""', "a" * 256, '"open', "a b", "ä".encode()])
def test_keys_that_can_not_be_used(service: Service, key: str) -> None:
    answer = post(service, key)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency-key-invalid")


def test_what_failed_may_be_mended_and_tried_again(service: Service) -> None:
    assert post(service, "a", {"text": ""}).status_code == 422
    assert post(service, "a").status_code == 201 and total(service) == 1


def test_requests_at_once_create_one_thing(service: Service) -> None:
    start = threading.Barrier(8)

    def send(_: int) -> Any:
        start.wait()
        return post(service, "a")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(8)))
    assert {a.status_code for a in answers} <= {201, 409} and any(a.status_code == 201 for a in answers)
    for refused in (a for a in answers if a.status_code == 409):
        assert refused.json()["code"] == "idempotency-key-running" and refused.headers["retry-after"] == "1"
    assert len({a.json()["review"] for a in answers if a.status_code == 201}) == 1 and total(service) == 1


def test_an_answer_outlives_the_service_and_is_forgotten_in_time(running: Running) -> None:
    with running() as service:
        first = post(service, "a")
    with running() as service:
        assert post(service, "a").content == first.content
        with service.database.writing() as session:
            session.execute(update(IdempotencyRow).values(expires=now() - timedelta(seconds=1)))
        assert post(service, "a").json()["review"] == 2


def test_a_request_that_was_broken_off_holds_its_key_only_for_a_while(service: Service) -> None:
    post(service, "a")
    with service.database.writing() as session:
        session.execute(update(IdempotencyRow).values(status=None, body=None))
    assert post(service, "a").status_code == 409
    with service.database.writing() as session:
        session.execute(update(IdempotencyRow).values(expires=now() - timedelta(seconds=1)))
    assert post(service, "a").status_code == 201


def test_keys_of_messages(service: Service) -> None:
    headers = {"Idempotency-Key": "m", "Content-Type": "application/hl7-v2"}
    answers = [service.http.post("/v1/hl7v2", content=mdm().encode(), headers=headers) for _ in range(2)]
    assert answers[0].content == answers[1].content, "the acknowledgement is the same one, not a second"
    assert answers[1].headers["idempotency-replayed"] == "true"

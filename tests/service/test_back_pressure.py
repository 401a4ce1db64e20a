"""What waits is bounded: beyond it the answer is 429 with Retry-After, and batches take turns with single notes."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import anyio
import pytest

from api.engine import Engine
from api.errors import Problem
from api.places import Places

NDJSON = {"Content-Type": "application/x-ndjson"}
NOTE = {"text": "Gout. HTN.", "date_of_service": "2026-03-02"}


class Slow:
    """An assistant that takes as long as the test wants, and knows how many notes it had at once."""

    def __init__(self, assistant: Any) -> None:
        self._assistant = assistant
        self.go_on = threading.Event()
        self.now = self.most = 0
        self.order: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._assistant, name)

    def suggest(self, note: Any) -> Any:
        self.now += 1
        self.most = max(self.most, self.now)
        self.order.append(str(note.id))
        try:
            assert self.go_on.wait(30)
            return self._assistant.suggest(note)
        finally:
            self.now -= 1


@pytest.mark.parametrize(("threads", "queue", "asked"), [(1, 0, 4), (1, 3, 8), (2, 5, 20)])
def test_as_many_as_run_and_wait_are_answered_and_the_others_refused(
    serving: Any, assistant: Any, threads: int, queue: int, asked: int
) -> None:
    slow = Slow(assistant)
    with serving(slow, threads=threads, queue=queue) as client, ThreadPoolExecutor(asked) as pool:
        sent = [pool.submit(client.post, "/v1/suggestions", json=NOTE) for _ in range(asked)]
        refused = asked - threads - queue
        deadline = time.monotonic() + 20
        while sum(f.done() for f in sent) < refused and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.2)
        assert sum(f.done() for f in sent) == refused  # told at once, while the others wait
        slow.go_on.set()
        answers = [f.result() for f in sent]
        assert client.post("/v1/suggestions", json=NOTE).status_code == 200  # there is room again
    assert sorted(a.status_code for a in answers) == [200] * (threads + queue) + [429] * refused
    assert slow.most <= threads
    for answer in answers:
        if answer.status_code == 429:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["code"] == "too-busy"
            assert 1 <= int(answer.headers["retry-after"]) < 60


@pytest.mark.parametrize(("held", "seconds"), [(1, "1"), (4, "2"), (40, "20")])
def test_the_time_to_try_again_grows_with_what_waits(held: int, seconds: str) -> None:
    places = Places(1, held - 1, 1)
    for _ in range(200):
        places.took(0.5)
    with ExitStack() as stack:
        for _ in range(held):
            stack.enter_context(places.taken(waits=False))
        with pytest.raises(Problem) as refused:
            stack.enter_context(places.taken(waits=False))
    assert refused.value.headers["Retry-After"] == seconds


def test_other_routes_are_answered_while_notes_wait(serving: Any, assistant: Any) -> None:
    slow = Slow(assistant)
    with serving(slow, threads=1, queue=0) as client, ThreadPoolExecutor(1) as pool:
        before = client.get("/v1/reviews").json()["counts"]
        sent = pool.submit(client.post, "/v1/suggestions", json=NOTE)
        while not slow.now:
            time.sleep(0.01)
        assert client.get("/healthz").status_code == 200
        assert client.get("/v1/codes", params={"q": "gout"}).status_code == 200
        assert client.post("/v1/reviews", json=NOTE).json()["code"] == "too-busy"
        assert client.get("/v1/reviews").json()["counts"] == before  # nothing was kept of it
        slow.go_on.set()
        assert sent.result().status_code == 200


def test_the_lines_of_a_batch_wait_and_are_not_refused(serving: Any, assistant: Any) -> None:
    slow = Slow(assistant)
    lines = b"".join(json.dumps({**NOTE, "id": f"b{i}"}).encode() + b"\n" for i in range(6))
    with serving(slow, threads=1, queue=2, streams=1) as client, ThreadPoolExecutor(8) as pool:
        batch = pool.submit(client.post, "/v1/suggestions:batch", content=lines, headers=NDJSON)
        while not slow.now:
            time.sleep(0.01)
        second = client.post("/v1/suggestions:batch", content=lines, headers=NDJSON)
        assert (second.status_code, second.json()["code"]) == (429, "too-busy")
        single = [pool.submit(client.post, "/v1/suggestions", json={**NOTE, "id": f"s{i}"}) for i in range(2)]
        time.sleep(0.3)
        slow.go_on.set()
        assert [f.result().status_code for f in single] == [200, 200]
        assert [json.loads(row)["id"] for row in batch.result().text.splitlines()] == [f"b{i}" for i in range(6)]
        assert client.post("/v1/suggestions:batch", content=lines, headers=NDJSON).status_code == 200  # it has ended
    # who came while the first line was read has the next turns: a batch holds nobody up by its length
    assert slow.order[0] == "b0" and set(slow.order[1:4]) >= {"s0", "s1"}


def test_a_batch_whose_client_leaves_gives_its_place_back(serving: Any, assistant: Any) -> None:
    with serving(assistant, streams=1) as client:
        places: Places = client.app.state.engine.places
        for _ in range(3):
            assert (
                client.post("/v1/suggestions:batch", content=b'{"text": "Gout."}\n', headers=NDJSON).status_code == 200
            )
            assert (
                client.post("/v1/suggestions:batch", content=b"{}", headers={"Content-Type": "text/x"}).status_code
                == 415
            )
        places.open_stream()  # as of a client that is still there
        assert client.post("/v1/suggestions:batch", content=b"", headers=NDJSON).status_code == 429
        places.close_stream()
        assert client.post("/v1/suggestions:batch", content=b"", headers=NDJSON).status_code == 200


def test_work_that_fails_or_is_left_gives_its_place_back(assistant: Any) -> None:
    engine = Engine(lambda: assistant, 1, Places(1, 0, 1), lambda: None)

    def fail() -> None:
        raise ValueError("no note")

    async def talk() -> None:
        async with engine.running():
            for _ in range(3):
                with pytest.raises(ValueError, match="no note"):
                    await engine.run(fail)
            blocked = threading.Event()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(engine.run, blocked.wait)
                await anyio.sleep(0.05)
                with anyio.move_on_after(0.05):
                    await engine.run(lambda: None, waits=True)  # gives up while it waits
                with pytest.raises(Problem):
                    await engine.run(lambda: None)
                blocked.set()
            assert await engine.run(lambda: 7) == 7

    anyio.run(talk)

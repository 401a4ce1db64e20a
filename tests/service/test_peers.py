"""Requests that a worker has done by another: the same answer, done once, and never lost with the other worker."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from service_process import NOTE, Running

from api.peers import HARMLESS, LONGEST_BODY, PassOn, Peers
from api.sharing import Loads, Share

Application = Callable[[Any, Any, Any], Awaitable[None]]
LATIN = st.text(st.characters(min_codepoint=32, max_codepoint=255, blacklist_characters="\x7f"), max_size=20)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Of sockets, whose paths can't be long."""
    with tempfile.TemporaryDirectory(prefix="peers-") as made:
        yield Path(made)


class Desk:
    """An application that says who it is and what it was asked, and keeps count."""

    def __init__(self, name: str, work: Awaitable[None] | None = None) -> None:
        self.name = name
        self.scopes: list[Any] = []
        self.bodies: list[bytes] = []
        self._work = work

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message["body"]
            more = message["more_body"]
        self.scopes.append(scope)
        self.bodies.append(body)
        if self._work is not None:
            await self._work
        headers = [(b"x-desk", self.name.encode()), (b"x-word", "ä".encode("latin-1"))]
        await send({"type": "http.response.start", "status": 201, "headers": headers})
        await send({"type": "http.response.body", "body": b"part ", "more_body": True})
        await send({"type": "http.response.body", "body": body[::-1]})


def _scope(path: str = "/v1/reviews", method: str = "POST", size: int | None = 4, **more: Any) -> dict[str, Any]:
    headers = [(b"x-a", b"1"), (b"x-a", b"2")]
    if size is not None:
        headers.append((b"content-length", b"%d" % size))
    return {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"q=1",
        "headers": headers,
        "client": ("10.1.2.3", 4711),
        "server": ("127.0.0.1", 8000),
        "state": {"own": 1},
        **more,
    }


async def _ask(application: Application, scope: dict[str, Any], *parts: bytes) -> tuple[int, dict[bytes, bytes], bytes]:
    """Status, headers and body of the answer to a request whose body comes in parts."""
    left = list(parts) or [b"note"]
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    async def keep(message: Any) -> None:
        sent.append(message)

    await application(scope, receive, keep)
    return sent[0]["status"], dict(sent[0]["headers"]), b"".join(m.get("body", b"") for m in sent[1:])


def _run(
    folder: Path,
    work: Callable[[Application, Desk, Desk, Peers], Awaitable[None]],
    held: tuple[int, int] = (1, 0),
    far: Desk | None = None,
) -> None:
    """Two workers that hold so much; ``work`` gets what callers of the first meet, both applications and the other's
    end."""

    async def run() -> None:
        loads = Loads(2)
        for number, pieces in enumerate(held):
            loads.hold(number, pieces)
        here, there = Desk("here"), far or Desk("there")
        own, other = Peers(folder, 0), Peers(folder, 1)
        await own.listen(here)
        await other.listen(there)
        try:
            await asyncio.wait_for(work(PassOn(here, Share(loads, 0), own), here, there, other), 20)
        finally:
            await own.close(1)
            await other.close(1)

    asyncio.run(run())


def test_a_request_is_done_whole_by_the_worker_that_holds_less(folder: Path) -> None:
    async def work(application: Application, here: Desk, there: Desk, _: Peers) -> None:
        for _round in range(3):  # by one connection
            status, headers, body = await _ask(application, _scope(), b"no", b"te")
            assert (status, headers, body) == (201, {b"x-desk": b"there", b"x-word": b"\xe4"}, b"part eton")
        assert here.bodies == [] and there.bodies == [b"note"] * 3
        scope = there.scopes[0]
        assert {**scope, "state": None, "asgi": None} == {**_scope(), "state": None, "asgi": None}
        assert scope["state"] == {}  # what a server keeps for itself stays with it

    _run(folder, work)


@pytest.mark.parametrize(
    ("scope", "held"),
    [
        (_scope(), (0, 0)),
        (_scope(), (1, 1)),
        (_scope(), (1, 2)),
        (_scope(method="GET"), (5, 0)),
        (_scope(method="HEAD"), (5, 0)),
        (_scope("/v1/suggestions:batch"), (5, 0)),  # a stream
        (_scope(size=None), (5, 0)),  # nobody knows how long it will be
        (_scope(size=LONGEST_BODY + 1), (5, 0)),
    ],
)
def test_what_is_done_where_it_came_in(folder: Path, scope: dict[str, Any], held: tuple[int, int]) -> None:
    async def work(application: Application, here: Desk, there: Desk, _: Peers) -> None:
        _, headers, body = await _ask(application, scope, b"no", b"te")
        assert headers[b"x-desk"] == b"here" and body == b"part eton"
        assert there.bodies == []
        assert here.scopes[0] is scope

    _run(folder, work, held)


@given(path=LATIN, value=LATIN, query=st.binary(max_size=20), body=st.binary(max_size=2000))
@settings(max_examples=40, deadline=None)
def test_whatever_is_asked_comes_over_unchanged(path: str, value: str, query: bytes, body: bytes) -> None:
    sent = _scope(f"/{path}", size=len(body), query_string=query)
    sent["headers"].append((b"x-value", value.encode("latin-1")))

    async def work(application: Application, here: Desk, there: Desk, _: Peers) -> None:
        _, _, answered = await _ask(application, sent, body)
        assert there.bodies == [body] and answered == b"part " + body[::-1]
        for name in ("path", "raw_path", "query_string", "headers", "client"):
            assert there.scopes[0][name] == sent[name]

    if not sent["path"].endswith(":batch"):
        with tempfile.TemporaryDirectory(prefix="peers-") as made:
            _run(Path(made), work)


def test_a_worker_that_is_gone_costs_no_request(folder: Path) -> None:
    async def work(application: Application, here: Desk, there: Desk, other: Peers) -> None:
        await _ask(application, _scope())
        await other.close(1)
        await asyncio.sleep(0.05)
        _, headers, _ = await _ask(application, _scope())  # nothing was sent, so it can be done here
        assert headers[b"x-desk"] == b"here"
        again = Peers(folder, 1)  # another takes its place, by the same number
        await again.listen(there)
        _, headers, _ = await _ask(application, _scope())
        assert headers[b"x-desk"] == b"there"
        await again.close(1)
        assert len(here.bodies) == 1 and len(there.bodies) == 2

    _run(folder, work)


class Dying(Desk):
    """An application that fails before its answer."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.bodies.append((await receive())["body"])
        raise RuntimeError("gone")


def test_a_suggestion_is_done_here_when_the_other_worker_ends_before_its_answer(folder: Path) -> None:
    async def work(application: Application, here: Desk, there: Desk, _: Peers) -> None:
        status, headers, _body = await _ask(application, _scope(HARMLESS))
        assert (status, headers[b"x-desk"]) == (201, b"here")
        assert here.bodies == there.bodies == [b"note"]

    _run(folder, work, far=Dying("there"))


def test_what_may_be_kept_already_is_not_done_twice(folder: Path) -> None:
    async def work(application: Application, here: Desk, there: Desk, _: Peers) -> None:
        status, headers, body = await _ask(application, _scope("/v1/reviews"))
        assert status == 500 and headers[b"content-type"] == b"application/problem+json"
        assert b"internal-error" in body
        assert here.bodies == [] and there.bodies == [b"note"]

    _run(folder, work, far=Dying("there"))


def test_a_worker_that_stops_ends_what_was_passed_on(folder: Path) -> None:
    async def work(application: Application, here: Desk, there: Desk, other: Peers) -> None:
        asked = asyncio.create_task(_ask(application, _scope()))
        while not there.bodies:
            await asyncio.sleep(0.01)
        begin = asyncio.get_running_loop().time()
        await other.close(10)
        assert 0.1 < asyncio.get_running_loop().time() - begin < 5
        assert (await asked)[1][b"x-desk"] == b"there"

    _run(folder, work, far=Desk("there", asyncio.sleep(0.3)))


def test_a_caller_that_leaves_has_nothing_done(folder: Path) -> None:
    async def work(application: Application, here: Desk, there: Desk, _: Peers) -> None:
        messages = [{"type": "http.request", "body": b"no", "more_body": True}, {"type": "http.disconnect"}]

        async def receive() -> Any:
            return messages.pop(0)

        async def send(message: Any) -> None:
            raise AssertionError(message)

        await application(_scope(), receive, send)
        assert here.bodies == there.bodies == []

    _run(folder, work)


def test_callers_keep_their_connections_and_both_workers_have_work(pair: Running) -> None:
    before = [p.cpu_times().user for p in pair.workers()]
    with httpx.Client(base_url=pair.address, timeout=60, trust_env=False) as client, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.post("/v1/suggestions", json=NOTE), range(300)))
    assert {a.status_code for a in answers} == {200} and len({a.content for a in answers}) == 1
    assert not [a for a in answers if a.headers.get("connection") == "close"]
    took = [p.cpu_times().user - b for p, b in zip(pair.workers(), before, strict=True)]
    assert min(took) > 0.2 * sum(took), f"one worker has nearly everything: {took}"

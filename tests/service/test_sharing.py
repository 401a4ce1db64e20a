"""Workers that share a listening socket: who takes the next caller."""

from __future__ import annotations

import asyncio
import socket
from functools import partial

import pytest

from api.places import UNREADY, Places
from api.sharing import Line, Loads, Share


class Named(asyncio.Protocol):
    """Says who has taken the caller."""

    def __init__(self, name: bytes) -> None:
        self.name = name

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(self.name)
        transport.close()


async def _call(address: tuple[str, int]) -> bytes:
    reader, writer = await asyncio.open_connection(*address)
    said = await reader.read()
    writer.close()
    return said


def _takers(held: list[int], calls: int = 40) -> list[bytes]:
    """Who takes each of the callers that come all at once, when workers hold so much."""

    async def run() -> list[bytes]:
        loads = Loads(len(held))
        with socket.create_server(("127.0.0.1", 0), backlog=calls) as listener:
            shares = [Share(loads, n) for n in range(len(held))]
            ends = [listener.dup() for _ in held]  # as each process has its own
            lines = [Line(end, partial(Named, b"%d" % n), shares[n]) for n, end in enumerate(ends)]
            for share, work in zip(shares, held, strict=True):
                share.hold(work)
            try:
                calling = (_call(listener.getsockname()) for _ in range(calls))
                return await asyncio.wait_for(asyncio.gather(*calling), 30)
            finally:
                for line, end in zip(lines, ends, strict=True):
                    line.close()
                    end.close()

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("held", "takers"),
    [
        ([0], {b"0"}),
        ([3, 1], {b"1"}),
        ([0, UNREADY], {b"0"}),
        ([2, 2], {b"0", b"1"}),
        ([5, 1, 1], {b"1", b"2"}),
        ([UNREADY, UNREADY], {b"0", b"1"}),
    ],
)
def test_callers_go_to_those_who_hold_the_least(held: list[int], takers: set[bytes]) -> None:
    assert set(_takers(held)) == takers


def test_callers_that_come_at_once_are_parted() -> None:
    taken = _takers([0, 0])
    assert min(taken.count(b"0"), taken.count(b"1")) >= len(taken) // 4


def test_who_has_left_stands_in_nobodys_way() -> None:
    loads = Loads(2)
    share, other = Share(loads, 0), Share(loads, 1)
    share.hold(4)
    assert share.least_elsewhere() is None  # the other has not begun
    other.hold(0)
    assert share.least_elsewhere() == 1
    other.leave()
    assert share.least_elsewhere() is None


@pytest.mark.parametrize(
    ("held", "least"),
    [([1, 0], 1), ([3, 2, 1], 2), ([2, 2], None), ([0, 1], None), ([4], None), ([4, UNREADY], None), ([9, 1, 1], 1)],
)
def test_a_request_fares_better_only_where_less_is_held(held: list[int], least: int | None) -> None:
    loads = Loads(len(held))
    for number, work in enumerate(held):
        loads.hold(number, work)
    assert Share(loads, 0).least_elsewhere() == least


def test_what_is_held_is_told_once_work_can_be_done() -> None:
    told: list[int] = []
    places = Places(1, 4, 1, told.append)
    with places.taken(waits=False):
        assert told == [UNREADY]
        places.open()
        with places.taken(waits=True):
            pass
    assert told == [UNREADY, 1, 2, 1, 0]

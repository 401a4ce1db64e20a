"""Callers of a running service, for locust: each posts one audited note after the other to ``/v1/suggestions``.

    .venv/bin/locust -f tools/load/locustfile.py --headless -u 16 -r 16 -t 30s --host http://127.0.0.1:8000

``--pace N`` sends N requests a second by one timetable, whatever the answers take: whichever caller is free takes the
next moment, so there must be more callers than requests under way. Without it each asks again at once. 429 is counted
as an answer of its own, by name.
"""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterator
from typing import ClassVar

import gevent
from bodies import bodies
from locust import FastHttpUser, events, task
from locust.argument_parser import LocustArgumentParser

JSON = {"Content-Type": "application/json"}


@events.init_command_line_parser.add_listener
def _options(parser: LocustArgumentParser) -> None:
    parser.add_argument("--pace", type=float, default=0, help="requests a second of all callers together")
    parser.add_argument("--random", action="store_true", help="with a pace, requests come as from independent callers")


def timetable(pace: float, spread: bool) -> Iterator[float]:
    """Moments, ``pace`` of them a second: at even distances, or as independent callers come (a Poisson process). They
    begin in a second, when all callers are there."""
    chance = random.Random(1)
    due = time.monotonic() + 1
    while True:
        yield due
        due += chance.expovariate(pace) if spread else 1 / pace


class Caller(FastHttpUser):
    """One program that sends notes."""

    _bodies = itertools.cycle(bodies())
    _due: ClassVar[Iterator[float]]

    def wait_time(self) -> float:
        """Seconds to the next moment of the timetable that no other caller has taken."""
        options = self.environment.parsed_options
        if not options.pace:
            return 0
        if not hasattr(Caller, "_due"):
            Caller._due = timetable(options.pace, options.random)
        return max(next(Caller._due) - time.monotonic(), 0)

    def on_start(self) -> None:
        """With a pace, the first request waits for its moment too."""
        gevent.sleep(self.wait_time())

    @task
    def suggest(self) -> None:
        """Code one note."""
        with self.client.post(
            "/v1/suggestions", data=next(self._bodies), headers=JSON, name="suggest", catch_response=True
        ) as answer:
            if answer.status_code == 429:
                answer.request_meta["name"] = "too busy"
                answer.success()

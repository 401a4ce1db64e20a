"""The same notes by the same timetable with no service in between: what these processors allow any service.

Two processes take the next note from one counter as soon as they are free, and read it. Nothing is sent, no queue is
kept and no choice is made, so a service with as many workers can't be faster at the same share of its own throughput.
Where even this is late, the processors were slow for a while.
"""

from __future__ import annotations

import gc
import multiprocessing
import statistics
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import Synchronized

from bodies import bodies

import codeassist
from api.routes.answers import json_bytes
from api.schemas import NoteIn, parse_note

READY = 1.0
"""Seconds until a timetable begins: every reader has it by then."""
NEVER = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Timetable:
    """Moments of :func:`time.monotonic`; ``pace`` notes are due each second, or with 0 each when a reader is free."""

    begin: float
    end: float
    pace: float

    def due(self, number: int) -> float:
        """When note ``number`` is to be read."""
        return self.begin + number / self.pace if self.pace else max(self.begin, time.monotonic())


@dataclass(frozen=True, slots=True)
class Reading:
    """Notes read a second, and milliseconds from the moment that a note was due to its end."""

    rate: float
    median: float
    p99: float

    def print(self, name: str) -> None:
        """As a row of the table."""
        print(f"{name:12}{self.rate:6.1f} notes/s   median {self.median:5.1f} ms   p99 {self.p99:5.1f} ms", flush=True)


@dataclass(frozen=True, slots=True)
class Bare:
    """One reader without a pause, two, and two at a share of what they reached."""

    quiet: Reading
    both: Reading
    at_a_pace: Reading

    @property
    def latency(self) -> float:
        """The 99th percentile at the pace, as a multiple of a single reader's median."""
        return self.at_a_pace.p99 / self.quiet.median


class Readers:
    """Processes with an assistant each, for as long as the context lasts."""

    def __init__(self, number: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._next: Synchronized[int] = context.Value("q")
        self._lines: list[Connection] = []
        for _ in range(number):
            ours, theirs = context.Pipe()
            context.Process(target=_read, args=(theirs, self._next), daemon=True).start()
            self._lines.append(ours)
        for line in self._lines:
            line.recv()

    def read(self, seconds: float, readers: int, pace: float = 0) -> Reading:
        """Read by a timetable, with so many of the processes."""
        begin = time.monotonic() + READY
        self._next.value = 0
        for line in self._lines[:readers]:
            line.send(Timetable(begin, begin + seconds, pace))
        took = sorted(t for line in self._lines[:readers] for t in line.recv())
        return Reading(len(took) / seconds, 1000 * statistics.median(took), 1000 * took[int(0.99 * len(took))])

    def measure(self, seconds: float, share: float) -> Bare:
        """The rounds of a service, read bare."""
        quiet, both = self.read(seconds / 2, 1), self.read(seconds / 2, 2)
        return Bare(quiet, both, self.read(seconds, 2, share * both.rate))

    def __enter__(self) -> Readers:
        return self

    def __exit__(self, *_: object) -> None:
        for line in self._lines:
            line.send(None)


def _read(line: Connection, following: Synchronized[int]) -> None:
    assistant = codeassist.load()
    notes = bodies()

    def read(number: int) -> None:
        json_bytes(assistant.suggest(parse_note(notes[number % len(notes)], NoteIn)).as_record())

    gc.set_threshold(*gc.get_threshold()[:2], NEVER)  # a worker too puts full collections off (api.garbage)
    for number in range(len(notes)):
        read(number)
    line.send("ready")
    while timetable := line.recv():
        took = []
        while True:
            with following:
                number = following.value
                following.value += 1
            due = timetable.due(number)
            if due >= timetable.end:
                break
            time.sleep(max(0, due - time.monotonic()))
            read(number)
            took.append(time.monotonic() - due)
        line.send(took)

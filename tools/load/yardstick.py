"""What a note costs beside the service at the same moment: tells a machine that slows from a service that does."""

from __future__ import annotations

import bisect
import itertools
import statistics
import threading
import time

import codeassist
from api.examples import examples

PAUSE = 0.5
"""Seconds between two readings; each takes about 10 ms of a processor."""


class Yardstick(threading.Thread):
    """Reads one of a few notes now and then, in this process, which serves nobody.

    Its code and its data are those of a worker, and it needs the same caches; but it is never asked by others, keeps
    nothing, and has no database. Where a note costs more in both, the machine is slower.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._assistant = codeassist.load()
        self._readings: list[tuple[float, str, float]] = []
        self._stop_reading = threading.Event()

    def run(self) -> None:
        """Read until :meth:`stop`."""
        for note in itertools.cycle(example.note for example in examples()):
            if self._stop_reading.wait(PAUSE):
                return
            begin = time.thread_time()
            self._assistant.suggest(note)
            self._readings.append((time.monotonic(), note.text, time.thread_time() - begin))

    def stop(self) -> None:
        """Read no more."""
        self._stop_reading.set()
        self.join()

    def cost(self, begin: float, end: float) -> float:
        """Processor milliseconds a note between two moments of :func:`time.monotonic`, NaN without readings.

        The mean of the least that each note has ever taken here, times the median of the readings' multiples of the
        least of their own note: so it does not matter which of the notes were read in between.
        """
        readings = list(self._readings)
        least: dict[str, float] = {}
        for _, text, seconds in readings:
            least[text] = min(seconds, least.get(text, seconds))
        first, last = (bisect.bisect_left(readings, (moment,)) for moment in (begin, end))
        multiples = [seconds / least[text] for _, text, seconds in readings[first:last]]
        return 1000 * statistics.mean(least.values()) * statistics.median(multiples) if multiples else float("nan")

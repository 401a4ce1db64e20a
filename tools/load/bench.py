"""Loads a live service and prints what it keeps up: ``make bench-service``.

    throughput   notes a second with 1 and with 2 workers, callers asking without a pause
    latency      at 80 % of the 2 workers' throughput, beside the median of a single caller; and as independent
                 callers come
    memory       of the workers over ``--minutes`` at that pace

Throughput and latency are the medians of short rounds that each measure all of it, because machines are not equally
fast all the time. Beside each round stands the processor time that the pace took, as a share of what two workers took
without a pause: far from 80 %, a note cost more or less by then. All rounds count: the service can be the cause.

After each comes the same with no service in between (``tools/load/bare.py``): what the processors allow any service.

Ends with status 1 where a bar is missed. Figures hold for a machine that does nothing else; locust takes part of it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from bare import Bare, Readers

LOCUST = [sys.executable, "-m", "locust", "-f", str(Path(__file__).with_name("locustfile.py"))]
CALLERS, AT_A_PACE = 16, 64
"""How many there are; with a pace so many that one is always free."""
WARM_SECONDS = 20
"""By then each worker has read nearly all of the notes; a note that it has not read yet costs it half as much more."""
ROUNDS = 9
PACE = 0.8
"""The share of the throughput that is asked for."""
SCALING, LATENCY, GROWTH = 1.7, 5.0, 0.02
"""The bars: throughput of 2 workers to 1; 99th percentile to the unloaded median; memory that is added, as a share."""


@dataclass(frozen=True, slots=True)
class Load:
    """What callers met: answers a second, the median and 99th percentile in milliseconds, refusals, failures; how many
    processors other programs took meanwhile (figures are worth little where these are not near 0); and processor
    milliseconds of the service for a note."""

    rate: float
    median: float
    p99: float
    refused: int
    failed: int
    others: float
    cost: float

    def print(self, name: str) -> None:
        """As a row of the table."""
        print(
            f"{name:12}{self.rate:6.1f} notes/s   median {self.median:5.0f} ms   p99 {self.p99:5.0f} ms   "
            f"service {self.cost:4.1f} processor-ms a note   other programs {self.others:.1f} processors",
            flush=True,
        )


@dataclass(frozen=True, slots=True)
class Service:
    """A running service."""

    address: str
    process: subprocess.Popen[str]

    def memory(self) -> float:
        """MiB that the workers have for themselves alone."""
        own = [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]
        return float(sum(p.memory_full_info().uss for p in own)) / 2**20

    def processor_seconds(self) -> float:
        """What all its processes have taken."""
        own = [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]
        return float(sum(t.user + t.system for t in (p.cpu_times() for p in own)))


@contextmanager
def serving(workers: int) -> Iterator[Service]:
    """A service on a free port with a database of its own, once all its workers are ready."""
    with tempfile.TemporaryDirectory(prefix="codeassist-bench-") as folder:
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "CODEASSIST_DATABASE_URL": f"sqlite:///{folder}/bench.sqlite3",
            "CODEASSIST_REGISTRY_DIR": f"{folder}/registry",
        }
        command = [sys.executable, "-m", "codeassist.cli", "serve", "--port", "0", "--workers", str(workers)]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
        )
        try:
            assert process.stdout is not None
            address = process.stdout.readline().split(" at ")[1].split()[0]
            _wait(address, workers, process)
            yield Service(address, process)
        finally:
            process.terminate()
            process.wait(60)


def _wait(address: str, workers: int, process: subprocess.Popen[str]) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise SystemExit("the service has ended")
        try:
            with urllib.request.urlopen(f"{address}/metrics") as answer:
                if f"codeassist_workers {workers}.0" in answer.read().decode():
                    return
        except urllib.error.URLError:
            pass
        time.sleep(0.2)
    raise SystemExit("the service was not ready")


def load(service: Service, seconds: float, callers: int, pace: float = 0, *options: str) -> Load:
    """Put the load on, and tell what came of it. ``options`` are more of the locustfile's."""
    command = [*LOCUST, "--headless", "--json", "--host", service.address, "-u", str(callers), "-r", str(callers)]
    own, busy, begin = service.processor_seconds(), _busy(), time.monotonic()
    spent = _ours()
    done = subprocess.run(
        [*command, "-t", f"{seconds:.0f}s", "--pace", str(pace), "--loglevel", "ERROR", "--only-summary", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    serving_took = service.processor_seconds() - own
    ours = serving_took + _ours() - spent
    others = max(_busy() - busy - ours, 0) / (time.monotonic() - begin)
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    answered = rows["suggest"]
    times = sorted((float(ms), count) for ms, count in answered["response_times"].items())
    took = answered["last_request_timestamp"] - answered["start_time"]
    cost = 1000 * serving_took / answered["num_requests"]
    refused = rows.get("too busy", {"num_requests": 0})["num_requests"]
    return Load(
        rate=answered["num_requests"] / took,
        median=_percentile(times, 0.5),
        p99=_percentile(times, 0.99),
        refused=refused,
        failed=answered["num_failures"],
        others=others,
        cost=cost,
    )


def _busy() -> float:
    """Seconds that the processors of this machine have worked."""
    times = psutil.cpu_times()
    return float(times.user + times.system + times.nice)


def _ours() -> float:
    """Processor seconds of this process and of those that it has waited for."""
    return sum(os.times()[:4])


def _percentile(times: list[tuple[float, int]], share: float) -> float:
    left = share * sum(count for _, count in times)
    for milliseconds, count in times:
        left -= count
        if left <= 0:
            return milliseconds
    raise ValueError("no answers")


@dataclass(frozen=True, slots=True)
class Round:
    """A single caller, callers without a pause of one worker and of two, requests at 80 % of what two reached, and the
    same without a service."""

    quiet: Load
    alone: Load
    both: Load
    at_a_pace: Load
    bare: Bare

    @property
    def scaling(self) -> float:
        """Throughput of two workers, as a multiple of that of one."""
        return self.both.rate / self.alone.rate

    @property
    def latency(self) -> float:
        """The 99th percentile at the pace, as a multiple of the single caller's median."""
        return self.at_a_pace.p99 / self.quiet.median

    @property
    def share(self) -> float:
        """Processor time that the pace took, as a share of what two workers took without a pause."""
        return self.at_a_pace.rate * self.at_a_pace.cost / (self.both.rate * self.both.cost)

    @property
    def loads(self) -> tuple[Load, ...]:
        """All that was measured."""
        return self.quiet, self.alone, self.both, self.at_a_pace


def measure(one: Service, two: Service, seconds: float, readers: Readers) -> Round:
    """Measure and print one round, with services of one worker and of two that both run; the other one rests."""
    quiet = load(two, seconds / 2, 1)
    quiet.print("1 caller")
    alone = load(one, seconds / 2, CALLERS)
    alone.print("1 worker")
    both = load(two, seconds / 2, CALLERS)
    both.print("2 workers")
    at_a_pace = load(two, seconds, AT_A_PACE, PACE * both.rate)
    at_a_pace.print("80 %")
    bare = readers.measure(seconds, PACE)
    bare.quiet.print("bare, 1")
    bare.both.print("bare, 2")
    bare.at_a_pace.print("bare, 80 %")
    found = Round(quiet, alone, both, at_a_pace, bare)
    print(
        f"round       2 workers {found.scaling:.2f} times 1, p99 {found.latency:.1f} times the single caller's median "
        f"at {found.share:.0%} of the processor time; bare {bare.latency:.1f} times",
        flush=True,
    )
    return found


def growth(service: Service, minutes: float, pace: float) -> tuple[float, float, Load]:
    """MiB of the workers after a quarter of the time and at its end, each the median of a quarter."""
    samples: list[float] = []
    stop = threading.Event()

    def sample() -> None:
        while not stop.wait(max(0.5, minutes)):
            samples.append(service.memory())

    thread = threading.Thread(target=sample)
    thread.start()
    met = load(service, minutes * 60, AT_A_PACE, pace)
    stop.set()
    thread.join()
    quarter = len(samples) // 4
    return statistics.median(samples[quarter : 2 * quarter]), statistics.median(samples[-quarter:]), met


def bench(seconds: float, minutes: float) -> bool:
    """Measure and print; gives whether every bar is kept."""
    with Readers(2) as readers:
        with serving(2) as two:
            with serving(1) as one:
                for service in (one, two):
                    load(service, WARM_SECONDS, CALLERS)
                rounds = [measure(one, two, seconds, readers) for _ in range(ROUNDS)]
            pace = PACE * statistics.median(r.both.rate for r in rounds)
            independent = load(two, seconds, AT_A_PACE, pace, "--random")
            independent.print("80 %, random")
            before, after, long = growth(two, minutes, pace)
            long.print(f"{minutes:g} minutes")
        bare = readers.read(minutes * 60, 2, PACE * statistics.median(r.bare.both.rate for r in rounds))
        bare.print(f"bare, {minutes:g} min")
    failed = sum(each.failed for each in (independent, long, *(each for r in rounds for each in r.loads)))
    scaling = statistics.median(r.scaling for r in rounds)
    latency = statistics.median(r.latency for r in rounds)
    bars = [
        ("throughput of 2 workers to 1", scaling, scaling >= SCALING, f">= {SCALING}"),
        ("p99 at 80 % to unloaded median", latency, latency <= LATENCY, f"<= {LATENCY}"),
        ("memory at the end to before", after / before, after <= (1 + GROWTH) * before, f"<= {1 + GROWTH}"),
        ("failed requests", failed, failed == 0, "0"),
    ]
    print(f"memory      {before:.1f} MiB of the workers' own after a quarter of the time, {after:.1f} at the end")
    of_long = long.p99 / statistics.median(r.quiet.median for r in rounds)
    bare_long = bare.p99 / statistics.median(r.bare.quiet.median for r in rounds)
    print(f"p99         of the {minutes:g} minutes {of_long:.1f} times the unloaded median, bare {bare_long:.1f} times")
    print(f"p99 bare    {statistics.median(r.bare.latency for r in rounds):.1f} times, the median of the rounds")
    for name, value, kept, bar in bars:
        print(f"{'kept  ' if kept else 'MISSED'}  {name:32} {value:6.2f}   bar {bar}")
    return all(kept for _, _, kept, _ in bars)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10, help="of each measurement")
    parser.add_argument("--minutes", type=float, default=1, help="of the load under which memory is watched")
    options = parser.parse_args()
    sys.exit(0 if bench(options.seconds, options.minutes) else 1)

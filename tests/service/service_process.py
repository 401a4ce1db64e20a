"""``codeassist serve`` in processes of its own, with a database and a registry of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

SECONDS_TO_LOAD = 120
NOTE = {"text": "Assessment: T2DM with CKD 3a. HTN. Gout.", "date_of_service": "2026-03-02"}
NDJSON = {"Content-Type": "application/x-ndjson"}


@dataclass
class Running:
    """A service; ``client`` opens a connection for each request, so that any worker may answer."""

    address: str
    process: subprocess.Popen[str]
    client: httpx.Client = field(repr=False)
    mllp: int = 0
    """The port of HL7 messages, where they are taken."""

    def metric(self, name: str) -> float:
        """The value of a metric, named with its labels as the exposition has them; 0 where there is none."""
        for line in self.client.get("/metrics").text.splitlines():
            if line.startswith(name + " "):
                return float(line.rsplit(" ", 1)[1])
        return 0

    def workers(self) -> list[psutil.Process]:
        """The processes that serve."""
        found = psutil.Process(self.process.pid).children()
        return [p for p in found if "resource_tracker" not in " ".join(p.cmdline())]

    def wait_for(self, name: str, value: float, seconds: float = SECONDS_TO_LOAD) -> float:
        """Until a metric has a value; gives the seconds that it took."""
        begin = time.monotonic()
        while time.monotonic() < begin + seconds:
            with suppress(httpx.TransportError):
                if self.metric(name) == value:
                    return time.monotonic() - begin
            assert self.process.poll() is None, "the service has ended"
            time.sleep(0.05)
        raise AssertionError(f"{name} was never {value}")

    def stop(self) -> int:
        """SIGTERM, and the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def start(folder: Path, *options: str, **settings: Any) -> subprocess.Popen[str]:
    """A service whose address is the first line of its standard output."""
    environment = {f"CODEASSIST_{name.upper()}": str(value) for name, value in settings.items()}
    defaults = {
        "CODEASSIST_DATABASE_URL": f"sqlite:///{folder / 'service.sqlite3'}",
        "CODEASSIST_REGISTRY_DIR": str(folder / "registry"),
        "OMP_NUM_THREADS": "1",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "codeassist.cli", "serve", "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=(folder / "log").open("w"),
        text=True,
        env={**os.environ, **defaults, **environment},
    )


@contextmanager
def running(folder: Path, workers: int = 1, mllp: bool = False, **settings: Any) -> Iterator[Running]:
    """A service with this many workers, once all can code; with ``mllp`` it takes HL7 messages too."""
    options = ("--mllp", "0") if mllp else ()
    process = start(folder, "--workers", str(workers), *options, **settings)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert " at " in line, (folder / "log").read_text()
        address = line.split(" at ")[1].split()[0]
        port = int(process.stdout.readline().rsplit(":", 1)[1]) if mllp else 0
        limits = httpx.Limits(max_keepalive_connections=0)
        with httpx.Client(base_url=address, timeout=60, trust_env=False, limits=limits) as client:
            service = Running(address, process, client, port)
            service.wait_for("codeassist_workers", workers)
            yield service
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        process.stdout.close()

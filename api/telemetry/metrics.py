"""The metrics of this process, or, where several workers share ``PROMETHEUS_MULTIPROC_DIR``, of all of them."""

from __future__ import annotations

import os
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from codeassist.result import ModelId

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""The folder of the workers' metrics: read by the client library when it is imported, so set before a worker starts."""
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_REGISTRY = CollectorRegistry()

REQUESTS = Counter(
    "codeassist_requests",
    "Requests answered, by route template; status 499 where the client left before the answer.",
    ["route", "method", "status"],
    registry=_REGISTRY,
)
REQUEST_SECONDS = Histogram(
    "codeassist_request_seconds",
    "Seconds from the head of a request to the end of its answer.",
    ["route"],
    registry=_REGISTRY,
    buckets=_SECONDS,
)
STAGE_SECONDS = Histogram(
    "codeassist_stage_seconds",
    "Seconds of each stage of a note; wait is the time in the queue.",
    ["stage"],
    registry=_REGISTRY,
    buckets=_SECONDS,
)
QUEUE = Gauge(
    "codeassist_queue_length",
    "Work that waits for a thread, in all workers.",
    registry=_REGISTRY,
    multiprocess_mode="livesum",
)
RUNNING = Gauge(
    "codeassist_running",
    "Work in the threads, in all workers.",
    registry=_REGISTRY,
    multiprocess_mode="livesum",
)
STREAMS = Gauge(
    "codeassist_streams", "Batch streams under way, in all workers.", registry=_REGISTRY, multiprocess_mode="livesum"
)
REJECTED = Counter(
    "codeassist_rejected",
    "Requests answered with too-busy: the queue was full, or there were too many streams.",
    ["reason"],
    registry=_REGISTRY,
)
WORKERS = Gauge(
    "codeassist_workers", "Worker processes that can code.", registry=_REGISTRY, multiprocess_mode="livesum"
)
MODEL = Gauge(
    "codeassist_model_info",
    "Workers that serve this model release; 0 where it was served before.",
    ["name", "version", "sha256"],
    registry=_REGISTRY,
    multiprocess_mode="livesum",
)
TERMINOLOGY = Gauge(
    "codeassist_terminology_info",
    "Workers that serve this edition of a code system; 0 where it was served before.",
    ["system", "edition"],
    registry=_REGISTRY,
    multiprocess_mode="livesum",
)


def exposition() -> bytes:
    """All metrics in Prometheus's text format."""
    if SHARED not in os.environ:
        return generate_latest(_REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def observe_stage(stage: str, begin: float, end: float) -> None:
    """A stage of a note is done; times of ``time.perf_counter``."""
    STAGE_SECONDS.labels(stage).observe(end - begin)


class Served:
    """Tells which releases this process serves."""

    def __init__(self) -> None:
        self._shown: list[Gauge] = []

    def show(self, model: ModelId, editions: Mapping[str, str]) -> None:
        """From now on these are served, and no others."""
        for gauge in self._shown:
            gauge.set(0)
        self._shown = [
            MODEL.labels(model.name, model.version, model.sha256),
            *(TERMINOLOGY.labels(system, edition) for system, edition in editions.items()),
            WORKERS,
        ]
        for gauge in self._shown:
            gauge.set(1)

#!/usr/bin/env python
"""Measures how many notes a second a batch codes with 1, 2 and 4 workers, and what share of the time is not computing.

    .venv/bin/python tools/bench_batch.py [NOTES.jsonl] [--notes 1000] [--workers 1,2,4] [--out out/bench-batch.json]

Each number of workers is run as processes of one machine, and as single-thread workers of a Dask cluster on it. Without
NOTES the project's own evaluation notes are coded, over and over. Time counts from the first result on, because loading
is paid once a run; it is shown beside. The share that is not computing is what is left of the time of the cores that
the workers can have, after the processor time spent in coding: passing notes and results, writing, waiting, and what
other programs take of a machine that is not quiet.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path

from codeassist.batch.cluster import run_on_cluster
from codeassist.batch.local import run_local
from codeassist.batch.pool import cores

ROOT = Path(__file__).resolve().parents[1]
PARTITION_BYTES = 100_000


@dataclass(frozen=True, slots=True)
class Measured:
    """One run. Seconds are of wall time but for ``computing``, which is processor time of all workers."""

    where: str
    workers: int
    notes: int
    load_seconds: float
    seconds: float
    computing: float

    @property
    def rate(self) -> float:
        """Notes a second, once the workers have loaded."""
        return self.notes / self.seconds

    @property
    def not_computing(self) -> float:
        """Share of the time of the cores that these workers can have."""
        return 1 - self.computing / (self.seconds * min(self.workers, cores()))


def own_notes() -> list[dict[str, object]]:
    """The project's evaluation notes."""
    files = sorted((ROOT / "training" / "notes" / "evaluation").rglob("*.md"))
    return [{"id": f.stem, "text": f.read_text(encoding="utf-8").split("+++\n", 2)[2]} for f in files]


def write_notes(source: Path | None, path: Path, notes: int) -> int:
    """So many notes with a date each; returns bytes."""
    if source is not None and source.is_file():
        records = [json.loads(line) for line in source.read_bytes().splitlines() if line.strip()]
    else:
        records = own_notes()
    with path.open("w", encoding="utf-8") as out:
        for i, record in enumerate(islice(cycle(records), notes)):
            line = {**record, "id": f"{i}", "date_of_service": "2026-03-02"}
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
    return path.stat().st_size


def on_one_machine(source: Path, target: Path, workers: int) -> Measured:
    """Processes of :func:`run_local`."""
    done = run_local(str(source), str(target), workers=workers)
    return Measured("processes", workers, done.notes, done.first, done.seconds - done.first, done.computing)


def on_a_cluster(source: Path, target: Path, workers: int) -> Measured:
    """A Dask cluster of worker processes on this machine, which have loaded already when the time begins."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster:
        began = time.monotonic()
        small = target.with_name("first.jsonl")
        small.write_bytes(source.open("rb").readline())
        run_on_cluster(str(small), f"{small}.out", cluster.scheduler_address)
        loaded = time.monotonic()
        parts = run_on_cluster(str(source), str(target), cluster.scheduler_address, partition_bytes=PARTITION_BYTES)
        ended = time.monotonic()
    notes, computing = sum(p.notes for p in parts), sum(p.seconds for p in parts)
    return Measured("Dask workers", workers, notes, loaded - began, ended - loaded, computing)


def table(measured: list[Measured]) -> str:
    """Markdown."""
    rows = [
        "| where | workers | notes a second | by one process | not computing | computing a note, ms | loading, s |",
        "|---|---|---|---|---|---|---|",
    ]
    one = measured[0].rate
    for m in measured:
        rows.append(
            f"| {m.where} | {m.workers} | {m.rate:.1f} | {m.rate / one:.2f} | {m.not_computing:.0%} "
            f"| {1e3 * m.computing / m.notes:.1f} | {m.load_seconds:.1f} |"
        )
    return "\n".join(rows)


def main() -> None:
    """Run all, print the table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("source", nargs="?", type=Path)
    parser.add_argument("--notes", type=int, default=1000)
    parser.add_argument("--workers", default="1,2,4")
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "bench-batch.json")
    options = parser.parse_args()
    measured: list[Measured] = []
    facts: dict[str, object] = {}
    others = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = write_notes(options.source, folder / "in.jsonl", options.notes)
        numbers = [int(n) for n in options.workers.split(",")]
        for run in (on_one_machine, on_a_cluster):
            for workers in numbers:
                measured.append(run(folder / "in.jsonl", folder / f"{run.__name__}-{workers}.jsonl", workers))
        out = (folder / f"on_one_machine-{numbers[0]}.jsonl").read_bytes()
        same = all(path.read_bytes() == out for path in folder.glob("on_*.jsonl"))
        facts = {
            "cores": cores(),
            "others_before": round(others, 1),
            "notes": options.notes,
            "bytes_a_note": round(size / options.notes),
            "bytes_a_result": round(len(out) / options.notes),
            "all_results_equal": same,
        }
    print(table(measured))
    print(", ".join(f"{k.replace('_', ' ')}: {v}" for k, v in facts.items()))
    runs = [{**asdict(m), "rate": m.rate, "not_computing": m.not_computing} for m in measured]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({**facts, "runs": runs}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

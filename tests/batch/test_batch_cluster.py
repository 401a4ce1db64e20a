"""Batches on a real Dask cluster of processes on this machine, some of which are killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from batch_helpers import Start, ended, mixed, record

from codeassist.batch import cluster
from codeassist.batch.cluster import run_on_cluster
from codeassist.batch.local import run_local
from codeassist.batch.partitions import PART, Job, Partition, count_lines
from codeassist.errors import ClusterError, InputError
from codeassist.registry import chosen_release

distributed = pytest.importorskip("distributed")
pytest.importorskip("pyarrow")
fsspec = pytest.importorskip("fsspec")
PARTITION = 1500
Worker = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a scheduler in a process of its own."""
    file = tmp_path_factory.mktemp("scheduler") / "scheduler.json"
    command = ["scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)]
    process = subprocess.Popen([sys.executable, "-m", "dask", *command], stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            if file.exists() and file.read_text():
                break
            time.sleep(0.1)
        yield json.loads(file.read_text())["address"]
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def worker(scheduler: str, tmp_path: Path) -> Iterator[Worker]:
    """Gives ``worker(**environment)``: a ``dask worker`` process of one thread, ended with the test."""
    running: list[subprocess.Popen[bytes]] = []

    def started(**environment: str) -> subprocess.Popen[bytes]:
        options = ["--no-nanny", "--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1"]
        command = [sys.executable, "-m", "dask", "worker", scheduler, *options, "--local-directory", str(tmp_path)]
        process = subprocess.Popen(
            command, stderr=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1", **environment}
        )
        running.append(process)
        return process

    yield started
    for process in running:
        if process.poll() is None:
            process.terminate()
    for process in running:
        process.wait(30)


@pytest.fixture
def both(scheduler: str, worker: Worker) -> list[subprocess.Popen[bytes]]:
    """Two workers, connected."""
    processes = [worker(), worker()]
    wait_for(scheduler, 2)
    return processes


def wait_for(scheduler: str, workers: int) -> None:
    with distributed.Client(scheduler, set_as_default=False) as client:
        client.wait_for_workers(workers, timeout=60)


def one_process(source: Path) -> bytes:
    target = source.with_name("one-process.jsonl")
    run_local(str(source), str(target), workers=1)
    return target.read_bytes()


def parts(folder: Path) -> list[Path]:
    return sorted(p for p in folder.glob("part-*.jsonl") if PART.fullmatch(p.name)) if folder.exists() else []


def until(condition: Callable[[], object], process: subprocess.Popen[bytes]) -> None:
    for _ in range(2400):
        if condition():
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    raise AssertionError("it did not come")


def test_a_worker_and_the_driver_are_killed_during_the_run(
    scheduler: str, both: list[subprocess.Popen[bytes]], start: Start, tmp_path: Path
) -> None:
    """Every note has one result, and the results are those of one process, byte for byte."""
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_bytes(mixed(400))
    options = ("--scheduler", scheduler, "--partition-bytes", PARTITION)
    folder = tmp_path / "out.jsonl.parts"
    driver = start(source, out, *options)
    until(lambda: len(parts(folder)) >= 2, driver)
    both[0].send_signal(signal.SIGKILL)
    seen = len(parts(folder))
    until(lambda: len(parts(folder)) >= seen + 2, driver)
    driver.kill()
    driver.communicate()
    assert not out.exists()
    ended(start(tmp_path / "in.jsonl", out, *options, "--partition-bytes", PARTITION + 1), 2, "--restart")
    ended(start(source, out, *options))
    assert out.read_bytes() == one_process(source)
    found = Counter(r["id"] for r in map(json.loads, out.read_bytes().splitlines()) if "suggestions" in r)
    assert found == {f"n{i}": 1 for i in range(400)}
    assert not folder.exists()


def test_parquet_into_a_folder_of_parts_and_a_worker_of_another_release(
    scheduler: str, worker: Worker, both: list[subprocess.Popen[bytes]], start: Start, tmp_path: Path
) -> None:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    source, target = tmp_path / "in.parquet", tmp_path / "codes"
    parquet.write_table(pyarrow.Table.from_pylist([record(i) for i in range(30)]), source, row_group_size=7)
    target.mkdir()
    (target / "README").write_text("the site's own")
    ended(start(source, target, "--scheduler", scheduler))
    assert len(parts(target)) == 5
    assert b"".join(p.read_bytes() for p in parts(target)) == one_process(source)
    assert (target / "README").exists() and not list(target.glob("*.tmp"))
    listed = json.loads((target / "run.json").read_text())["parts"]
    assert [(p["name"], p["notes"]) for p in listed] == [
        (p.name, len(p.read_bytes().splitlines())) for p in parts(target)
    ]

    other = tmp_path / "other"
    shutil.copytree(chosen_release()[0], other)
    manifest = json.loads((other / "manifest.json").read_text(encoding="utf-8"))
    (other / "manifest.json").write_text(json.dumps({**manifest, "version": "other"}), encoding="utf-8")
    worker(CODEASSIST_MODEL_DIR=str(other))
    wait_for(scheduler, 3)
    began = tmp_path / "refused"
    error = ended(
        start(source, f"{began}/", "--scheduler", scheduler), 1, "1 of 3 workers", "model release", "tcp://127.0.0.1"
    )
    assert "model version other instead of" in error
    assert not parts(began)


def test_object_storage(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system without folders or renames, of fsspec's own: what is in memory is shared by threads only."""
    files = fsspec.filesystem("memory")
    files.pipe("/batch/in.jsonl", mixed(24))
    with (
        distributed.LocalCluster(n_workers=2, processes=False, dashboard_address=None) as local,
        monkeypatch.context() as patch,
    ):
        done = run_on_cluster("memory://batch/in.jsonl", "memory://batch/out.jsonl", local.scheduler_address, None, 700)
        assert len(done) > 3 and not files.glob("/batch/*.parts/*")
        whole = files.cat("/batch/out.jsonl")
        run_on_cluster("memory://batch/in.jsonl", "memory://batch/kept/", local.scheduler_address, None, 700)
        kept = sorted(files.glob("/batch/kept/part-*"))
        assert b"".join(files.cat(p) for p in kept) == whole
        assert [r.get("id") for r in map(json.loads, whole.splitlines()) if "error" not in r] == [
            f"n{i}" for i in range(24)
        ]

        def damaged(job: Job, partition: Partition) -> None:
            raise ClusterError("this worker has model release x")

        patch.setattr(cluster, "code_partition", damaged)
        with pytest.raises(ClusterError, match="model release x"):  # a worker that came later
            run_on_cluster("memory://batch/in.jsonl", "memory://batch/late.jsonl", local.scheduler_address, None, 700)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000])
def test_each_line_begins_in_one_partition(tmp_path: Path, size: int) -> None:
    from codeassist.batch.partitions import _lines

    for text in (b"", b"\n", b"a\nb\n", b"a\n\n\nbb\n ccc", b"\n\na\n", b"x" * 20 + b"\n" + b"y" * 9):
        source = tmp_path / "in.jsonl"
        source.write_bytes(text)
        job = Job(source.as_uri(), tmp_path.as_uri(), len(text), None, {}, "2026-03-02")
        ranges = [(a, min(a + size, len(text))) for a in range(0, len(text), size)]
        first, found = 1, []
        for i, ((start, stop), count) in enumerate(zip(ranges, count_lines(job, ranges), strict=True)):
            with source.open("rb") as file:
                found += [(x.number, x.data) for x in _lines(job, Partition(i, start, stop, first), file)]
            first += count
        assert found == [(i, x) for i, x in enumerate(text.splitlines(keepends=True), 1) if x.strip()]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-", "out.jsonl"), "one machine"),
        (("missing.jsonl", "out.jsonl"), "there is no file missing.jsonl"),
        (("nowhere://a/b", "out.jsonl"), "nowhere://a/b can't be reached"),
    ],
)
def test_what_a_cluster_can_not_read(arguments: tuple[str, str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        run_on_cluster(*arguments, "tcp://127.0.0.1:1")


def test_no_scheduler_and_no_extra(tmp_path: Path, notes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "SECONDS_TO_CONNECT", 1)
    with pytest.raises(ClusterError, match=r"no scheduler at tcp://127\.0\.0\.1:9"):
        run_on_cluster(str(notes), str(tmp_path / "out.jsonl"), "tcp://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"codeassist\[cluster\]"):
        run_on_cluster(str(notes), str(tmp_path / "out.jsonl"), "tcp://127.0.0.1:9")


def test_one_machine_does_not_import_the_cluster(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(mixed(1))
    code = (
        "import sys; from codeassist.batch.local import run_local; run_local(*sys.argv[1:]); "
        "print({m.partition('.')[0] for m in sys.modules} & {'distributed', 'dask'})"
    )
    command: list[Any] = [sys.executable, "-c", code, tmp_path / "in.jsonl", tmp_path / "out.jsonl"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "set()"

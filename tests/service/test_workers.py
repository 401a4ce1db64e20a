"""``codeassist serve --workers 2``: real processes, which are killed, replaced and stopped."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest
from service_process import NOTE, Running, running, start

from api.processors import ALLOWED, are_pinned
from api.settings import ApiSettings
from codeassist.release import MANIFEST
from codeassist.settings import settings


def test_all_workers_answer_and_alike(pair: Running) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: pair.client.post("/v1/suggestions", json=NOTE).content, range(60)))
    assert len(set(answers)) == 1
    took = [p.cpu_times().user for p in pair.workers()]
    assert len(took) == 2
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: pair.client.post("/v1/suggestions", json=NOTE).status_code, range(200)))
    share = [p.cpu_times().user - before for p, before in zip(pair.workers(), took, strict=True)]
    assert min(share) > 0.2 * sum(share), f"one worker has nearly everything: {share}"


def test_what_one_worker_keeps_the_others_see(pair: Running) -> None:
    made = [pair.client.post("/v1/reviews", json={**NOTE, "id": f"w{i}"}) for i in range(10)]
    assert [m.status_code for m in made] == [201] * 10
    numbers = {m.json()["review"] for m in made}
    for _ in range(6):
        assert {r["review"] for r in pair.client.get("/v1/reviews").json()["reviews"]} >= numbers


def test_the_metrics_are_of_all_workers(pair: Running) -> None:
    name = 'codeassist_requests_total{method="POST",route="/v1/edits",status="200"}'
    before = pair.metric(name)
    for _ in range(30):
        pair.client.post("/v1/edits", json={"codes": []}).raise_for_status()
    assert [pair.metric(name) - before for _ in range(6)] == [30] * 6  # whichever worker is asked
    assert pair.metric("codeassist_workers") == 2


def test_a_worker_that_dies_is_replaced_and_a_promoted_release_reaches_all(tmp_path: Path) -> None:
    registry = tmp_path / "registry"
    shutil.copytree(settings().model_dir, registry / "two")
    manifest = json.loads((registry / "two" / MANIFEST).read_text("utf-8"))
    manifest["version"] = "two"
    raw = json.dumps(manifest).encode()
    (registry / "two" / MANIFEST).write_bytes(raw)
    with running(tmp_path, 2) as service:
        killed = service.workers()[0]
        killed.kill()
        psutil.wait_procs([killed], 10)
        assert service.client.post("/v1/suggestions", json=NOTE).status_code == 200  # by the other
        service.wait_for("codeassist_workers", 1, 10)
        service.wait_for("codeassist_workers", 2)
        assert killed.pid not in {p.pid for p in service.workers()}

        pointer = {"release": "two", "sha256": hashlib.sha256(raw).hexdigest()}
        (registry / "current").write_text(json.dumps(pointer), "utf-8")
        name = f'codeassist_model_info{{name="{manifest["name"]}",sha256="{pointer["sha256"]}",version="two"}}'
        assert service.wait_for(name, 2) < 10
        versions = {service.client.post("/v1/suggestions", json=NOTE).json()["model"]["version"] for _ in range(12)}
        assert versions == {"two"}

        left = service.workers()
        service.process.send_signal(signal.SIGKILL)  # nobody is left to stop the workers: they stop themselves
        service.process.wait()
        _, alive = psutil.wait_procs(left, 20)
        assert not alive


def _processors(process: psutil.Process) -> list[set[int]]:
    """Where each thread may run."""
    return [os.sched_getaffinity(thread.id) for thread in process.threads()]


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
def test_pinned_workers_keep_to_a_processor_each_and_shadow_mode_does_not(tmp_path: Path) -> None:
    with running(tmp_path, 2, pin_workers=True, shadow_model=settings().model_dir) as service:
        assert service.client.post("/v1/suggestions", json=NOTE).status_code == 200  # its thread has begun
        shadow = [p for w in service.workers() for p in w.children() if "api.shadow.worker" in p.cmdline()]
        kept = [_processors(worker) for worker in service.workers()]
        free = _processors(shadow[0])
    assert all(len(processors) == 1 for worker in kept for processors in worker)
    assert {min(p) for worker in kept for p in worker} == set(ALLOWED[:2])
    assert all(processors == set(ALLOWED) for processors in free)


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
def test_workers_are_not_pinned_where_that_is_ruled_out(tmp_path: Path) -> None:
    with running(tmp_path, 2, pin_workers=False) as service:
        assert all(found == set(ALLOWED) for worker in service.workers() for found in _processors(worker))


@pytest.mark.parametrize(
    ("workers", "processors", "setting", "pinned"),
    [
        (2, 2, None, True),
        (4, 4, None, True),
        (2, 4, None, False),  # each finds a free one by itself
        (4, 2, None, False),
        (1, 1, None, False),  # nothing to keep apart
        (2, 4, True, True),
        (4, 2, True, True),
        (1, 4, True, False),
        (2, 2, False, False),
        (2, 0, None, False),  # a system that can't
        (2, 0, True, False),
    ],
)
def test_workers_are_pinned_where_there_are_as_many_processors(
    workers: int, processors: int, setting: bool | None, pinned: bool
) -> None:
    assert are_pinned(ApiSettings(workers=workers, pin_workers=setting), processors) is pinned


def test_a_model_that_can_not_be_used_ends_all_with_1(tmp_path: Path) -> None:
    process = start(tmp_path, "--workers", "2", model_dir=tmp_path / "nothing")
    assert process.wait(90) == 1
    assert process.stdout is not None
    process.stdout.close()
    log = (tmp_path / "log").read_text()
    assert "there is no model" in log and "workers could not load" in log and "Traceback" not in log


def test_a_long_body_does_not_keep_the_others_waiting(pair: Running) -> None:
    long = {"text": "No complaint of it today, as before. " * 20_000}  # 740 kB
    with ThreadPoolExecutor(4) as pool, httpx.Client(base_url=pair.address, trust_env=False) as client:
        stop = time.monotonic() + 2
        busy = [pool.submit(_send, pair, long, stop) for _ in range(4)]
        waits = []
        while time.monotonic() < stop:
            begin = time.monotonic()
            assert client.get("/healthz").status_code == 200
            waits.append(time.monotonic() - begin)
            time.sleep(0.01)
        assert sum(f.result() for f in busy) >= 4
    assert sorted(waits)[len(waits) // 2] < 0.1


def _send(service: Running, record: dict[str, str], until: float) -> int:
    sent = 0
    while time.monotonic() < until:
        assert service.client.post("/v1/suggestions", json=record).status_code in (200, 413, 429)
        sent += 1
    return sent

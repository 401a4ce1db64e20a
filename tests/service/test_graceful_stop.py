"""SIGTERM: no new callers, and what is under way is finished, within a time."""

from __future__ import annotations

import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from service_process import NDJSON, NOTE, running


@pytest.mark.parametrize("workers", [1, 2])
def test_what_is_under_way_is_finished(tmp_path: Path, workers: int) -> None:
    lines = b"".join(json.dumps({**NOTE, "id": str(i)}).encode() + b"\n" for i in range(80))
    with running(tmp_path, workers) as service, ThreadPoolExecutor(20) as pool:
        begun = threading.Event()

        def batch() -> list[str]:
            with service.client.stream("POST", "/v1/suggestions:batch", content=lines, headers=NDJSON) as answer:
                rows = []
                for row in answer.iter_lines():
                    begun.set()
                    rows.append(json.loads(row)["id"])
            return rows

        stream = pool.submit(batch)
        assert begun.wait(30)
        name = 'codeassist_requests_total{method="POST",route="/v1/suggestions",status="200"}'
        before = service.metric(name)
        single = [pool.submit(service.client.post, "/v1/suggestions", json=NOTE) for _ in range(12)]
        # all are connected and taken: none waits in the kernel's line any more, and most are not answered yet
        while service.metric(name) - before + service.metric("codeassist_queue_length") < 10:
            time.sleep(0.005)
        assert service.stop() in (0, -15)
        assert [f.result().status_code for f in single] == [200] * 12
        assert stream.result() == [str(i) for i in range(80)]
        with pytest.raises(httpx.ConnectError):
            service.client.get("/healthz")


def test_what_does_not_end_is_broken_off_in_time(tmp_path: Path) -> None:
    head = b"POST /v1/suggestions:batch HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\n"
    line = json.dumps(NOTE).encode() + b"\n"
    with running(tmp_path, stop_seconds=1) as service:
        host, port = service.address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), 30) as client:
            client.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(line), line))
            said = client.recv(65536)
            begin = time.monotonic()
            service.stop()
            assert time.monotonic() - begin < 15
            while more := client.recv(65536):
                said += more
    assert said.startswith(b"HTTP/1.1 200") and b'"suggestions"' in said
    assert not said.endswith(b"0\r\n\r\n")  # the client sees that its answer is not whole


def test_an_idle_connection_does_not_hold_up_the_end(tmp_path: Path) -> None:
    with running(tmp_path) as service:
        host, port = service.address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as idle, httpx.Client(base_url=service.address) as kept:
            kept.get("/healthz")
            begin = time.monotonic()
            service.stop()
            assert time.monotonic() - begin < 5
            assert idle.recv(1) == b""

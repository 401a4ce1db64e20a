"""A running service takes up a promoted release within five seconds, under load, without one failed request."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from codeassist.release import MANIFEST
from codeassist.settings import settings

WITHIN = 5.0
NOTE = json.dumps({"text": "Assessment: T2DM with CKD 3a. HTN. Gout.", "date_of_service": "2026-03-02"}).encode()


def make_release(registry: Path, name: str) -> None:
    folder = registry / name
    shutil.copytree(settings().model_dir, folder)
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    manifest["version"] = name
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")


def post(address: str) -> dict[str, Any]:
    request = urllib.request.Request(f"{address}/v1/suggestions", NOTE, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


class Load:
    """Clients that ask without a pause, and what they were answered: when, and by which version."""

    def __init__(self, address: str, clients: int) -> None:
        self.answers: list[tuple[float, str]] = []
        self.failures: list[str] = []
        self._address = address
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(clients)]

    def _ask(self) -> None:
        while not self._stop.is_set():
            try:
                version = post(self._address)["model"]["version"]
            except (OSError, ValueError) as error:
                self.failures.append(repr(error))
            else:
                self.answers.append((time.monotonic(), version))

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, version: str, since: float) -> float:
        """Seconds from ``since`` until the first answer of ``version``."""
        while time.monotonic() < since + 60:
            found = [at for at, v in self.answers[-50:] if v == version]
            if found:
                return found[0] - since
            time.sleep(0.02)
        raise AssertionError(f"{version} was never served")


@pytest.mark.slow
def test_promoted_under_load(run: Any, tmp_path: Path) -> None:
    """No request fails, however busy this machine is; the five seconds are those of a quiet one, with the bars."""
    exchanged(run, tmp_path, clients=2, within=30)


@pytest.mark.bars
def test_promoted_within_five_seconds_under_load(run: Any, tmp_path: Path) -> None:
    exchanged(run, tmp_path, clients=8, within=WITHIN)


def exchanged(run: Any, tmp_path: Path, clients: int, within: float) -> None:
    """Promote, break and take back releases under a load, each change served ``within`` seconds."""
    registry = tmp_path / "registry"
    for name in ("one", "two"):
        make_release(registry, name)
    env = {"CODEASSIST_REGISTRY_DIR": str(registry)}
    assert run("models", "promote", "one", **env).returncode == 0
    command = [sys.executable, "-c", "from api.commands import app; app()", "--port", "0"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, **env}
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().split(" at ")[1].split()[0]
        for _ in range(600):
            try:
                assert post(address)["model"]["version"] == "one"
                break
            except urllib.error.HTTPError:
                time.sleep(0.1)
        with Load(address, clients) as load:
            load.wait_for("one", time.monotonic())
            assert run("models", "promote", "two", **env).returncode == 0
            switched = (registry / "current").stat().st_mtime
            since = time.monotonic() - (time.time() - switched)
            taken = load.wait_for("two", since)
            # a promoted release that can't be loaded changes nothing
            (registry / "current").write_text(json.dumps({"release": "none", "sha256": ""}), encoding="utf-8")
            time.sleep(3)
            (registry / "current").unlink()
            back = load.wait_for(json.loads((settings().model_dir / MANIFEST).read_text())["version"], time.monotonic())
        assert not load.failures
        assert taken < within and back < within
        print(f"taken up after {taken:.1f} s and {back:.1f} s; {len(load.answers)} requests, none failed")
    finally:
        process.terminate()
        process.wait(20)

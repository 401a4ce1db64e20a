"""The requests of docs/integration.md run as they stand."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from live_service import serve_with

from api.interop.settings import InteropSettings
from codeassist.settings import Settings, read_settings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "integration.md").read_text("utf-8")
BLOCKS = [b for b in re.findall(r"```sh\n(.*?)```", TEXT, re.S) if "pytest" not in b]
needs_shell = pytest.mark.skipif(not (shutil.which("bash") and shutil.which("curl")), reason="needs bash and curl")


def run(block: str, url: str, folder: Path) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    script = "set -eo pipefail\n" + block.replace("http://127.0.0.1:8000", url)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": path, "NO_PROXY": "*"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@needs_shell
def test_the_requests_of_fhir_and_cds_hooks_run(open_service: Any, tmp_path: Path) -> None:
    blocks = [b for b in BLOCKS if "joserfc" not in b and "jwks.json" not in b]
    assert len(blocks) == 4
    shown = "".join(run(block, open_service.url, tmp_path) for block in blocks)
    for words in (
        "encounter-diagnosis",
        "G47.33",
        '"ValueSet"',
        "CapabilityStatement",
        "provisional",
        "not-supported",
        "more than once",
    ):
        assert words in shown


@needs_shell
def test_the_requests_of_backend_services_run(assistant: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make, fetch = (b for b in BLOCKS if "joserfc" in b and "loader" in b)
    run(make, "", tmp_path)
    monkeypatch.chdir(tmp_path)
    with serve_with(assistant, tmp_path, (tmp_path / "integration.toml").read_text()) as service:
        shown = run(fetch, service.url, tmp_path)
    assert '"ValueSet"' in shown and "private_key_jwt" in shown


@needs_shell
def test_the_key_of_a_launch_is_made_and_published(
    assistant: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (make,) = (b for b in BLOCKS if "joserfc" in b and "launch-1" in b)
    (show,) = (b for b in BLOCKS if "jwks.json" in b and "joserfc" not in b)
    run(make, "", tmp_path)
    monkeypatch.chdir(tmp_path)
    with serve_with(assistant, tmp_path, (tmp_path / "launch.toml").read_text()) as service:
        (key,) = json.loads(run(show, service.url, tmp_path))["keys"]
    assert key["kid"] == "launch-1" and key["alg"] == "ES384" and "d" not in key


def test_the_settings_shown_are_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (shown,) = re.findall(r"```toml\n(.*?)```", TEXT, re.S)
    (tmp_path / "shown.toml").write_text(shown)
    monkeypatch.setenv("CODEASSIST_CONFIG", str(tmp_path / "shown.toml"))
    settings = read_settings(InteropSettings)
    assert settings.public_url and list(settings.smart_ehrs) == ["https://ehr.hospital.example/fhir"]
    named = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`[^|]*) \|", TEXT.split("## FHIR")[0], re.M))))
    assert named - {"cors_origins"} == set(InteropSettings.model_fields) - set(Settings.model_fields)

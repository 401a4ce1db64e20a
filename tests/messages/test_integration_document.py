"""Every request of docs/integration-hl7.md runs as it stands."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

Running = Any
DOCUMENT = "docs/integration-hl7.md"


@pytest.fixture
def text(root: Path) -> str:
    return (root / DOCUMENT).read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return [body for name, body in re.findall(r"```(\w+)\n(.*?)```", text, re.S) if name == language]


@pytest.mark.skipif(shutil.which("curl") is None, reason="the page's requests are made by curl")
def test_the_requests_run(running: Running, text: str) -> None:
    with running(webhook_hosts={"127.0.0.1"}) as service:
        answers = [
            subprocess.run(
                ["bash", "-euo", "pipefail", "-c", block],
                env={**os.environ, "CODEASSIST": service.address},
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            for block in blocks(text, "bash")
        ]
        assert len(answers) == 7
        assert "MSA|AA|0001" in answers[0] and json.loads(answers[1])["messages"][0]["document"] == "DOC-1"
        numbers = re.findall(r'"review":(\d+)', answers[2])
        assert len(set(numbers)) == 1 and len(numbers) == 2
        assert json.loads(answers[3])["secret"].startswith("whsec_") and json.loads(answers[4]) == {"deliveries": []}
        assert json.loads(answers[5])["Entities"] and json.loads(answers[6])["sequence"][0]["code"] == "S52.501A"


def test_the_python_runs(running: Running, text: str, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    message = re.findall(r"^  '(.*?)' [\\|]$", text, re.M)
    assert len(message) == 6
    with running() as service:
        for block in blocks(text, "python"):
            code = block.replace("http://127.0.0.1:8000", service.address).replace("2575", str(service.mllp))
            exec(compile(code, DOCUMENT, "exec"), {"message": "\r".join(message)})
    shown = capsys.readouterr().out
    assert "MSA|AA|0001" in shown and "NEGATION" in shown and "review-foreign" in shown and "E11.9" in shown

"""docs/retraining.md, from its first command to its last, against a live service with reviews that were submitted."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

DIAGNOSES = {
    "G43.009": ("migraine without aura", "throbbing on one side since morning, light hurts her"),
    "M10.9": ("gout", "big toe swollen overnight after a feast with seafood and beer"),
    "I10": ("essential hypertension", "readings from home are at goal on lisinopril"),
    "E11.9": ("type 2 diabetes mellitus", "feet sensate, glucose log brought along and fair"),
    "K21.9": ("gastroesophageal reflux disease", "burns behind the breastbone when he lies down"),
    "E78.5": ("hyperlipidemia", "lipid panel drawn last week, statin well borne"),
    "L70.0": ("acne vulgaris", "comedones across forehead and chin of this teenager"),
    "B35.1": ("onychomycosis", "thick yellow nails of both great toes for years"),
    "E03.9": ("hypothyroidism", "tired less often, thyrotropin within range now"),
    "J06.9": ("acute upper respiratory infection", "runny nose, sore throat, lungs clear"),
}
VISITS = ("Seen in the clinic today.", "Video visit from home, second contact this year.")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "CODEASSIST_DATABASE_URL": f"sqlite:///{tmp_path}/site.sqlite3",
        "CODEASSIST_REGISTRY_DIR": str(tmp_path / "releases"),
        "OMP_NUM_THREADS": "1",
    }


@pytest.fixture
def service(environment: dict[str, str], tmp_path: Path) -> Iterator[str]:
    command = [sys.executable, "-c", "from api.commands import app; app()", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment)
    try:
        assert process.stdout is not None
        address = process.stdout.readline().split(" at ")[1].split()[0]
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{address}/readyz")
                break
            except urllib.error.HTTPError:
                time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(20)


def post(url: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def review(base: str, number: int, code: str, words: str, story: str, visit: str) -> None:
    """One note comes in, a coder takes its code, accepted or added, and submits it."""
    text = f"{visit} {story[0].upper()}{story[1:]}.\nAssessment: {words}."
    note = {"id": f"visit-{number}", "text": text, "date_of_service": "2026-03-02", "patient": {"id": f"p{number}"}}
    post(f"{base}/v1/reviews", note)
    opened = post(f"{base}/v1/reviews:next", {})
    offered = [s["code"] for s in opened["result"]["suggestions"]]
    kind = "accepted" if code in offered else "added"
    decision = {"version": opened["version"], "kind": kind, "system": "icd-10-cm", "code": code}
    decided = post(f"{base}/v1/reviews/{opened['review']}/decisions", decision)
    post(f"{base}/v1/reviews/{opened['review']}/submit", {"version": decided["version"]})


@pytest.mark.slow
def test_the_tutorial_runs_as_it_stands(root: Path, service: str, environment: dict[str, str], tmp_path: Path) -> None:
    number = 0
    for visit in VISITS:
        for code, (words, story) in DIAGNOSES.items():
            number += 1
            review(service, number, code, words, story if visit == VISITS[0] else words, visit)
    document = (root / "docs" / "retraining.md").read_text(encoding="utf-8")
    script = "\n".join(re.findall(r"```sh\n(.*?)```", document, re.S))
    folder = tmp_path / "here"
    folder.mkdir()
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env={**environment, "CODEASSIST_URL": service},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    exported = [json.loads(line) for line in (folder / "site.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(exported) == 20 and {c["origin"] for n in exported for c in n["codes"]} <= {"accepted", "added"}
    assert (folder / "site.jsonl").stat().st_mode & 0o077 == 0
    served = json.loads((folder / "out" / "answer.json").read_text(encoding="utf-8"))["model"]
    assert (served["name"], served["version"]) == ("our-hospital", "2026-11")
    log = (tmp_path / "releases" / "promotions.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(log) == 2

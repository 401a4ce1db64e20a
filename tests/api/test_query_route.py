"""POST /v1/queries and the command: a note in, drafts of queries out."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

from starlette.testclient import TestClient

NOTE = (
    "DISCHARGE SUMMARY\nHOSPITAL COURSE: Congestive heart failure. Echocardiogram with ejection fraction of 25%. "
    "Diuresed with IV furosemide.\nDISCHARGE DIAGNOSES:\n1. Congestive heart failure."
)


def test_a_short_note_is_asked_about(client: TestClient) -> None:
    response = client.post("/v1/queries", json={"text": NOTE, "setting": "inpatient", "date_of_service": "2026-03-02"})
    assert response.status_code == 200
    (query,) = [q for q in response.json() if "heart failure" in q["topic"].replace("-", " ")]
    assert "I50.9" in query["codes"]
    assert all(NOTE[i["start"] : i["end"]] == i["text"] for i in query["indicators"]) and query["indicators"]
    said = json.dumps(query).lower()
    assert "unable to determine" in said and "other" in said
    assert not any(word in said for word in ("payment", "reimburse", "revenue"))


def test_nothing_to_ask_of_a_plain_note(client: TestClient) -> None:
    response = client.post("/v1/queries", json={"text": "Assessment: Seasonal allergic rhinitis, use loratadine."})
    assert (response.status_code, response.json()) == (200, [])


def test_bad_input_is_answered_as_everywhere(client: TestClient) -> None:
    assert client.post("/v1/queries", json={"text": ""}).json()["code"] == "invalid-input"
    assert client.post("/v1/queries", content=b"{", headers={"content-type": "application/json"}).status_code == 400


def test_the_command(run: Callable[..., subprocess.CompletedProcess[bytes]]) -> None:
    done = run("queries", "-", "--setting", "inpatient", "--format", "json", stdin=NOTE.encode())
    assert done.returncode == 0, done.stderr
    assert any("heart" in q["topic"] for q in json.loads(done.stdout))

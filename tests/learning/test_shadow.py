"""Shadow mode: a candidate release scores live notes beside the service, and never gets in its way."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from test_drift import serving

import codeassist
from api.settings import ApiSettings
from api.shadow.process import Shadow
from api.shadow.report import shadow_report
from api.shadow.scoring import first_note, last_note, score_waiting, waiting
from api.store.base import now
from api.store.database import Database, open_database
from api.store.notes import NoteRow
from codeassist.release import MANIFEST

TEXT = "Assessment: Type 2 diabetes mellitus. Hypertension."


def add(database: Database, text: str = TEXT) -> int:
    record = {"id": "n", "text": text, "setting": "outpatient", "date_of_service": "2026-03-02"}
    day = date(2026, 3, 2)
    with database.writing() as session:
        row = NoteRow(setting="outpatient", date_of_service=day, specialty=None, record=record, received=now())
        session.add(row)
        session.flush()
        return row.id


def until(done: Callable[[], bool], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.1)


def test_the_newest_notes_are_scored_and_the_rest_is_dropped_and_counted(
    assistant: codeassist.CodeAssistant, tmp_path: Path
) -> None:
    database = open_database(f"sqlite:///{tmp_path / 's.sqlite3'}")
    add(database)
    sha256 = assistant.model.sha256
    with database.reading() as session:
        after = first_note(session, sha256, last_note(session))
    numbers = [add(database) for _ in range(5)]
    with database.reading() as session:
        assert waiting(session, sha256, after, 3) == (numbers[2:], numbers[:2][::-1])
    while score_waiting(database, assistant, after, 3):
        pass
    (found,) = shadow_report(database)
    assert (found["scored"], found["dropped"], found["failed"]) == (3, 2, 0)
    with database.reading() as session:
        assert first_note(session, sha256, 99) == after  # started again, it goes on where it was
    database.close()


def test_a_note_that_the_candidate_fails_on_is_counted_and_the_next_comes(
    assistant: codeassist.CodeAssistant, tmp_path: Path
) -> None:
    class Broken:
        model = assistant.model

        def suggest(self, note: Any) -> Any:
            if "gout" in note.text:
                raise RuntimeError("a candidate's own fault")
            return assistant.suggest(note)

    database = open_database(f"sqlite:///{tmp_path / 's.sqlite3'}")
    add(database, "Assessment: gout.")
    add(database)
    while score_waiting(database, Broken(), 0, 8):  # type: ignore[arg-type]
        pass
    (found,) = shadow_report(database)
    assert (found["scored"], found["failed"]) == (1, 1)
    database.close()


def test_shadow_beside_the_service(assistant: codeassist.CodeAssistant, root: Path, tmp_path: Path) -> None:
    """A live note is scored by the candidate's process, compared with what the coder submits, and shown to nobody."""
    shutil.copytree(root / "models", tmp_path / "candidate")
    manifest = json.loads((tmp_path / "candidate" / MANIFEST).read_text(encoding="utf-8"))
    manifest["version"] = "candidate"
    (tmp_path / "candidate" / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    with serving(assistant, tmp_path / "s.sqlite3", shadow_model=tmp_path / "candidate") as client:
        sent = {"id": "n1", "text": TEXT, "date_of_service": "2026-03-02"}
        review = client.post("/v1/reviews", json=sent).json()
        assert review["result"]["model"]["version"] != "candidate"
        path = f"/v1/reviews/{review['review']}"
        state = client.post(f"{path}/open", json={"take_over": False}).json()
        for s in state["result"]["suggestions"]:
            if s["tier"] == "code":
                decision = {"kind": "accepted", "system": s["system"], "code": s["code"]}
                state = client.post(f"{path}/decisions", json={"version": state["version"], **decision}).json()
        done = client.post(f"{path}/submit", json={"version": state["version"]})
        assert done.status_code == 200, done.text

        def scored() -> bool:
            found = client.get("/v1/reports/shadow").json()
            return bool(found["releases"]) and found["releases"][0]["scored"] == 1

        until(scored)
        found = client.get("/v1/reports/shadow").json()
        assert found["running"] is True
        (one,) = found["releases"]
        assert one["version"] == "candidate" and one["submitted"] == 1
        assert one["codes"]["only_shown"] == one["codes"]["only_candidate"] == 0
        assert one["candidate"] == one["shown"] and one["shown"]["recall"] == 1
    assert client.app.state.shadow.running is False


@pytest.mark.parametrize("model", ["missing", None])
def test_without_a_usable_candidate_the_service_goes_on(
    assistant: codeassist.CodeAssistant, tmp_path: Path, model: str | None
) -> None:
    chosen = tmp_path / model if model else None
    with serving(assistant, tmp_path / "s.sqlite3", shadow_model=chosen) as client:
        sent = {"text": TEXT, "date_of_service": "2026-03-02"}
        assert client.post("/v1/suggestions", json=sent).status_code == 200
        until(lambda: not client.get("/v1/reports/shadow").json()["running"])
        assert client.get("/v1/reports/shadow").json()["releases"] == []


def test_a_worker_that_can_not_be_started_is_only_logged(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "no-python"))
    shadow = Shadow(ApiSettings(shadow_model=tmp_path))
    with shadow.beside(open_database(f"sqlite:///{tmp_path / 's.sqlite3'}")):
        assert not shadow.running
    assert "could not be started" in caplog.text

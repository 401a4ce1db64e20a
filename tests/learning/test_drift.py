"""Drift, and which notes would teach most."""

from __future__ import annotations

import doctest
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import codeassist
from api.app import create_app
from api.settings import ApiSettings
from codeassist.drift import Limits, drift_by_week, observe, profile_of
from codeassist.drift import profile as profile_module
from codeassist.drift import weeks as weeks_module
from codeassist.drift.profile import read_profile
from codeassist.note import Note
from codeassist.teaching import disagreement, priority, uncertainty
from training.learning.teach import rank_notes

MONDAY = date(2026, 3, 2)
LIMITS = Limits(notes=30)


def text_of(rng: np.random.Generator, exotic: bool = False) -> str:
    words = ["gout", "knee", "pain", "stable", "metformin", "diabetes", "asthma", "cough", "fever", "rash"]
    words += [f"unheard{chr(97 + i)}" for i in range(10)] * exotic
    body = " ".join(rng.choice(words, size=int(rng.integers(20, 60))))
    return f"HPI: {body}.\nAssessment: {body}." if not exotic else f"{body} {body} {body} {body}"


def result_of(*codes: tuple[str, float]) -> dict[str, Any]:
    found = [{"system": "icd-10-cm", "code": c, "probability": p, "tier": "code"} for c, p in codes]
    return {"suggestions": found}


@pytest.fixture(scope="module")
def profile() -> profile_module.Profile:
    rng = np.random.default_rng(1)
    made = profile_of(
        (Note(text=text_of(rng)), [("icd-10-cm", ("E119", "M109")[i % 2]), ("icd-10-cm", "I10")]) for i in range(400)
    )
    return read_profile(json.loads(json.dumps(made.as_record())))


def week(profile: profile_module.Profile, seed: int, number: int, **kind: Any) -> list[Any]:
    rng = np.random.default_rng(seed)
    out = []
    for i in range(number):
        note = Note(text=text_of(rng, kind.get("exotic", False)), setting=kind.get("setting", "outpatient"))
        codes = kind.get("codes", (("E11.9", "M10.9")[i % 2], "I10"))
        result = result_of(*((c, 0.9) for c in codes))
        right = set(kind.get("final", [("icd-10-cm", c) for c in codes] if i % 10 else []))
        out.append(observe(profile, MONDAY + timedelta(7 * kind.get("week", 0) + i % 5), note, result, right))
    return out


def test_the_same_kind_of_notes_raises_nothing(profile: profile_module.Profile) -> None:
    for seed in range(20):
        found = drift_by_week(profile, week(profile, seed, 60), LIMITS)
        assert [w.findings for w in found.weeks] == [()], seed
        assert found.weeks[0].monday == MONDAY and found.weeks[0].acceptance == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("kind", "measures"),
    [
        ({"exotic": True}, {"length", "unknown_words", "sections"}),
        ({"setting": "inpatient"}, {"setting"}),
        ({"codes": ("Z00.00",)}, {"codes", "codes_per_note"}),
        ({"final": []}, {"acceptance"}),
    ],
)
def test_a_shift_raises_its_finding(profile: profile_module.Profile, kind: dict[str, Any], measures: set[str]) -> None:
    seen = week(profile, 1, 60) + week(profile, 2, 60, week=1, **kind)
    first, second = drift_by_week(profile, seen, LIMITS).weeks
    assert not first.findings
    assert {f.split(":")[0] for f in second.findings} == measures


def test_few_notes_raise_nothing(profile: profile_module.Profile) -> None:
    found = drift_by_week(profile, week(profile, 1, 29, exotic=True, final=[]), LIMITS)
    assert found.weeks[0].findings == () and found.weeks[0].shifts["length"].psi > 1


def test_a_profile_holds_no_words(profile: profile_module.Profile) -> None:
    flat = json.dumps(profile.as_record())
    assert "metformin" not in flat and profile.unknown_share(Note(text="metformin zebedee")) == 0.5
    once = profile_of([(Note(text="zebedee has gout"), []), (Note(text="gout"), [])])
    assert read_profile(once.as_record()).unknown_share(Note(text="zebedee gout")) == 0.5


@pytest.mark.parametrize("module", [profile_module, weeks_module])
def test_the_examples_of_drift(module: Any) -> None:
    assert doctest.testmod(module).failed == 0


# -- which notes would teach most --------------------------------------------------------------------------------------

CLEAR = "Assessment: Type 2 diabetes mellitus without complications. Essential hypertension."
OPEN = "Chest pain, dyspnea, edema. Possible CHF, possible PE, pneumonia? Hx COPD. CKD. Follow troponin, D-dimer."


def test_doubtful_notes_come_first_and_each_kind_once(assistant: codeassist.CodeAssistant) -> None:
    day = date(2026, 3, 2)
    texts = {"clear": CLEAR, "open": OPEN * 2, "open again": OPEN * 2 + " Now.", "empty": "Well."}
    ranked = rank_notes([Note(text=t, id=i, date_of_service=day) for i, t in texts.items()], assistant)
    assert ranked[0].id.startswith("open") and ranked[-1].like == ranked[0].id
    assert ranked[-1].priority == 0 and ranked[0].codes
    assert all(0 <= r.priority <= 1 for r in ranked)


def test_priority_grows_with_disagreement(assistant: codeassist.CodeAssistant) -> None:
    result = assistant.suggest(Note(text=CLEAR, date_of_service=date(2026, 3, 2)))
    assert disagreement(result, result) == 0 and 0 < uncertainty(result) < 1
    other = replace(result, suggestions=result.suggestions[1:])
    assert 0 < disagreement(result, other) <= 1 and priority(result, other) > priority(result, result)
    assert priority(replace(result, suggestions=())) == 0


# -- the command and the route -----------------------------------------------------------------------------------------


@contextmanager
def serving(assistant: codeassist.CodeAssistant, file: Path, **settings: Any) -> Iterator[Any]:
    import time

    from starlette.testclient import TestClient

    app = create_app(ApiSettings(database_url=f"sqlite:///{file}", **settings), load=lambda: assistant)
    with TestClient(app) as client:
        while client.get("/readyz").status_code != 200:
            time.sleep(0.02)
        yield client


def test_drift_of_the_live_database(assistant: codeassist.CodeAssistant, tmp_path: Path) -> None:
    notes = [(Note(text=CLEAR), [("icd-10-cm", "E119"), ("icd-10-cm", "I10")])] * 60
    released = codeassist.CodeAssistant.__new__(codeassist.CodeAssistant)
    released.__dict__.update(assistant.__dict__)
    released.release = replace(assistant.release, profile=None)
    with serving(released, tmp_path / "a.sqlite3") as client:
        assert client.get("/v1/reports/drift").json()["code"] == "no-profile"
    released.release = replace(assistant.release, profile=profile_of(notes).as_record())
    with serving(released, tmp_path / "b.sqlite3", drift_notes=5) as client:
        assert client.get("/v1/reports/drift").json()["weeks"] == []
        for i in range(6):
            sent = {"id": f"n{i}", "text": CLEAR if i < 0 else "Zebedee " * 40, "setting": "inpatient"}
            assert client.post("/v1/reviews", json=sent).status_code == 201
        (found,) = client.get("/v1/reports/drift?weeks=2").json()["weeks"]
        assert found["notes"] == 6 and any(f.startswith("setting") for f in found["findings"])
        assert client.get("/v1/reports/drift?weeks=0").json()["code"] == "invalid-request"


def test_a_trained_release_keeps_a_profile_and_the_command_uses_it(run: Any, tmp_path: Path) -> None:
    lines = [
        {
            "id": f"{i}",
            "text": f"Assessment: {('Gout of the left knee', 'Migraine')[i % 2]}. Visit {i}.",
            "date_of_service": "2026-03-02",
            "codes": [{"system": "icd-10-cm", "code": ("M10.9", "G43.909")[i % 2]}],
        }
        for i in range(20)
    ]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(r) + "\n" for r in lines), encoding="utf-8")
    assert run("train", "--audited", "a.jsonl", "--out", "new", "--labels", "audited").returncode == 0
    assert "profile.json" in json.loads((tmp_path / "new" / "manifest.json").read_text(encoding="utf-8"))["files"]
    same = run("drift", "--audited", "a.jsonl", "--model", "new", CODEASSIST_DRIFT_NOTES="10")
    assert same.returncode == 0, same.stdout + same.stderr
    other = [{**r, "setting": "inpatient"} for r in lines]
    (tmp_path / "b.jsonl").write_text("".join(json.dumps(r) + "\n" for r in other), encoding="utf-8")
    arguments = ("drift", "--audited", "b.jsonl", "--model", "new", "--report", "out.json")
    found = run(*arguments, CODEASSIST_DRIFT_NOTES="10")
    assert found.returncode == 1 and b"setting: PSI" in found.stdout
    record = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert record["weeks"][0]["monday"] == "2026-03-02" and record["limits"]["notes"] == 10

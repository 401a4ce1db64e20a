"""The routes of reviews: a note goes in, decisions are made, codes come out; what is wrong is answered clearly."""

from __future__ import annotations

import csv
import io
import json
import shlex
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import TypeAdapter

from api.review_schemas import KeptOut, ReviewOut, StateOut, WorklistOut
from api.users import LOCAL, ROLE_SCOPES, User, current_user

NOTE = {
    "id": "visit-9",
    "text": "Assessment and Plan:\n1. Type 2 diabetes mellitus, on metformin.\n2. Essential hypertension, stable.",
    "date_of_service": "2026-03-02",
    "specialty": "family medicine",
}
E11 = {"system": "icd-10-cm", "code": "E11.9"}
I10 = {"system": "icd-10-cm", "code": "I10"}
SCRIPT = "<script>alert(1)</script>"
Serving = Callable[..., AbstractContextManager[TestClient]]


@pytest.fixture
def desk(serving: Serving, assistant: Any, tmp_path: Path) -> Iterator[TestClient]:
    """A client of a service whose database holds nothing yet."""
    with serving(assistant, database_url=f"sqlite:///{tmp_path / 'reviews.sqlite3'}") as client:
        yield client


@contextmanager
def as_user(client: TestClient, name: str) -> Iterator[None]:
    overrides = client.app.dependency_overrides  # type: ignore[attr-defined]
    overrides[current_user] = lambda: User(name, LOCAL.scopes)
    try:
        yield
    finally:
        del overrides[current_user]


def add(client: TestClient, **facts: Any) -> int:
    response = client.post("/v1/reviews", json={**NOTE, **facts})
    assert response.status_code == 201, response.text
    TypeAdapter(ReviewOut).validate_python(response.json())
    number: int = response.json()["review"]
    return number


def step(client: TestClient, state: dict[str, Any], action: str, **body: Any) -> dict[str, Any]:
    response = client.post(f"/v1/reviews/{state['review']}/{action}", json={"version": state["version"], **body})
    assert response.status_code == 200, response.text
    after: dict[str, Any] = response.json()
    TypeAdapter(StateOut).validate_python(after)
    return after


def opened(client: TestClient, **filters: Any) -> dict[str, Any]:
    response = client.post("/v1/reviews:next", json=filters)
    assert response.status_code == 200, response.text
    record: dict[str, Any] = response.json()
    TypeAdapter(ReviewOut).validate_python(record)
    return record


def refused(response: Any, status: int, code: str) -> dict[str, Any]:
    problem: dict[str, Any] = response.json()
    assert (response.status_code, problem["code"]) == (status, code), response.text
    assert response.headers["content-type"] == "application/problem+json"
    return problem


def test_a_note_from_arrival_to_export(desk: TestClient) -> None:
    number = add(desk)
    state = opened(desk)
    assert state["review"] == number and state["lock"]["holder"] == "local" and state["undecided"] >= 2
    assert state["note"]["text"] == NOTE["text"]
    assert {s["code"] for s in state["result"]["suggestions"]} >= {"E11.9", "I10"}
    state = step(desk, state, "decisions", kind="accepted", **E11)
    state = step(desk, state, "decisions", kind="replaced", **E11, by={"system": "icd-10-cm", "code": "E11.65"})
    state = step(desk, state, "decisions", kind="added", system="cpt", code="99213", evidence=[{"start": 0, "end": 10}])
    assert [c["code"] for c in state["codes"]] == ["E11.65", "99213"]
    assert state["codes"][1]["evidence"][0]["text"] == "Assessment"
    assert any(f["codes"] for f in state["findings"]), "the rules are asked after each change"
    assert [c["code"] for c in step(desk, state, "undo")["codes"]] == ["E11.65"]
    state = desk.get(f"/v1/reviews/{number}").json()
    state = step(desk, state, "redo")
    state = step(desk, state, "decisions", kind="linked", system="cpt", code="99213", diagnoses=["E11.65"])
    state = step(desk, state, "submit")
    assert state["state"] == "submitted" and state["submitted"]["by"] == "local"

    exported = desk.get("/v1/exports/audited")
    assert exported.headers["content-type"].startswith("application/x-ndjson")
    record = json.loads(exported.text)
    assert [(c["code"], c["sequence"]) for c in record["codes"]] == [("E11.65", 1), ("99213", 2)]
    assert record["rejected"] == [E11] and record["coder"] == "local"
    assert record["codes"][1]["evidence"] == [{"start": 0, "end": 10}]
    table = list(csv.DictReader(io.StringIO(desk.get("/v1/exports/codes", params={"setting": "outpatient"}).text)))
    assert [(row["note"], row["code"], row["diagnoses"]) for row in table] == [
        ("visit-9", "E11.65", ""),
        ("visit-9", "99213", "E11.65"),
    ]
    refused(desk.post("/v1/reviews:next", json={}), 404, "nothing-waiting")


def test_the_worklist(desk: TestClient) -> None:
    first, second, third = add(desk), add(desk, setting="inpatient"), add(desk, specialty="cardiology")
    opened(desk)
    answer = desk.get("/v1/reviews").json()
    TypeAdapter(WorklistOut).validate_python(answer)
    assert answer["counts"] == {"waiting": 2, "open": 1, "held": 0, "submitted": 0, "closed": 0}
    assert [r["review"] for r in answer["reviews"]] == [first, second, third] and "next" not in answer

    def listed(**query: Any) -> list[int]:
        return [r["review"] for r in desk.get("/v1/reviews", params=query).json()["reviews"]]

    assert listed(mine=True) == [first]
    assert listed(state="waiting") == [second, third]
    assert listed(setting="inpatient") == [second]
    assert listed(specialty="cardiology", date_from="2026-03-02", date_to="2026-03-02") == [third]
    page = desk.get("/v1/reviews", params={"limit": 2}).json()
    assert page["next"] == second and listed(after=page["next"]) == [third]
    assert "metformin" not in desk.get("/v1/reviews").text, "the list has no text of notes"


def test_two_coders_at_one_note(desk: TestClient) -> None:
    number = add(desk)
    state = opened(desk)
    with as_user(desk, "ben"):
        refused(desk.post("/v1/reviews:next", json={}), 404, "nothing-waiting")
        body = {"version": state["version"], "kind": "accepted", **I10}
        assert (
            "local" in refused(desk.post(f"/v1/reviews/{number}/decisions", json=body), 409, "review-locked")["detail"]
        )
        refused(desk.post(f"/v1/reviews/{number}/open", json={}), 409, "review-locked")
        taken = desk.post(f"/v1/reviews/{number}/open", json={"take_over": True}).json()
        assert taken["lock"]["holder"] == "ben"
    assert "ben" in refused(desk.post(f"/v1/reviews/{number}/decisions", json=body), 409, "review-foreign")["detail"]


def test_a_stale_version_and_a_submitted_note(desk: TestClient) -> None:
    number = add(desk)
    before = opened(desk)
    after = step(desk, before, "decisions", kind="accepted", **E11)
    stale = {"version": before["version"], "kind": "accepted", **I10}
    refused(desk.post(f"/v1/reviews/{number}/decisions", json=stale), 409, "version-stale")
    final = step(desk, after, "submit")
    for action, body in (
        ("decisions", {"kind": "accepted", **I10}),
        ("undo", {}),
        ("hold", {"reason": "x"}),
        ("submit", {}),
    ):
        answer = desk.post(f"/v1/reviews/{number}/{action}", json={"version": final["version"], **body})
        refused(answer, 409, "review-submitted")
    assert [c["code"] for c in desk.get(f"/v1/reviews/{number}").json()["codes"]] == ["E11.9"]


def test_a_note_that_was_not_opened_is_foreign(desk: TestClient) -> None:
    number = add(desk)
    body = {"version": 1, "kind": "accepted", **I10}
    refused(desk.post(f"/v1/reviews/{number}/decisions", json=body), 409, "review-foreign")
    refused(desk.post(f"/v1/reviews/{number}/submit", json={"version": 1}), 409, "review-foreign")


def test_a_script_is_data(desk: TestClient) -> None:
    add(desk, text=f"{SCRIPT} Assessment: essential hypertension.", id=SCRIPT)
    state = opened(desk)
    state = step(desk, state, "decisions", kind="rejected", **I10, reason=SCRIPT)
    assert state["rejected"] == [{**I10, "reason": SCRIPT}]
    step(desk, state, "hold", reason=SCRIPT)
    for path in ("/v1/reviews", f"/v1/reviews/{state['review']}"):
        answer = desk.get(path)
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert SCRIPT in answer.text


def test_errors_stop_unless_they_are_overridden(desk: TestClient) -> None:
    add(desk)
    state = step(desk, opened(desk), "decisions", kind="accepted", **E11)
    state = step(desk, state, "decisions", kind="added", system="icd-10-cm", code="E10.9")
    path, version = f"/v1/reviews/{state['review']}/submit", state["version"]
    (finding,) = [f for f in state["findings"] if f["level"] == "error"]
    problem = refused(desk.post(path, json={"version": version}), 409, "findings-stand")
    assert finding["rule"] in problem["detail"]
    wrong = {"rule": finding["rule"], "codes": ["I10"], "reason": "x"}
    refused(desk.post(path, json={"version": version, "overrides": [wrong]}), 409, "override-refused")
    override = {"rule": finding["rule"], "codes": finding["codes"], "reason": SCRIPT}
    assert step(desk, state, "submit", overrides=[override])["state"] == "submitted"


WRONG: dict[str, tuple[str, Any, int, str]] = {
    "no kind": ("decisions", {"version": 1}, 422, "invalid-request"),
    "another kind": ("decisions", {"version": 1, "kind": "eaten"}, 422, "invalid-request"),
    "no version": ("decisions", {"kind": "accepted", **I10}, 422, "invalid-request"),
    "a version as text": ("undo", {"version": "2"}, 422, "invalid-request"),
    "an unknown field": ("undo", {"version": 2, "force": True}, 422, "invalid-request"),
    "another system": (
        "decisions",
        {"version": 2, "kind": "accepted", "system": "x", "code": "I10"},
        422,
        "invalid-request",
    ),
    "no reason": ("decisions", {"version": 2, "kind": "rejected", **I10}, 422, "invalid-request"),
    "a blank reason": ("hold", {"version": 2, "reason": " \n"}, 422, "invalid-request"),
    "a reason with NUL": ("hold", {"version": 2, "reason": "a\0b"}, 422, "invalid-request"),
    "a long reason": ("hold", {"version": 2, "reason": "x" * 2001}, 422, "invalid-request"),
    "a modifier that is none": (
        "decisions",
        {"version": 2, "kind": "modifiers", **I10, "modifiers": ["<b>"]},
        422,
        "invalid-request",
    ),
    "poa": ("decisions", {"version": 2, "kind": "poa", **I10, "poa": "X"}, 422, "invalid-request"),
    "an unknown code": (
        "decisions",
        {"version": 2, "kind": "added", "system": "icd-10-cm", "code": "E11.99"},
        422,
        "code-not-in-release",
    ),
    "not suggested": (
        "decisions",
        {"version": 2, "kind": "accepted", "system": "icd-10-cm", "code": "J45.909"},
        409,
        "decision-impossible",
    ),
    "no span": (
        "decisions",
        {"version": 2, "kind": "added", "system": "cpt", "code": "99213", "evidence": [{"start": 0, "end": 9999}]},
        409,
        "decision-impossible",
    ),
    "nothing to undo": ("undo", {"version": 2}, 409, "nothing-to-undo"),
    "nothing to redo": ("redo", {"version": 2}, 409, "nothing-to-redo"),
    "a list": ("submit", [], 422, "invalid-request"),
    "nothing chosen": ("submit", {"version": 2}, 409, "decision-impossible"),
}


def test_what_is_wrong_is_named_and_changes_nothing(desk: TestClient) -> None:
    add(desk)
    before = opened(desk)
    assert before["version"] == 2
    for name, (action, body, status, code) in WRONG.items():
        answer = desk.post(f"/v1/reviews/{before['review']}/{action}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), (name, answer.text)
    assert desk.get(f"/v1/reviews/{before['review']}").json() == before


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/reviews/999", 404, "review-unknown"),
        ("GET", "/v1/reviews/0", 422, "invalid-request"),
        ("GET", "/v1/reviews/99999999999999999999", 422, "invalid-request"),
        ("GET", "/v1/reviews/one", 422, "invalid-request"),
        ("GET", "/v1/reviews?state=lost", 422, "invalid-request"),
        ("GET", "/v1/reviews?specialty=a%00b", 422, "invalid-request"),
        ("GET", "/v1/reviews?limit=0", 422, "invalid-request"),
        ("GET", "/v1/exports/audited?date_from=yesterday", 422, "invalid-request"),
        ("DELETE", "/v1/reviews/1", 405, "method-not-allowed"),
        ("POST", "/v1/reviews/1/undo", 415, "unsupported-media-type"),
    ],
)
def test_paths_and_parameters(client: TestClient, method: str, path: str, status: int, code: str) -> None:
    refused(client.request(method, path), status, code)


@pytest.mark.parametrize("facts", [{"id": "a\0b"}, {"id": "x" * 201}, {"specialty": "a\nb"}, {"text": " "}], ids=str)
def test_a_note_that_can_not_be_kept(client: TestClient, facts: dict[str, Any]) -> None:
    refused(client.post("/v1/reviews", json={**NOTE, **facts}), 422, "invalid-input")


def test_odd_text_comes_back_exactly(desk: TestClient) -> None:
    text = "\ufeff😀 e\u0301\0 Assessment: essential hypertension. \u202eend"
    add(desk, text=text)
    state = opened(desk)
    assert state["note"]["text"] == text
    for s in state["result"]["suggestions"]:
        assert all(text[e["start"] : e["end"]] == e["text"] for e in s["evidence"])


def test_the_requests_of_the_document_run_as_they_stand(desk: TestClient, root: Path) -> None:
    document = (root / "docs" / "reviews.md").read_text(encoding="utf-8")
    script = document.split("```sh\n", 1)[1].split("```", 1)[0].replace("\\\n", " ").replace("$base", "/v1")
    answers = []
    for line in script.splitlines():
        words = shlex.split(line, comments=True)
        if words[:2] != ["curl", "-s"]:
            continue
        body = words[words.index("-d") + 1] if "-d" in words else None
        json_type = {"Content-Type": "application/json"}
        answers.append(desk.post(words[2], content=body, headers=json_type) if body else desk.get(words[2]))
        assert answers[-1].is_success, (line, answers[-1].text)
    assert len(answers) == 11
    assert [row["code"] for row in csv.DictReader(io.StringIO(answers[-2].text))] == ["G43.009", "99213"]
    assert json.loads(answers[-1].text)["id"] == "visit-1"


def test_assignment_and_priority_say_what_is_next(desk: TestClient) -> None:
    first, second, third, fourth = (add(desk) for _ in range(4))
    assert desk.post(f"/v1/reviews/{first}/assign", json={"to": "ben"}).json()["assigned_to"] == "ben"
    desk.post(f"/v1/reviews/{fourth}/assign", json={"to": None, "priority": 1})
    desk.post(f"/v1/reviews/{third}/assign", json={"to": "local", "priority": 9})
    answer = desk.get("/v1/reviews?sort=priority").json()
    assert [r["review"] for r in answer["reviews"]] == [fourth, first, second, third]
    assert answer["mine"] == {"open": 0, "assigned": 1, "held": 0, "submitted": 0}
    assert [r["review"] for r in desk.get("/v1/reviews?mine=true").json()["reviews"]] == [third]
    order = []
    for _ in range(3):
        state = opened(desk)
        order.append(state["review"])
        step(desk, state, "hold", reason="later")
    assert order == [third, fourth, second], "what is assigned to another is passed over"
    refused(desk.post("/v1/reviews:next", json={}), 404, "nothing-waiting")
    answer = desk.get("/v1/reviews?mine=true&state=held").json()
    assert len(answer["reviews"]) == answer["mine"]["held"] == 3
    with as_user(desk, "ben"):
        assert opened(desk)["review"] == first
    overrides = desk.app.dependency_overrides  # type: ignore[attr-defined]
    overrides[current_user] = lambda: User("carla", ROLE_SCOPES["coder"])
    try:
        refused(desk.post(f"/v1/reviews/{second}/assign", json={"to": "ben"}), 403, "forbidden")
        assert desk.post(f"/v1/reviews/{second}/assign", json={"to": "carla"}).status_code == 200
    finally:
        del overrides[current_user]
    for body in ({"to": "a\0b"}, {"to": "ben", "priority": 0}, {"to": "ben", "priority": 10}, {}):
        refused(desk.post(f"/v1/reviews/{second}/assign", json=body), 422, "invalid-request")
    refused(desk.post("/v1/reviews/999/assign", json={"to": "ben"}), 404, "review-unknown")


def test_the_worklist_by_confidence_and_page_by_page(desk: TestClient) -> None:
    texts = ["Assessment: essential hypertension.", "No complaint.", "Assessment: gout. Asthma?", NOTE["text"]] * 2
    for text in texts:
        add(desk, text=text)
    everything = desk.get("/v1/reviews").json()
    known = {r["review"]: (r["confidence"], r["review"]) for r in everything["reviews"]}
    assert everything["specialties"] == ["family medicine"] and everything["at_least"] is False
    wanted = {
        "received": sorted(known),
        "-received": sorted(known, reverse=True),
        "confidence": sorted(known, key=known.__getitem__),
        "-confidence": sorted(known, key=known.__getitem__, reverse=True),
    }
    for sort, order in wanted.items():
        seen: list[int] = []
        after = 0
        while True:
            page = desk.get("/v1/reviews", params={"sort": sort, "limit": 3, "after": after}).json()
            seen += [r["review"] for r in page["reviews"]]
            if "next" not in page:
                break
            after = page["next"]
        assert seen == order, sort
    counted = 0
    for band in ("low", "medium", "high"):
        page = desk.get("/v1/reviews", params={"confidence": band}).json()
        assert {r["confidence_band"] for r in page["reviews"]} <= {band}
        assert page["counts"]["waiting"] == len(page["reviews"])
        counted += len(page["reviews"])
    assert counted == len(texts)
    dated = desk.get("/v1/reviews", params={"date_from": "2026-03-02", "date_to": "2026-03-02"}).json()
    assert dated["counts"] == everything["counts"]
    refused(desk.get("/v1/reviews?sort=luck"), 422, "invalid-request")
    refused(desk.get("/v1/reviews?confidence=0.5"), 422, "invalid-request")


def test_a_page_that_stays_open_keeps_its_lock_until_it_is_taken_over(desk: TestClient) -> None:
    number = add(desk)
    refused(desk.post(f"/v1/reviews/{number}/keep", json={}), 409, "review-foreign")
    state = opened(desk)
    kept = desk.post(f"/v1/reviews/{number}/keep", json={}).json()
    TypeAdapter(KeptOut).validate_python(kept)
    assert kept["version"] == state["version"] and kept["lock"]["until"] > state["lock"]["until"]
    with as_user(desk, "ben"):
        refused(desk.post(f"/v1/reviews/{number}/keep", json={}), 409, "review-locked")
        taken = desk.post(f"/v1/reviews/{number}/open", json={"take_over": True}).json()
    for action, body in (("keep", {}), ("undo", {"version": taken["version"]}), ("submit", {"version": 2})):
        told = refused(desk.post(f"/v1/reviews/{number}/{action}", json=body), 409, "review-foreign")
        assert "taken over by ben" in told["detail"]
    with as_user(desk, "ben"):
        step(desk, step(desk, taken, "decisions", kind="accepted", **I10), "submit")
        refused(desk.post(f"/v1/reviews/{number}/keep", json={}), 409, "review-submitted")
    refused(desk.post(f"/v1/reviews/{number}/keep", json={"version": 1}), 422, "invalid-request")


def test_what_is_missing_is_named(desk: TestClient) -> None:
    add(desk, text="Day 2. Blood culture pending.", setting="inpatient", patient={"age": 70})
    missing = {gap["kind"]: gap for gap in opened(desk)["missing"]}
    assert missing.keys() == {"sex", "discharge-summary", "result"}
    assert missing["result"]["text"] == "culture pending"


def test_a_body_that_is_too_large_changes_nothing(serving: Serving, assistant: Any, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'reviews.sqlite3'}"
    with serving(assistant, database_url=url, max_body_bytes=2000) as desk:
        number = add(desk)
        state = opened(desk)
        giant = {"version": state["version"], "kind": "rejected", **I10, "reason": "x" * 3000}
        for path in (f"{number}/decisions", f"{number}/hold", f"{number}/submit"):
            refused(desk.post(f"/v1/reviews/{path}", json=giant), 413, "body-too-large")
        for path in ("/v1/audits", "/v1/audits:next", "/v1/audits/1/marks", "/v1/audits/1/answers"):
            refused(desk.post(path, json=giant), 413, "body-too-large")
        assert desk.get(f"/v1/reviews/{number}").json()["version"] == state["version"]

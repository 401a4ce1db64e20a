"""Second looks over the API: blind and open, from the sample to the codes that the verdicts settle."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import TypeAdapter

from api.audit_schemas import AuditOut, AuditsOut, AuditStateOut
from api.report_schemas import ClaimOut, ReportOut
from api.reviews.reports import REPORTS
from api.users import ROLE_SCOPES, Role, User, current_user

NOTE = {
    "id": "visit-9",
    "text": "Assessment and Plan:\n1. Essential hypertension, stable.\n2. Type 2 diabetes mellitus, on metformin.",
    "date_of_service": "2026-03-02",
    "specialty": "family medicine",
}
E11 = {"system": "icd-10-cm", "code": "E11.9"}
E1165 = {"system": "icd-10-cm", "code": "E11.65"}
I10 = {"system": "icd-10-cm", "code": "I10"}
VISIT = {"system": "cpt", "code": "99213"}
PROPOSED = ("accepted", "replaced", "rejected", "ignored")
SCRIPT = "<script>alert(1)</script>"
Serving = Callable[..., AbstractContextManager[TestClient]]
WHO: dict[str, Role] = {"anne": "coder", "ben": "auditor", "carla": "coder", "dora": "auditor"}


@pytest.fixture
def desk(serving: Serving, assistant: Any, tmp_path: Path) -> Iterator[TestClient]:
    with serving(assistant, database_url=f"sqlite:///{tmp_path / 'reviews.sqlite3'}") as client:
        yield client


@contextmanager
def as_user(client: TestClient, name: str) -> Iterator[None]:
    overrides = client.app.dependency_overrides  # type: ignore[attr-defined]
    overrides[current_user] = lambda: User(name, ROLE_SCOPES[WHO[name]])
    try:
        yield
    finally:
        del overrides[current_user]


def refused(response: Any, status: int, code: str) -> str:
    assert (response.status_code, response.json()["code"]) == (status, code), response.text
    detail: str = response.json()["detail"]
    return detail


def ask(client: TestClient, user: str, path: str, **body: Any) -> dict[str, Any]:
    with as_user(client, user):
        response = client.post(path, json=body)
    assert response.status_code in (200, 201), response.text
    answer: dict[str, Any] = response.json()
    if path.startswith("/v1/audits"):
        TypeAdapter(AuditOut if "note" in answer else AuditStateOut).validate_python(answer)
    return answer


def coded(client: TestClient, coder: str, *decisions: dict[str, Any], **facts: Any) -> int:
    """A review that a coder has submitted with these decisions."""
    sent = client.post("/v1/reviews", json={**NOTE, **facts})
    number: int = sent.json()["review"]
    state = ask(client, coder, f"/v1/reviews/{number}/open")
    for decision in decisions:
        state = ask(client, coder, f"/v1/reviews/{number}/decisions", version=state["version"], **decision)
    ask(client, coder, f"/v1/reviews/{number}/submit", version=state["version"])
    return number


def accept(code: dict[str, str]) -> dict[str, Any]:
    return {"kind": "accepted", **code}


def add(code: dict[str, str]) -> dict[str, Any]:
    return {"kind": "added", **code}


def recoded(client: TestClient, look: dict[str, Any], *decisions: dict[str, Any]) -> dict[str, Any]:
    path = f"/v1/audits/{look['audit']}"
    for decision in decisions:
        look = ask(client, look["auditor"], f"{path}/decisions", version=look["version"], **decision)
    return ask(client, look["auditor"], f"{path}/submit", version=look["version"])


def test_a_blind_second_look_from_the_sample_to_the_export(desk: TestClient) -> None:
    number = coded(desk, "anne", accept(I10), accept(E11), add({"system": "icd-10-cm", "code": "R51.9"}))
    look = ask(desk, "ben", "/v1/audits:next", mode="blind", share=1.0)
    assert look["review"] == number and look["codes"] == [] and look["result"]["suggestions"]
    hidden = ("coder", "coder_codes", "coder_rejected", "comparison")
    assert not set(hidden) & look.keys() and "R51.9" not in json.dumps(look)
    with as_user(desk, "ben"):
        refused(desk.get(f"/v1/reviews/{number}"), 403, "audit-blind")
        refused(desk.get(f"/v1/reviews/{number}/claim"), 403, "audit-blind")
        assert desk.get("/v1/exports/audited").text == ""
        assert "R51.9" not in desk.get("/v1/exports/codes").text
        assert desk.get(f"/v1/audits/{look['audit']}").json()["codes"] == []
    assert ask(desk, "ben", "/v1/audits:next", mode="blind")["audit"] == look["audit"], "the one that is open"

    done = recoded(desk, look, accept(E11), accept(I10), {"kind": "replaced", **E11, "by": E1165}, add(VISIT))
    compared = done["comparison"]
    kinds = {(d["kind"], d["coder"], d["auditor"]) for d in compared["differences"]}
    assert kinds == {("different", "E11.9", "E11.65"), ("missed", None, "99213"), ("extra", "R51.9", None)}
    assert (compared["agreed"], compared["missed"], compared["extra"]) == (1, 2, 2)
    assert compared["f1"] == 0.3333 and compared["exact"] is False and compared["principal_agreed"] is True
    assert done["coder"] == "anne" and [c["code"] for c in done["coder_codes"]] == ["I10", "E11.9", "R51.9"]

    path, version = f"/v1/audits/{look['audit']}", done["version"]
    verdicts = {"different": "auditor", "missed": "both", "extra": "auditor"}
    with as_user(desk, "anne"):
        first = {"version": version, "difference": 1, "answer": "agree"}
        assert "not marked" in refused(desk.post(f"{path}/answers", json=first), 409, "audit-state")
    for d in compared["differences"]:
        mark = {"difference": d["difference"], "verdict": verdicts[d["kind"]], "reason": "specificity", "text": SCRIPT}
        version = ask(desk, "ben", f"{path}/marks", version=version, **mark)["version"]
    with as_user(desk, "ben"):
        refused(desk.post(f"{path}/close", json={"version": version}), 409, "audit-state")
    with as_user(desk, "carla"):
        refused(desk.get(path), 404, "audit-unknown")
        body = {"version": version, "difference": 1, "answer": "agree"}
        refused(desk.post(f"{path}/answers", json=body), 409, "audit-foreign")
    with as_user(desk, "anne"):
        assert desk.get(path).json()["comparison"]["differences"][0]["text"] == SCRIPT
        refused(desk.post(f"{path}/answers", json={**body, "answer": "rebut"}), 422, "invalid-request")
    for d in compared["differences"]:
        said = {"difference": d["difference"], "answer": "rebut", "text": "see the plan"}
        answered = ask(desk, "anne", f"{path}/answers", version=version, **said)
        version = answered["version"]
    assert answered["state"] == "answered" and answered["unanswered"] == 0
    closed = ask(desk, "ben", f"{path}/close", version=version)
    assert closed["state"] == "closed" and [c["code"] for c in closed["final_codes"]] == ["I10", "E11.65"]

    record = json.loads(desk.get("/v1/exports/audited").text)
    assert [c["code"] for c in record["codes"]] == ["I10", "E11.65"]
    assert (record["coder"], record["auditor"], record["weight"]) == ("anne", "ben", 2.0)
    assert {"system": "icd-10-cm", "code": "R51.9"} in record["rejected"]
    claim = desk.get(f"/v1/reviews/{number}/claim").json()
    assert claim["segments"] == ["HI*ABK:I10*ABF:E1165"]
    with as_user(desk, "ben"):
        refused(desk.post("/v1/audits", json={"review": number, "mode": "open"}), 409, "audit-exists")
        refused(desk.post("/v1/audits:next", json={}), 404, "nothing-to-audit")
        late = {"version": closed["version"], "difference": 1, "verdict": "coder", "reason": "other"}
        refused(desk.post(f"{path}/marks", json=late), 409, "audit-state")


def test_an_open_second_look_starts_from_the_coders_codes(desk: TestClient) -> None:
    number = coded(desk, "anne", accept(I10), accept(E11))
    look = ask(desk, "ben", "/v1/audits", review=number, mode="open")
    assert [c["code"] for c in look["codes"]] == ["I10", "E11.9"] == [c["code"] for c in look["coder_codes"]]
    path = f"/v1/audits/{look['audit']}"
    with as_user(desk, "ben"):
        refused(desk.post(f"{path}/undo", json={"version": 1}), 409, "nothing-to-undo")
    turned = ask(desk, "ben", f"{path}/decisions", version=1, kind="reordered", order=[E11, I10])
    ask(desk, "ben", f"{path}/undo", version=2)
    again = ask(desk, "ben", f"{path}/redo", version=3)
    assert [c["code"] for c in turned["codes"]] == [c["code"] for c in again["codes"]] == ["E11.9", "I10"]
    done = recoded(desk, again, {"kind": "poa", **I10, "poa": "Y"})
    by_kind = {d["kind"]: d for d in done["comparison"]["differences"]}
    assert by_kind["sequence"]["auditor_value"] == ["E11.9", "I10"]
    assert by_kind["poa"]["code"] == "I10" and by_kind["poa"]["auditor_value"] == "Y"
    version = done["version"]
    for d in by_kind.values():
        marked = ask(
            desk, "ben", f"{path}/marks", version=version, difference=d["difference"], verdict="auditor", reason="poa"
        )
        version = marked["version"]
    closed = ask(desk, "ben", f"{path}/close", version=version, unanswered=True)
    assert [(c["code"], c.get("poa")) for c in closed["final_codes"]] == [("E11.9", None), ("I10", "Y")]


def test_nobody_audits_their_own_work(desk: TestClient) -> None:
    number = coded(desk, "ben", accept(I10))
    with as_user(desk, "ben"):
        refused(desk.post("/v1/audits", json={"review": number, "mode": "blind"}), 409, "audit-own")
        refused(desk.post("/v1/audits:next", json={"mode": "blind"}), 404, "nothing-to-audit")
    look = ask(desk, "dora", "/v1/audits:next", mode="blind")
    with as_user(desk, "ben"):
        refused(desk.get(f"/v1/audits/{look['audit']}"), 404, "audit-unknown")
        body = {"version": 1, "kind": "accepted", **I10}
        refused(desk.post(f"/v1/audits/{look['audit']}/decisions", json=body), 409, "audit-foreign")


def test_who_may_audit_and_what_is_wrong(desk: TestClient) -> None:
    number = coded(desk, "anne", accept(I10))
    waiting = desk.post("/v1/reviews", json=NOTE).json()["review"]
    with as_user(desk, "carla"):
        for path in (
            "/v1/audits",
            "/v1/audits:next",
            "/v1/audits/1/submit",
            "/v1/audits/1/marks",
            "/v1/audits/1/close",
        ):
            refused(desk.post(path, json={}), 403, "forbidden")
    look = ask(desk, "ben", "/v1/audits", review=number, mode="blind")
    path = f"/v1/audits/{look['audit']}"
    wrong: list[tuple[str, dict[str, Any], int, str]] = [
        ("/v1/audits", {"review": 999, "mode": "blind"}, 404, "review-unknown"),
        ("/v1/audits", {"review": waiting, "mode": "blind"}, 409, "not-submitted"),
        ("/v1/audits", {"review": number, "mode": "hidden"}, 422, "invalid-request"),
        ("/v1/audits:next", {"share": 0}, 422, "invalid-request"),
        ("/v1/audits:next", {"share": 1.5}, 422, "invalid-request"),
        ("/v1/audits/99/submit", {"version": 1}, 404, "audit-unknown"),
        (f"{path}/submit", {"version": 1}, 409, "decision-impossible"),
        (f"{path}/submit", {"version": 9}, 409, "version-stale"),
        (f"{path}/decisions", {"version": 1, "kind": "added", **E11, "code": "E11.99"}, 422, "code-not-in-release"),
        (f"{path}/decisions", {"version": 9, **accept(I10)}, 409, "version-stale"),
        (f"{path}/marks", {"version": 1, "difference": 1, "verdict": "both", "reason": "other"}, 409, "audit-state"),
        (f"{path}/marks", {"version": 1, "difference": 1, "verdict": "both", "reason": SCRIPT}, 422, "invalid-request"),
        (f"{path}/marks", {"version": 1, "difference": 1, "verdict": "me", "reason": "other"}, 422, "invalid-request"),
        (f"{path}/close", {"version": 1}, 409, "audit-state"),
        (f"{path}/answers", {"version": 1, "difference": 1, "answer": "agree"}, 404, "audit-unknown"),
        (f"{path}/answers", {"version": 1, "difference": 1, "answer": "rebut", "text": "a\0b"}, 422, "invalid-request"),
    ]
    with as_user(desk, "ben"):
        before = desk.get(path).json()
        for where, body, status, code in wrong:
            answer = desk.post(where, json=body)
            assert (answer.status_code, answer.json()["code"]) == (status, code), (where, body, answer.text)
        assert desk.get(path).json() == before


def test_a_second_look_is_given_up(desk: TestClient) -> None:
    number = coded(desk, "anne", accept(I10))
    look = ask(desk, "ben", "/v1/audits:next", mode="blind")
    path = f"/v1/audits/{look['audit']}"
    for user, body, status, code in (
        ("anne", {"version": 1}, 403, "forbidden"),
        ("dora", {"version": 1}, 409, "audit-foreign"),
        ("ben", {"version": 7}, 409, "version-stale"),
        ("ben", {}, 422, "invalid-request"),
    ):
        with as_user(desk, user):
            refused(desk.post(f"{path}/abandon", json=body), status, code)
    state = ask(desk, "ben", f"{path}/abandon", version=1)
    TypeAdapter(AuditStateOut).validate_python(state)
    assert state["state"] == "abandoned" and "coder" not in state
    with as_user(desk, "ben"):
        refused(desk.post(f"{path}/abandon", json={"version": 2}), 409, "audit-state")
        assert desk.get(f"/v1/reviews/{number}").status_code == 200, "nothing is hidden any more"
        assert desk.get("/v1/audits?state=abandoned").json()["counts"]["abandoned"] == 1
        refused(desk.post("/v1/audits:next", json={}), 404, "nothing-to-audit")
    with as_user(desk, "anne"):
        assert desk.get("/v1/audits").json()["audits"] == []
        refused(desk.get(path), 404, "audit-unknown")
    assert ask(desk, "dora", "/v1/audits:next", mode="open")["review"] == number


def test_the_lists_of_auditors_and_coders(desk: TestClient) -> None:
    first, second = coded(desk, "anne", accept(I10)), coded(desk, "carla", accept(E11))
    blind = ask(desk, "ben", "/v1/audits", review=first, mode="blind")
    ask(desk, "dora", "/v1/audits", review=second, mode="open")

    def listed(user: str, **query: Any) -> dict[str, Any]:
        with as_user(desk, user):
            answer: dict[str, Any] = desk.get("/v1/audits", params=query).json()
        TypeAdapter(AuditsOut).validate_python(answer)
        return answer

    assert [a["review"] for a in listed("ben")["audits"]] == [second, first]
    assert "coder" not in listed("ben")["audits"][1]
    assert [a["review"] for a in listed("ben", mine=True)["audits"]] == [first]
    assert [a["review"] for a in listed("dora", coder="carla")["audits"]] == [second]
    page = listed("ben", limit=1)
    assert [a["review"] for a in listed("ben", after=page["next"])["audits"]] == [first]
    assert listed("anne")["audits"] == [], "not before the auditor has submitted"
    recoded(desk, blind, accept(I10))
    seen = listed("anne")
    assert [a["review"] for a in seen["audits"]] == [first] and seen["counts"]["submitted"] == 1
    assert listed("carla")["audits"] == []
    assert {r["reason"] for r in desk.get("/v1/audits:reasons").json()["reasons"]} >= {"specificity", "other"}


def test_a_sample_is_a_share_of_each_coders(desk: TestClient) -> None:
    for _ in range(3):
        coded(desk, "anne", accept(I10))
    coded(desk, "carla", accept(I10), specialty="cardiology")
    with as_user(desk, "ben"):
        refused(desk.post("/v1/audits:next", json={"share": 1e-12}), 404, "nothing-to-audit")
        refused(desk.post("/v1/audits:next", json={"coder": "nobody"}), 404, "nothing-to-audit")
        refused(desk.post("/v1/audits:next", json={"date_from": "2026-03-03"}), 404, "nothing-to-audit")
    look = ask(desk, "ben", "/v1/audits:next", coder="carla", mode="open")
    assert look["coder"] == "carla"
    assert ask(desk, "dora", "/v1/audits:next", specialty="family medicine", mode="open")["coder"] == "anne"


def test_every_report_as_json_and_csv(desk: TestClient) -> None:
    coded(desk, "anne", accept(I10), accept(E11), {"kind": "rejected", **E11, "reason": "x"})
    number = coded(desk, "carla", accept(I10), accept(E11), add(VISIT))
    recoded(desk, ask(desk, "ben", "/v1/audits", review=number, mode="blind"), accept(I10), accept(E11))
    tables = {}
    for name in REPORTS:
        answer = desk.get(f"/v1/reports/{name}")
        assert answer.status_code == 200, answer.text
        tables[name] = answer.json()
        TypeAdapter(ReportOut).validate_python(tables[name])
        assert tables[name]["own"] is False
        header, *lines = desk.get(f"/v1/reports/{name}", headers={"Accept": "text/csv"}).text.splitlines()
        assert header == ",".join(c["name"] for c in tables[name]["columns"])
        assert len(lines) == len(tables[name]["rows"])
    rows = {row["code"]: row for row in tables["acceptance-by-code"]["rows"]}
    assert (rows["I10"]["suggested"], rows["I10"]["accepted"], rows["I10"]["acceptance"]) == (2, 2, 1.0)
    assert rows["99213"]["added"] == 1 and rows["99213"]["acceptance"] is None
    tier = next(
        s["tier"] for s in desk.get(f"/v1/reviews/{number}").json()["result"]["suggestions"] if s["code"] == "E11.9"
    )
    assert rows["E11.9"]["accepted" if tier == "code" else "candidates"] == 1
    assert all(sum(row[n] for n in PROPOSED) == row["suggested"] for row in rows.values())
    assert "99213" in {row["code"] for row in tables["always-added"]["rows"]}
    assert "hypertension" in rows["I10"]["display"].lower()
    coders = {row["coder"]: row for row in tables["acceptance-by-coder"]["rows"]}
    assert coders["anne"]["notes"] == coders["carla"]["notes"] == 1
    (week,) = tables["acceptance-by-week"]["rows"]
    assert week["notes"] == 2 and week["accepted"] + week["candidates"] == 3
    assert {row["coder"] for row in tables["time-per-note"]["rows"]} == {"anne", "carla"}
    (agreement,) = tables["agreement-by-coder"]["rows"]
    assert (agreement["coder"], agreement["agreed"], agreement["principal"]) == ("carla", 2, 1.0)
    by_code = {row["code"]: row for row in tables["agreement-by-code"]["rows"]}
    assert by_code["I10"]["f1"] == 1.0 and by_code["I10"]["kappa"] is None


def test_coders_see_their_own_figures(desk: TestClient) -> None:
    coded(desk, "anne", accept(I10))
    coded(desk, "carla", accept(I10))
    with as_user(desk, "anne"):
        mine = desk.get("/v1/reports/acceptance-by-coder").json()
        assert mine["own"] is True and [row["coder"] for row in mine["rows"]] == ["anne"]
        by_code = {row["code"]: row for row in desk.get("/v1/reports/acceptance-by-code").json()["rows"]}
        assert (by_code["I10"]["suggested"], by_code["I10"]["accepted"]) == (1, 1)
        refused(desk.get("/v1/reports/acceptance-by-code", params={"coder": "carla"}), 403, "forbidden")
    assert [r["coder"] for r in desk.get("/v1/reports/acceptance-by-coder?coder=carla").json()["rows"]] == ["carla"]
    empty = desk.get("/v1/reports/acceptance-by-coder", params={"date_to": "2026-01-01", "format": "csv"})
    assert empty.headers["content-type"].startswith("text/csv") and len(empty.text.splitlines()) == 1
    refused(desk.get("/v1/reports/secrets"), 422, "invalid-request")
    refused(desk.get("/v1/reports/never-accepted?date_from=today"), 422, "invalid-request")


def test_a_name_in_a_report_is_no_formula(desk: TestClient) -> None:
    WHO["=1+1"] = "coder"
    coded(desk, "=1+1", accept(I10))
    assert "\n'=1+1,1," in desk.get("/v1/reports/acceptance-by-coder?format=csv").text


def test_a_claim(desk: TestClient) -> None:
    link = {"kind": "linked", **VISIT, "diagnoses": ["E11.9", "I10"]}
    number = coded(desk, "anne", accept(I10), accept(E11), add(VISIT), link)
    claim = desk.get(f"/v1/reviews/{number}/claim").json()
    TypeAdapter(ClaimOut).validate_python(claim)
    assert claim["form"] == "professional" and claim["warnings"] == []
    assert claim["segments"] == ["HI*ABK:I10*ABF:E119", "SV1*HC:99213**UN*1***2:1"]
    other = desk.get(
        f"/v1/reviews/{number}/claim", params={"form": "institutional", "reason": ["R51.9", "r11.0"]}
    ).json()
    assert other["segments"] == ["HI*ABK:I10", "HI*APR:R519*APR:R110", "HI*ABF:E119", "SV2**HC:99213**UN*1"]
    TypeAdapter(ClaimOut).validate_python(other)
    assert other["sv1"] == [] and claim["sv2"] == []
    assert [(line["procedure"], line["revenue_code"]) for line in other["sv2"]] == [("HC:99213", None)]
    assert any("SV201" in warning for warning in other["warnings"])
    refused(desk.get(f"/v1/reviews/{number}/claim?admitting=nothing"), 422, "code-not-in-release")
    refused(desk.get("/v1/reviews/999/claim"), 404, "review-unknown")
    waiting = desk.post("/v1/reviews", json=NOTE).json()["review"]
    refused(desk.get(f"/v1/reviews/{waiting}/claim"), 409, "not-submitted")
    with as_user(desk, "anne"):
        refused(desk.get(f"/v1/reviews/{number}/claim"), 403, "forbidden")

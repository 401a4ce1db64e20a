"""Every POST that makes something, sent again under its key: one thing is made, and the answer is the same."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
from hl7_samples import mdm
from sqlalchemy import func, select

from api.auth import accounts
from api.auth.passwords import Passwords
from api.openapi import example_text
from api.store.base import Base
from api.store.database import Database, open_database
from api.store.events import DeliveryRow
from api.store.idempotency import IdempotencyRow

Serve = Any
PASSWORD = "blue kettle on a windy hill"
USERS = {"anne": "coder", "ada": "auditor", "olga": "auditor", "root.admin": "administrator"}
PROGRAM = "program"
"""A key that may do what programs may."""
NOTE = {"text": "Assessment: gout.", "date_of_service": "2026-03-02"}
GOUT = {"system": "icd-10-cm", "code": "M10.9"}
DIABETES = {"system": "icd-10-cm", "code": "E11.9"}
CREATES_NOTHING = {
    "/v1/suggestions", "/v1/suggestions:batch", "/v1/edits", "/v1/queries", "/v1/sections", "/compat/comprehendmedical",
    "/fhir/DocumentReference/$suggest-codes", "/fhir/CodeSystem/$lookup", "/fhir/CodeSystem/$validate-code",
    "/fhir/ValueSet/$expand",
}  # fmt: skip
SAFE_WITHOUT = {
    "/v1/session": "each sign-in is a session of its own, and nobody is signed in yet whose key it could be",
    "/auth/token": "an assertion is taken once: sent again, it is refused",
    "/v1/reviews/{number}/keep": "a lock that begins anew may do so twice",
    "/v1/hl7v2/messages/{number}/retry": "what waits to be coded already stays as it is",
}


@dataclass
class Site:
    """The service with a client for each user."""

    database: Database
    clients: dict[str, httpx.Client]
    description: dict[str, Any]

    def did(self, user: str, path: str, body: Any) -> dict[str, Any]:
        response = self.clients[user].post(path, json=body)
        assert response.is_success, f"{path} {response.text}"
        answer: dict[str, Any] = response.json()
        return answer

    def rows(self) -> dict[str, int]:
        """How many rows each table has, but for the keys themselves, and for deliveries, which are made beside."""
        left_out = (IdempotencyRow.__table__, DeliveryRow.__table__)
        tables = [t for t in Base.metadata.sorted_tables if t not in left_out]
        with self.database.reading() as session:
            return {t.name: session.scalar(select(func.count()).select_from(t)) or 0 for t in tables}

    def review(self, *steps: str) -> tuple[str, int]:
        """The path of a note that Anne has taken so far, and its version."""
        path, version = f"/v1/reviews/{self.did('anne', '/v1/reviews', NOTE)['review']}", 0
        for step in steps:
            body = {"decisions": {"kind": "added", **GOUT}}.get(step, {})
            stated = {} if step == "open" else {"version": version}
            version = self.did("anne", f"{path}/{step}", {**body, **stated})["version"]
        return path, version

    def look(self, *steps: str) -> tuple[str, dict[str, Any]]:
        """The path of a second look of Ada's that has come so far, and its state with the number of a difference."""
        review = self.review("open", "decisions", "submit")[0].rsplit("/", 1)[1]
        state = self.did("ada", "/v1/audits", {"review": int(review), "mode": "open"})
        path, stated = f"/v1/audits/{state['audit']}", {"version": state["version"]}
        for step in steps:
            body = {
                "decisions": {"kind": "added", **DIABETES},
                "marks": {"verdict": "auditor", "reason": "other"},
            }.get(step, {})
            state = self.did("ada", f"{path}/{step}", {**body, **stated})
            stated["version"] = state["version"]
            if step == "submit":
                stated["difference"] = state["comparison"]["differences"][0]["difference"]
        return path, stated


@pytest.fixture(scope="module")
def site(running_at: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    url = f"sqlite:///{tmp_path_factory.mktemp('posts') / 'posts.sqlite3'}"
    database = open_database(url)
    with database.writing() as session:
        for name, role in USERS.items():
            accounts.add(session, "cli:test", name, Passwords(1, 64).hash(PASSWORD), [role])
    database.close()
    cheap = {"argon2_passes": 1, "argon2_memory_kib": 64, "webhook_hosts": {"127.0.0.1"}, "webhook_attempts": 1}
    with running_at(url, **cheap) as service, ExitStack() as stack:
        clients = {
            name: stack.enter_context(httpx.Client(base_url=service.address, timeout=60, trust_env=False))
            for name in (*USERS, PROGRAM)
        }
        for name in USERS:
            assert clients[name].post("/v1/session", json={"name": name, "password": PASSWORD}).is_success
        scopes = ["suggest", "reviews:read", "reviews:write", "integrate"]
        made = clients["root.admin"].post("/v1/keys", json={"name": "ehr", "scopes": scopes}).json()
        clients[PROGRAM].headers["Authorization"] = f"Bearer {made['key']}"
        yield Site(service.database, clients, clients["anne"].get("/openapi.json").json())


@dataclass(frozen=True)
class Sent:
    """A request, and another body for the same path."""

    user: str
    path: str
    body: Any
    other: Any
    media_type: str = "application/json"


def of_review(step: str, body: dict[str, Any], other: dict[str, Any], *steps: str) -> Callable[[Site], Sent]:
    def prepared(site: Site) -> Sent:
        path, version = site.review(*steps)
        stated = {} if step in ("open", "assign") else {"version": version}
        return Sent("anne", f"{path}/{step}", {**body, **stated}, {**stated, **other})

    return prepared


def of_look(step: str, body: dict[str, Any], other: dict[str, Any], *steps: str) -> Callable[[Site], Sent]:
    def prepared(site: Site) -> Sent:
        path, stated = site.look(*steps)
        named = stated if step in ("marks", "answers") else {"version": stated["version"]}
        return Sent("anne" if step == "answers" else "ada", f"{path}/{step}", {**body, **named}, {**named, **other})

    return prepared


def begin_look(site: Site) -> Sent:
    number = int(site.review("open", "decisions", "submit")[0].rsplit("/", 1)[1])
    return Sent("ada", "/v1/audits", {"review": number, "mode": "open"}, {"review": number, "mode": "blind"})


def draw_look(site: Site) -> Sent:
    site.review("open", "decisions", "submit")
    return Sent("olga", "/v1/audits:next", {"mode": "open"}, {"mode": "blind"})


def next_note(site: Site) -> Sent:
    site.review()
    return Sent("anne", "/v1/reviews:next", {}, {"setting": "inpatient"})


def webhook(site: Site) -> Sent:
    first, other = ({"url": f"http://127.0.0.1:9/{n}", "events": ["review.submitted"]} for n in "ab")
    return Sent("root.admin", "/v1/webhooks", first, other)


def redelivery(site: Site) -> Sent:
    number = site.did("root.admin", "/v1/webhooks", {"url": "http://127.0.0.1:9/", "events": ["review.submitted"]})
    site.review("open", "decisions", "submit")
    path = f"/v1/webhooks/{number['webhook']}/deliveries"
    for _ in range(200):
        found = site.clients["root.admin"].get(path).json()["deliveries"]
        if found and found[0]["state"] == "dead":
            break
        time.sleep(0.05)
    delivery = found[0]["delivery"]
    return Sent("root.admin", f"{path}/{delivery}/redeliver", None, {})


def message(site: Site) -> Sent:
    return Sent(PROGRAM, "/v1/hl7v2", mdm(), mdm(lines=("Pneumonia.",)), "application/hl7-v2")


def card(site: Site) -> Sent:
    call = json.loads(example_text("cds-call.json"))
    return Sent(PROGRAM, "/cds-services/patient-view", call, {**call, "hookInstance": str(uuid4())})


def feedback(site: Site) -> Sent:
    said = json.loads(example_text("cds-feedback.json"))
    other = {"feedback": [{**said["feedback"][0], "outcome": "accepted"}]}
    return Sent(PROGRAM, "/cds-services/patient-view/feedback", said, other)


def user(site: Site) -> Sent:
    new = {"name": f"u{uuid4().hex[:8]}", "roles": ["coder"], "password": PASSWORD}
    return Sent("root.admin", "/v1/users", new, {**new, "password": f"{PASSWORD}!"})


def key(site: Site) -> Sent:
    new = {"name": f"k{uuid4().hex[:8]}", "scopes": ["suggest"]}
    return Sent("root.admin", "/v1/keys", new, {**new, "scopes": ["exports"]})


POSTS: dict[str, Callable[[Site], Sent]] = {
    "/v1/reviews": lambda _: Sent("anne", "/v1/reviews", NOTE, {**NOTE, "text": "Pneumonia."}),
    "/v1/reviews:next": next_note,
    "/v1/reviews/{number}/open": of_review("open", {}, {"take_over": True}),
    "/v1/reviews/{number}/decisions": of_review(
        "decisions", {"kind": "added", **GOUT}, {"kind": "added", **DIABETES}, "open"
    ),
    "/v1/reviews/{number}/undo": of_review("undo", {}, {"version": 99}, "open", "decisions"),
    "/v1/reviews/{number}/redo": of_review("redo", {}, {"version": 99}, "open", "decisions", "undo"),
    "/v1/reviews/{number}/hold": of_review("hold", {"reason": "a query"}, {"reason": "another"}, "open"),
    "/v1/reviews/{number}/release": of_review("release", {}, {"version": 99}, "open"),
    "/v1/reviews/{number}/submit": of_review("submit", {}, {"overrides": []}, "open", "decisions"),
    "/v1/reviews/{number}/assign": of_review("assign", {"to": "anne"}, {"to": "anne", "priority": 1}),
    "/v1/audits": begin_look,
    "/v1/audits:next": draw_look,
    "/v1/audits/{number}/decisions": of_look("decisions", {"kind": "added", **DIABETES}, {"kind": "added", **GOUT}),
    "/v1/audits/{number}/undo": of_look("undo", {}, {"version": 99}, "decisions"),
    "/v1/audits/{number}/redo": of_look("redo", {}, {"version": 99}, "decisions", "undo"),
    "/v1/audits/{number}/abandon": of_look("abandon", {}, {"version": 99}),
    "/v1/audits/{number}/submit": of_look("submit", {}, {"version": 99}, "decisions"),
    "/v1/audits/{number}/marks": of_look(
        "marks",
        {"verdict": "auditor", "reason": "other"},
        {"verdict": "coder", "reason": "other"},
        "decisions",
        "submit",
    ),
    "/v1/audits/{number}/answers": of_look(
        "answers", {"answer": "agree"}, {"answer": "rebut", "text": "No."}, "decisions", "submit", "marks"
    ),
    "/v1/audits/{number}/close": of_look(
        "close", {"unanswered": True}, {"unanswered": False}, "decisions", "submit", "marks"
    ),
    "/v1/hl7v2": message,
    "/v1/webhooks": webhook,
    "/v1/webhooks/{number}/deliveries/{delivery}/redeliver": redelivery,
    "/v1/users": user,
    "/v1/keys": key,
    "/cds-services/{service_id}": card,
    "/cds-services/{service_id}/feedback": feedback,
}


def post(site: Site, sent: Sent, body: Any, name: str) -> Any:
    content = body.encode() if isinstance(body, str) else b"" if body is None else json.dumps(body).encode()
    headers = {"Idempotency-Key": name, "Content-Type": sent.media_type}
    return site.clients[sent.user].post(sent.path, content=content, headers=headers)


def test_every_post_takes_a_key_or_is_named_with_its_reason(site: Site) -> None:
    paths = {path: methods["post"] for path, methods in site.description["paths"].items() if "post" in methods}
    taking = {p for p, o in paths.items() if any(x["name"] == "Idempotency-Key" for x in o.get("parameters", ()))}
    assert taking == POSTS.keys()
    assert paths.keys() - taking == CREATES_NOTHING | SAFE_WITHOUT.keys()


@pytest.mark.parametrize("path", POSTS)
def test_sent_again_it_makes_nothing_again(site: Site, path: str) -> None:
    sent = POSTS[path](site)
    if path == "/v1/hl7v2":  # coding of what came in goes on beside: a message of its own id makes no difference then
        sent = Sent(sent.user, sent.path, mdm(event="T11"), mdm(event="T11", document="other"), sent.media_type)
    name, before = uuid4().hex, site.rows()
    first = post(site, sent, sent.body, name)
    assert first.is_success, first.text
    made = site.rows()
    assert made != before, "the request makes something"
    again = post(site, sent, sent.body, name)
    assert again.status_code == first.status_code and again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["content-type"] == first.headers["content-type"]
    shown = {k: v for k, v in first.json().items() if k != "key"} if path == "/v1/keys" else first.content
    assert (again.json() if path == "/v1/keys" else again.content) == shown
    other = post(site, sent, sent.other, name)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    assert site.rows() == made


def test_no_secret_is_kept_for_an_answer_that_is_given_again(site: Site) -> None:
    sent, name = key(site), uuid4().hex
    text = post(site, sent, sent.body, name).json()["key"]
    new, other = user(site), uuid4().hex
    assert post(site, new, new.body, other).is_success
    with site.database.reading() as session:
        rows = {r.key: r for r in session.scalars(select(IdempotencyRow))}
    assert rows[name].body and text.split("_", 2)[2].encode() not in (rows[name].body or b"")
    assert PASSWORD.encode() not in (rows[other].body or b"")
    assert len(rows[other].fingerprint) == len(rows[name].fingerprint) == 64


def test_the_digest_of_a_password_is_as_slow_as_its_hash() -> None:
    slow = Passwords(1, 64)
    assert slow.digest(b"x", "anne\nkey") == slow.digest(b"x", "anne\nkey") != slow.digest(b"x", "anne\nother")
    assert slow.digest(b"x", "a") != Passwords(2, 64).digest(b"x", "a"), "it is made with the settings of Argon2id"
